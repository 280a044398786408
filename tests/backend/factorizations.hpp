// SPDX-License-Identifier: MIT
/// @file
/// What cholesky, triangular_solve and triangular_solve_transposed promise, for any backend.
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

/// Positive definite by diagonal dominance, in the lower triangle; NaN above the diagonal, which nobody may touch.
template <class T>
void fill_positive_definite(matrix_view<T> a, number_source& source) {
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) {
      a(i, j) = j > i ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(source.next());
    }
    a(i, i) = static_cast<T>(a.rows() + 1);
  }
}

/// |L L^T - A| <= gamma_{n+1} |L||L^T| (Higham, Accuracy and Stability, 10.3), and one rounding more for a backend that
/// multiplies with the reciprocal of the diagonal. Rows below `rows`, and `extra` elements of the row after them.
template <class T>
double reconstruction_ratio(matrix_view<T const> l, matrix_view<T const> a, index_t rows, index_t extra) {
  worst_ratio worst;
  for (index_t i = 0; i < rows || (i == rows && extra > 0); ++i) {
    index_t const cols = i < rows ? i + 1 : extra;
    for (index_t j = 0; j < cols; ++j) {
      auto const exact = affine_dot<T>(T(1), l.row(i).segment(0, j + 1), l.row(j).segment(0, j + 1), T(0), T(0));
      worst.add(exact.value, static_cast<long double>(a(i, j)), gamma<T>(j + 3) * exact.magnitude + underflow<T>(j));
    }
  }
  return worst.value();
}

template <class T>
bool upper_is_nan(matrix_view<T> a) {
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = i + 1; j < a.cols(); ++j) {
      if (!std::isnan(a(i, j))) return false;
    }
  }
  return true;
}

/// One call in the program: see multiply_and_gram.
template <class B, class T>
[[gnu::noinline]] index_t factor(B const& be, matrix_view<T> a) {
  return be.cholesky(a);
}

template <class B, class T>
void check_cholesky(B const& be, index_t n, layout order) {
  CAPTURE(n);
  number_source source(static_cast<std::uint64_t>(n));
  stored_matrix<T> const a(n, n, order);
  fill_positive_definite(a.view(), source);
  stored_matrix<T> const l(n, n, order);
  stored_matrix<T> const again(n, n, order);
  l.set(a.view());
  again.set(a.view());
  CHECK(factor(be, l.view()) == n);
  CHECK(reconstruction_ratio<T>(l.view(), a.view(), n, 0) <= 1);
  CHECK(upper_is_nan(l.view()));
  CHECK(l.gaps_intact());
  factor(be, again.view());
  CHECK(same_bits(l.view(), again.view()));
}

/// The pivot of row k made negative, zero, NaN or infinite: k is reported, and what stands before it is the factor.
template <class B, class T>
void check_cholesky_failure(B const& be, index_t n, index_t k, layout order) {
  CAPTURE(n);
  CAPTURE(k);
  using limits = std::numeric_limits<T>;
  number_source source(static_cast<std::uint64_t>(n + k));
  stored_matrix<T> const a(n, n, order);
  stored_matrix<T> const l(n, n, order);
  for (T const bad : {T(-1), T(0), limits::quiet_NaN(), limits::infinity(), -limits::infinity()}) {
    fill_positive_definite(a.view(), source);
    a(k, k) = bad;
    if (bad == T(0)) {
      for (index_t j = 0; j < k; ++j) a(k, j) = T(0);
    }
    l.set(a.view());
    CHECK(be.cholesky(l.view()) == k);
    CHECK(reconstruction_ratio<T>(l.view(), a.view(), k, k) <= 1);
    CHECK(upper_is_nan(l.view()));
    CHECK(l.gaps_intact());
  }
  for (T const bad : {limits::quiet_NaN(), limits::infinity()}) {  // left of the diagonal
    if (k == 0) break;
    fill_positive_definite(a.view(), source);
    a(k, k / 2) = bad;
    l.set(a.view());
    CHECK(be.cholesky(l.view()) == k);
    CHECK(reconstruction_ratio<T>(l.view(), a.view(), k, k / 2) <= 1);
  }
}

/// Substitution: row i of the residual is at most gamma_{i+1} (|L| |Y|)_i (Higham, 8.5); NaN above the diagonal.
template <class B, class T>
void check_triangular_solve(B const& be, index_t n, index_t cols, index_t variant, bool transposed) {
  CAPTURE(n);
  CAPTURE(cols);
  CAPTURE(variant);
  number_source source(static_cast<std::uint64_t>(n * 37 + cols));
  stored_matrix<T> const l(n, n, layout_at(variant));
  stored_matrix<T> const b(n, cols, layout_at(variant / 2), source);
  stored_matrix<T> const y(n, cols, layout_at(variant / 2));
  fill_positive_definite(l.view(), source);
  y.set(b.view());
  if (transposed) {
    be.template triangular_solve_transposed<T>(l.view(), y.view());
  } else {
    be.template triangular_solve<T>(l.view(), y.view());
  }
  worst_ratio worst;
  for (index_t j = 0; j < cols; ++j) {
    for (index_t i = 0; i < n; ++i) {
      index_t const first = transposed ? i : 0;
      index_t const count = transposed ? n - i : i + 1;
      auto const row = transposed ? l.view().col(i) : l.view().row(i);
      auto const exact =
          affine_dot<T>(T(1), row.segment(first, count), y.view().col(j).segment(first, count), T(0), T(0));
      worst.add(exact.value, static_cast<long double>(b(i, j)),
                gamma<T>(count) * exact.magnitude + underflow<T>(count));
    }
  }
  CHECK(worst.value() <= 1);
  CHECK(y.gaps_intact());
}

template <class B, class T>
void check_factorizations(B const& be) {
  for (index_t n = 0; n <= 80; ++n) check_cholesky<B, T>(be, n, layout_at(n));
  for (auto const order : every_layout) {
    for (index_t const n : {9, 35, 64, 65, 129, 200}) check_cholesky<B, T>(be, n, order);
  }
  for (index_t k = 0; k < 75; ++k) check_cholesky_failure<B, T>(be, 75, k, layout_at(k / 3));
  for (index_t k = 0; k < 11; ++k) check_cholesky_failure<B, T>(be, 11, k, layout_at(k));
  for (index_t const k : {63, 64, 65, 71, 72, 127, 128, 129, 139}) {
    check_cholesky_failure<B, T>(be, 140, k, layout::row_major);
    check_cholesky_failure<B, T>(be, 140, k, layout::col_major);
  }
  index_t variant = 0;
  for (bool const transposed : {false, true}) {
    for (index_t n = 0; n <= 35; ++n) {
      for (index_t cols = 0; cols <= 12; ++cols) check_triangular_solve<B, T>(be, n, cols, ++variant, transposed);
      check_triangular_solve<B, T>(be, 1, n, ++variant, transposed);
    }
    for (index_t const cols : {1, 2, 31, 32, 33, 63, 65, 127, 129}) {
      for (index_t i = 0; i < 2 * layout_count; i += 3) check_triangular_solve<B, T>(be, 70, cols, i, transposed);
    }
  }
}

}  // namespace sigmax::test
