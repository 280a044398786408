// SPDX-License-Identifier: MIT
/// @file
/// The product of a symmetric matrix and a vector in one sweep over one triangle.
#pragma once

#include <sigmax/backend/short_vector.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// Four rows of a, four elements of x, and the sums of products of the rows with all of x.
template <register_scalar T>
struct four_rows {
  T const* rows;
  index_t stride;
  short_vector<T> x0, x1, x2, x3;
  short_vector<T> sum0{}, sum1{}, sum2{}, sum3{};

  /// The register at column j, its first `count` elements only: y_j += sum_r a_rj x_r, sum_r += a_rj x_j.
  template <bool Whole>
  [[gnu::always_inline]] void add(index_t j, index_t count, T const* x, T* y) {
    auto const part = [count](short_vector<T> const& value) { return Whole ? value : first_elements<T>(value, count); };
    auto const a0 = part(load_short(rows + j));
    auto const a1 = part(load_short(rows + stride + j));
    auto const a2 = part(load_short(rows + 2 * stride + j));
    auto const a3 = part(load_short(rows + 3 * stride + j));
    auto const xj = part(load_short(x + j));
    sum0 += a0 * xj;
    sum1 += a1 * xj;
    sum2 += a2 * xj;
    sum3 += a3 * xj;
    auto yj = load_short(y + j);
    yj += a0 * x0;
    yj += a1 * x1;
    yj += a2 * x2;
    yj += a3 * x3;
    store_short<T>(yj, y + j);
  }
};

/// y = A x for the symmetric A whose lower triangle is that of a (n x n, contiguous rows); no value above the diagonal
/// is used. x, y: n contiguous scalars. Rows, x and y extend to whole registers: what stands there is loaded, and
/// the end of y is overwritten. 2 n^2 FLOPs on n^2 / 2 elements, each read once: four rows at a time give four elements
/// of y and, as columns, their share of those before.
template <register_scalar T>
[[gnu::noinline]] void symmetric_times_vector(matrix_view<T const> a, T const* x, T* y) {
  index_t const n = a.rows();
  index_t i = 0;
  for (; i + 4 <= n; i += 4) {
    T const* const rows = a.data() + i * a.row_stride();
    four_rows<T> four{
        rows, a.row_stride(), broadcast(x[i]), broadcast(x[i + 1]), broadcast(x[i + 2]), broadcast(x[i + 3])};
    index_t j = 0;
    for (; j + short_size<T> <= i; j += short_size<T>) four.template add<true>(j, 0, x, y);
    if (j < i) four.template add<false>(j, i - j, x, y);
    T sums[4] = {sum_of<T>(four.sum0), sum_of<T>(four.sum1), sum_of<T>(four.sum2), sum_of<T>(four.sum3)};
    for (index_t r = 0; r < 4; ++r) {
      T const* const row = rows + r * a.row_stride() + i;
      for (index_t c = 0; c < r; ++c) {
        sums[r] += row[c] * x[i + c];
        sums[c] += row[c] * x[i + r];
      }
      sums[r] += row[r] * x[i + r];
    }
    for (index_t r = 0; r < 4; ++r) y[i + r] = sums[r];
  }
  for (; i < n; ++i) {
    T const* const row = a.data() + i * a.row_stride();
    T sum = row[i] * x[i];
    for (index_t j = 0; j < i; ++j) {
      sum += row[j] * x[j];
      y[j] += row[j] * x[i];
    }
    y[i] = sum;
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
