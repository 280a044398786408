// SPDX-License-Identifier: MIT
/// @file
/// The elementwise work of optimizers: what it is, for the host. A backend of a device offers the same as members.
#pragma once

#include <cmath>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// How Muon averages gradients, in the scalar of the state: `decay` is mu.
template <real T>
struct momentum_factors {
  T decay, rest;
  bool moving_average, nesterov;
};

/// The numbers of one step of Adam in the scalar of the state.
template <real T>
struct adam_factors {
  T rest1, beta2, rest2, step_size, root_correction, eps;
};

namespace detail {

/// next <- the average of `momentum` and the gradient in g; g <- what is to be orthogonalized. All dense, row-major, of
/// one shape. Never inlined, so that products and sums are contracted in one way or not at all: the same bits everywhere.
///
///     moving average: next = m + rest (g - m),  g <- next + rest (g - next) with Nesterov, else next
///     heavy ball:     next = decay m + g,       g <- g + decay next         with Nesterov, else next
template <real T>
[[gnu::noinline]] void average_gradient(momentum_factors<T> const& factors, matrix_view<T const> momentum,
                                        matrix_view<T> g, matrix_view<T> next) {
  T const mu = factors.decay;
  T const rest = factors.rest;
  T const* const m = momentum.data();
  T* const direction = g.data();
  T* const averaged = next.data();
  index_t const size = g.size();
  if (factors.moving_average) {
    for (index_t i = 0; i < size; ++i) averaged[i] = T(m[i] + rest * T(direction[i] - m[i]));
    for (index_t i = 0; i < size; ++i) {
      direction[i] = factors.nesterov ? T(averaged[i] + rest * T(direction[i] - averaged[i])) : averaged[i];
    }
  } else {
    for (index_t i = 0; i < size; ++i) averaged[i] = T(mu * m[i] + direction[i]);
    for (index_t i = 0; i < size; ++i) {
      direction[i] = factors.nesterov ? T(direction[i] + mu * averaged[i]) : averaged[i];
    }
  }
}

/// Every row divided by its RMS, but by `floor` at least: multiplied by 1 / floor at the most. Afterwards every RMS is at
/// most 1, up to rounding. Zero rows stay.
template <real T>
[[gnu::noinline]] void normalize_rows(T floor, matrix_view<T> d) {
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
    T const divisor = rms < floor ? floor : rms;
    for (index_t j = 0; j < d.cols(); ++j) d(i, j) = T(d(i, j) / divisor);
  }
}

/// m' = m + (1 - beta1) (g - m), v' = beta2 v + (1 - beta2) g^2, g <- step_size m' / (sqrt(v') / root_correction + eps),
/// 0 where m' is 0. All dense, of one size. Never inlined: the same bits everywhere.
template <real T>
[[gnu::noinline]] void adam_update(adam_factors<T> const& f, matrix_view<T const> m, matrix_view<T const> v,
                                   matrix_view<T> g, matrix_view<T> next_m, matrix_view<T> next_v) {
  using std::sqrt;
  T const* const first = m.data();
  T const* const second = v.data();
  T* const update = g.data();
  T* const first_next = next_m.data();
  T* const second_next = next_v.data();
  for (index_t i = 0; i < g.size(); ++i) {
    T const x = update[i];
    T const average = T(first[i] + f.rest1 * T(x - first[i]));
    T const square = T(f.beta2 * second[i] + T(f.rest2 * x) * x);
    T const root = T(T(sqrt(square)) / f.root_correction + f.eps);
    first_next[i] = average;
    second_next[i] = square;
    update[i] = average == T(0) ? T(0) : T(T(f.step_size * average) / root);
  }
}

// The same by whoever works in the memory of the matrices.

template <class B, real T>
void average_gradient_on([[maybe_unused]] B const& on, momentum_factors<T> const& factors,
                         matrix_view_on<B, T const> momentum, matrix_view_on<B, T> g, matrix_view_on<B, T> next) {
  if constexpr (works_on_host<B>) {
    average_gradient(factors, momentum, g, next);
  } else {
    on.average_gradient(factors, momentum, g, next);
  }
}

template <class B, real T>
void normalize_rows_on([[maybe_unused]] B const& on, T floor, matrix_view_on<B, T> d) {
  if constexpr (works_on_host<B>) {
    normalize_rows(floor, d);
  } else {
    on.normalize_rows(floor, d);
  }
}

template <class B, real T>
void adam_update_on([[maybe_unused]] B const& on, adam_factors<T> const& factors, matrix_view_on<B, T const> m,
                    matrix_view_on<B, T const> v, matrix_view_on<B, T> g, matrix_view_on<B, T> next_m,
                    matrix_view_on<B, T> next_v) {
  if constexpr (works_on_host<B>) {
    adam_update(factors, m, v, g, next_m, next_v);
  } else {
    on.adam_update(factors, m, v, g, next_m, next_v);
  }
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
