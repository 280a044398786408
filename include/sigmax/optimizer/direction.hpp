// SPDX-License-Identifier: MIT
/// @file
/// Momentum and the normalised directions of embeddings: Muon's elementwise work.
#pragma once

#include <cmath>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/optimizer/muon_options.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// next <- the average of `momentum` and the gradient in g; g <- what is to be orthogonalized. All dense, row-major, of
/// one shape. Never inlined, so that products and sums are contracted in one way or not at all: the same bits everywhere.
template <real T>
[[gnu::noinline]] void average_gradient(muon_options const& options, matrix_view<T const> momentum, matrix_view<T> g,
                                        matrix_view<T> next) {
  T const mu = T(options.momentum);
  T const rest = T(1 - options.momentum);
  T const* const m = momentum.data();
  T* const direction = g.data();
  T* const averaged = next.data();
  index_t const size = g.size();
  if (options.form_of_momentum == momentum_form::moving_average) {
    for (index_t i = 0; i < size; ++i) averaged[i] = T(m[i] + rest * T(direction[i] - m[i]));
    for (index_t i = 0; i < size; ++i) {
      direction[i] = options.nesterov ? T(averaged[i] + rest * T(direction[i] - averaged[i])) : averaged[i];
    }
  } else {
    for (index_t i = 0; i < size; ++i) averaged[i] = T(mu * m[i] + direction[i]);
    for (index_t i = 0; i < size; ++i) {
      direction[i] = options.nesterov ? T(direction[i] + mu * averaged[i]) : averaged[i];
    }
  }
}

/// Every row divided by its RMS, but multiplied by `inflation` at the most. Afterwards every RMS is at most 1, up to
/// rounding. Zero rows stay.
template <real T>
[[gnu::noinline]] void normalize_rows(double inflation, matrix_view<T> d) {
  using std::abs;
  using std::sqrt;
  for (index_t i = 0; i < d.rows(); ++i) {
    T largest(0);
    for (index_t j = 0; j < d.cols(); ++j) {
      T const magnitude = T(abs(d(i, j)));
      if (largest < magnitude) largest = magnitude;
    }
    if (!(largest > T(0))) continue;
    T squares(0);
    for (index_t j = 0; j < d.cols(); ++j) {
      T const share = T(d(i, j) / largest);
      squares = T(squares + share * share);
    }
    T const rms = T(largest * T(sqrt(T(squares / T(static_cast<double>(d.cols()))))));
    T const floor = T(1 / inflation);
    T const divisor = rms < floor ? floor : rms;
    for (index_t j = 0; j < d.cols(); ++j) d(i, j) = T(d(i, j) / divisor);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
