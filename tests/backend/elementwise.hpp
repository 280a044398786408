// SPDX-License-Identifier: MIT
/// @file
/// What combine, dot, sum_squares, max_abs, row_abs_sums, and what devices need besides, promise, for any backend.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

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

/// What rounds each element once, or not at all: division, clearing, copies to the host and back.
template <class B, class T>
void check_copies(B const& be, index_t m, index_t n, layout of_x, layout of_y) {
  number_source source(static_cast<std::uint64_t>(m * 41 + n));
  stored_matrix<T> const x(m, n, of_x, source);
  stored_matrix<T> const y(m, n, of_y);
  stored_matrix<T> const z(m, n, of_x);
  be.copy_from_host(x.view(), y.view());
  be.copy_to_host(y.view(), z.view());
  bool same = true;
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) same = same && y(i, j) == x(i, j) && z(i, j) == x(i, j);
  }
  T const tiny = std::numeric_limits<T>::denorm_min();  // whose reciprocal is infinite
  be.divide(tiny, z.view());
  be.divide(T(3), y.view());
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) same = same && y(i, j) == x(i, j) / T(3) && z(i, j) == x(i, j) / tiny;
  }
  be.clear_above_diagonal(y.view());
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) same = same && y(i, j) == (j > i ? T(0) : x(i, j) / T(3));
  }
  CHECK(same);
  CHECK((y.gaps_intact() && z.gaps_intact()));
}

/// alpha x + beta y computed in T and rounded once to the storage: from numbers of few digits it is exact until then.
template <class B, class T>
void check_combine_stored(B const& be) {
  bf16 const stored[] = {bf16(1.0f), bf16(-2.5f), bf16(96.0f), bf16(0x1p-8f)};
  bf16 result[] = {bf16(3.0f), bf16(0.0f), bf16(1.0f), bf16(0x1p-8f)};
  T wide[] = {T(3), T(0), T(1), T(-4)};
  matrix_view<bf16 const> const x(stored, 2, 2);
  be.combine_stored(T(1), x, T(0.5), matrix_view<bf16>(result, 2, 2).transposed());
  // 96 + 0 and -2.5 + 1/2 trade places; 1/256 + 1/512 has few enough digits.
  CHECK((result[0] == bf16(2.5f) && result[1] == bf16(96.0f) && result[2] == bf16(-2.0f) &&
         result[3] == bf16(0x1.8p-8f)));
  be.combine_stored(T(2), x, T(-1), matrix_view<T>(wide, 2, 2));
  CHECK((wide[0] == T(-1) && wide[1] == T(-5) && wide[2] == T(191) && wide[3] == T(4) + T(0x1p-7)));
  // 191.5 is half way between 191 and 192, of which 192 is the even one. What is not read may be NaN.
  wide[2] = T(191.5);
  bf16 rounded[] = {bf16(0.0f), bf16(0.0f), bf16(std::numeric_limits<float>::quiet_NaN()), bf16(0.0f)};
  be.combine_stored(T(1), matrix_view<T const>(wide, 2, 2), T(0), matrix_view<bf16>(rounded, 2, 2));
  CHECK(rounded[2] == bf16(192.0f));
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
  auto const truth = affine_dot<T>(T(1), as_vector(u), constant, T(0), T(0));
  worst_ratio worst;
  worst.add(static_cast<long double>(be.dot(as_vector(u), constant)), truth.value,
            gamma<T>(n) * truth.magnitude + underflow<T>(n));
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
  check_combine_stored<B, T>(be);
  for (index_t m = 0; m <= 35; ++m) {
    for (index_t n = 0; n <= 35; ++n) {
      CAPTURE(m);
      CAPTURE(n);
      check_combine<B, T>(be, m, n, layout_at(m + n), layout_at(n), T(0.75), T(-1.5));
      check_combine<B, T>(be, m, n, layout_at(m), layout_at(m), T(-2), (m + n) % 2 == 0 ? T(0) : T(1));
      check_reductions<B, T>(be, m, n, layout_at(m + 3 * n));
      check_copies<B, T>(be, m, n, layout_at(m + n), layout_at(n));
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
