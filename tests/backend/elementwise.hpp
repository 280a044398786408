// SPDX-License-Identifier: MIT
/// @file
/// What combine, dot, sum_squares, max_abs and row_abs_sums promise, for any backend.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <sigmax/core/matrix_view.hpp>

#include "backend/bounds.hpp"
#include "backend/storage.hpp"

namespace sigmax::test {

/// Three roundings: two products and their sum.
template <class B, class T>
void check_combine(B const& be, index_t m, index_t n, layout of_x, layout of_y, T alpha, T beta) {
  number_source source(static_cast<std::uint64_t>(m * 37 + n));
  stored_matrix<T> const x(m, n, of_x, source);
  stored_matrix<T> const before(m, n, of_y, source);
  stored_matrix<T> const y(m, n, of_y);
  if (beta != T(0)) y.set(before.view());
  be.combine(alpha, x.view(), beta, y.view());
  worst_ratio worst;
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) {
      auto const x_term = static_cast<long double>(alpha) * static_cast<long double>(x(i, j));
      auto const y_term = static_cast<long double>(beta) * static_cast<long double>(before(i, j));
      worst.add(static_cast<long double>(y(i, j)), x_term + y_term,
                gamma<T>(3) * (std::abs(x_term) + std::abs(y_term)) + underflow<T>(2));
    }
  }
  CHECK(worst.value() <= 1);
  CHECK(y.gaps_intact());
}

/// A sum of `terms` terms, each rounded once if it is a product: gamma_terms times the sum of their magnitudes.
template <class B, class T>
void check_reductions(B const& be, index_t m, index_t n, layout order) {
  number_source source(static_cast<std::uint64_t>(m * 37 + n));
  stored_matrix<T> const x(m, n, order, source);
  stored_matrix<T> const sums(m, 1, layout_at(m + n));
  be.template row_abs_sums<T>(x.view(), as_vector(sums));
  measured squares;
  worst_ratio worst_row;
  T largest(0);
  for (index_t i = 0; i < m; ++i) {
    measured row;
    for (index_t j = 0; j < n; ++j) {
      auto const element = static_cast<long double>(x(i, j));
      squares.add(element * element);
      row.add(std::abs(element));
      largest = std::max(largest, std::abs(x(i, j)));
    }
    worst_row.add(static_cast<long double>(sums(i, 0)), row.value, gamma<T>(n) * row.magnitude);
  }
  worst_ratio worst_squares;
  worst_squares.add(static_cast<long double>(be.sum_squares(x.view())), squares.value,
                    gamma<T>(m * n) * squares.magnitude + underflow<T>(m * n));
  CHECK(worst_row.value() <= 1);
  CHECK(worst_squares.value() <= 1);
  CHECK(be.max_abs(x.view()) == largest);
  CHECK(sums.gaps_intact());
}

template <class B, class T>
void check_dot(B const& be, index_t n, layout of_u, layout of_v) {
  number_source source(static_cast<std::uint64_t>(n));
  stored_matrix<T> const u(n, 1, of_u, source);
  stored_matrix<T> const v(n, 1, of_v, source);
  vector_view<T const> const constant = as_vector(v);
  auto const exact = affine_dot<T>(T(1), as_vector(u), constant, T(0), T(0));
  worst_ratio worst;
  worst.add(static_cast<long double>(be.dot(as_vector(u), constant)), exact.value,
            gamma<T>(n) * exact.magnitude + underflow<T>(n));
  CHECK(worst.value() <= 1);
}

/// One element that is not finite, at every position: a maximum that loses it would prove nonsense.
template <class B, class T>
void check_max_abs_of_not_finite(B const& be, index_t m, index_t n, layout order) {
  using limits = std::numeric_limits<T>;
  number_source source(3);
  stored_matrix<T> const x(m, n, order, source);
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) {
      T const kept = x(i, j);
      for (T const bad : {limits::quiet_NaN(), limits::infinity(), -limits::infinity()}) {
        x(i, j) = bad;
        if (be.max_abs(x.view()) != limits::infinity()) FAIL_CHECK("lost at " << i << ", " << j);
      }
      x(i, j) = -limits::max();
      if (be.max_abs(x.view()) != limits::max()) FAIL_CHECK("largest finite number at " << i << ", " << j);
      x(i, j) = kept;
    }
  }
}

template <class B, class T>
void check_elementwise(B const& be) {
  for (index_t m = 0; m <= 35; ++m) {
    for (index_t n = 0; n <= 35; ++n) {
      CAPTURE(m);
      CAPTURE(n);
      check_combine<B, T>(be, m, n, layout_at(m + n), layout_at(n), T(0.75), T(-1.5));
      check_combine<B, T>(be, m, n, layout_at(m), layout_at(m), T(-2), (m + n) % 2 == 0 ? T(0) : T(1));
      check_reductions<B, T>(be, m, n, layout_at(m + 3 * n));
    }
  }
  for (index_t n = 0; n <= 140; ++n) {
    CAPTURE(n);
    check_dot<B, T>(be, n, layout_at(n), layout_at(n / 2));
    check_dot<B, T>(be, n, layout::row_major, layout::row_major);
    check_reductions<B, T>(be, 1, n, layout_at(n));
    check_reductions<B, T>(be, n, 1, layout_at(n));
  }
  CHECK(be.dot(vector_view<T const>(), vector_view<T const>()) == T(0));
  for (auto const order : every_layout) {
    check_max_abs_of_not_finite<B, T>(be, 1, 67, order);
    check_max_abs_of_not_finite<B, T>(be, 41, 1, order);
    check_max_abs_of_not_finite<B, T>(be, 5, 19, order);
  }
}

}  // namespace sigmax::test
