// SPDX-License-Identifier: MIT
/// @file
/// The projection of every token on a ball.
#pragma once

#include <cmath>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

#include "on_threads.hpp"

namespace transformer {

/// x <- f x with f = min(1, r / RMS(x)), in place, f kept for the way back. Euclidean projection on a convex set: 1-Lipschitz,
/// and afterwards RMS(x) <= r, whatever the layers before did. X: N x d, factors: N.
template <class Backend, class T>
void ball_forward(Backend const& on, T radius, sigmax::matrix_view<T> x, sigmax::vector_view<T> factors) {
  using std::sqrt;
  for_ranges(x.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    for (index_t n = first; n < last; ++n) {
      T const squares = T(on.dot(x.row(n), x.row(n)));
      T const rms = T(sqrt(T(squares / T(x.cols()))));
      factors[n] = radius < rms ? T(radius / rms) : T(1);
      if (!(factors[n] < T(1))) continue;
      for (index_t j = 0; j < x.cols(); ++j) x(n, j) = T(x(n, j) * factors[n]);
    }
  });
}

template <class Backend, class T>
void ball_forward(Backend const& on, T radius, sigmax::matrix_view<T, sigmax::device_space> x,
                  sigmax::vector_view<T, sigmax::device_space> factors) {
  on.ball_forward(radius, x, factors);
}

/// dx = f (dy - y <y, dy> / <y, y>) where the projection moved the token, y being where it went; dy elsewhere. In place.
template <class Backend, class T>
void ball_backward(Backend const& on, sigmax::matrix_view<T const> y, sigmax::vector_view<T const> factors,
                   sigmax::matrix_view<T> dy) {
  for_ranges(dy.rows(), workers_of(on), [&](index_t first, index_t last, int) {
    for (index_t n = first; n < last; ++n) {
      if (!(factors[n] < T(1))) continue;
      sigmax::matrix_view<T const> const from = dy;
      T const along = T(T(on.dot(y.row(n), from.row(n))) / T(on.dot(y.row(n), y.row(n))));
      for (index_t j = 0; j < dy.cols(); ++j) dy(n, j) = T(factors[n] * (dy(n, j) - along * y(n, j)));
    }
  });
}

template <class Backend, class T>
void ball_backward(Backend const& on, sigmax::matrix_view<T const, sigmax::device_space> y,
                   sigmax::vector_view<T const, sigmax::device_space> factors,
                   sigmax::matrix_view<T, sigmax::device_space> dy) {
  on.ball_backward(y, factors, dy);
}

}  // namespace transformer
