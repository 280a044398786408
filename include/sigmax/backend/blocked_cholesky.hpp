// SPDX-License-Identifier: MIT
/// @file
/// Cholesky by blocks of columns, written over the products and the triangular solve of any backend.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// The given rows of the given columns of the factor, below the diagonal block of these columns. What stands left of
/// them in these rows and in the rows of that block is the factor already: a_RC = (a_RC - l_R l_C^T) l_CC^-T.
template <class B, class T>
void factor_rows(B const& be, matrix_view<T> a, index_range cols, index_range rows) {
  index_t const width = cols.last - cols.first;
  index_t const height = rows.last - rows.first;
  if (width == 0 || height == 0) return;
  auto const target = a.block(rows.first, cols.first, height, width);
  if (cols.first > 0) {
    auto const left = a.block(rows.first, 0, height, cols.first);
    auto const above = a.block(cols.first, 0, width, cols.first);
    be.multiply(T(-1), left, above.transposed(), T(1), target, target);
  }
  be.triangular_solve(a.block(cols.first, cols.first, width, width), target.transposed());
}

/// The triangle [first, last) x [first, last) of the factor, row by row. @return last, or the first bad pivot.
template <class B, class T>
index_t factor_triangle(B const& be, matrix_view<T> a, index_t first, index_t last) {
  using std::sqrt;
  for (index_t i = first; i < last; ++i) {
    if (first > 0) {
      auto const left = a.block(first, 0, i + 1 - first, first);
      be.times_vector(T(-1), left, a.row(i).segment(0, first), T(1), a.row(i).segment(first, i + 1 - first));
    }
    auto const row = a.row(i).segment(first, i - first);
    for (index_t j = first; j < i; ++j) {
      auto const above = a.row(j).segment(first, j - first);
      a(i, j) = T((a(i, j) - be.dot(row.segment(0, j - first), above)) / a(j, j));
    }
    T const pivot = T(a(i, i) - be.dot(row, row));
    if (!(pivot > T(0)) || !(pivot <= std::numeric_limits<T>::max())) return i;
    a(i, i) = T(sqrt(pivot));
  }
  return last;
}

}  // namespace detail

/// a = L L^T in place, left-looking: a block of columns is updated by all columns left of it (a product), then
/// factored.
/// a: n x n; reads and writes the lower triangle only. n^3 / 3 FLOPs, all but a share of about block / n in
/// `be.multiply`; allocates what the backend's `multiply`, `times_vector` and `triangular_solve` allocate.
///
/// Each l_ij is (a_ij - sum of its products in some order) / l_jj, so that L L^T = A + E with
/// |E| <= gamma_{n+1} |L||L^T| (Higham, Accuracy and Stability, 10.3) wherever the backend's products are sums of their
/// products and its substitution divides.
/// @return n on success; else the first k whose pivot is not a positive finite number (NaN included). Then rows
///         0..k-1 of the lower triangle and the first k elements of row k hold the factor.
template <class B, real T>
index_t blocked_cholesky(B const& be, matrix_view<T> a) {
  constexpr index_t block = 64;
  constexpr index_t strip = 8;
  index_t const n = a.rows();
  for (index_t first = 0; first < n; first += block) {
    index_t const last = std::min(first + block, n);
    // The diagonal block goes by strips of rows, top down: an update of the whole block would write above the diagonal.
    for (index_t row = first; row < last; row += strip) {
      index_t const end = std::min(row + strip, last);
      detail::factor_rows(be, a, {first, row}, {row, end});
      index_t const done = detail::factor_triangle(be, a, row, end);
      if (done < end) return done;
    }
    detail::factor_rows(be, a, {first, last}, {last, n});
  }
  return n;
}

}  // namespace sigmax::inline SIGMAX_ABI
