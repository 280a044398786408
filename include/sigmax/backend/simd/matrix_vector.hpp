// SPDX-License-Identifier: MIT
/// @file
/// Products of a matrix with a vector: memory-bound, so each element of the matrix is read once, along its storage.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/contiguous_rows.hpp>
#include <sigmax/backend/simd/reduction.hpp>
#include <sigmax/backend/simd/row_products.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// Matrices hold T or what loads as T, which is S.

template <class T, class Arch, class S, std::size_t Count, std::size_t... i>
[[gnu::always_inline]] inline void add_scaled_rows(T const (&factors)[Count], S const* const (&rows)[Count],
                                                   index_t length, index_t ahead, T* y, std::index_sequence<i...>) {
  batch<T, Arch> const factor[Count] = {batch<T, Arch>(factors[i])...};
  index_t at = 0;
  for (; at + lanes<T, Arch> <= length; at += lanes<T, Arch>) {
    if (ahead != 0) (__builtin_prefetch(rows[i] + at + ahead, 0, 2), ...);
    auto sums = load<T, Arch>(y + at);
    ((sums = multiply_add(factor[i], load<T, Arch>(rows[i] + at), sums)), ...);
    store(sums, y + at);
  }
  for (; at < length; ++at) ((y[at] = multiply_add(factors[i], static_cast<T>(rows[i][at]), y[at])), ...);
}

/// y += sum_i factors_i rows_i for contiguous rows; one pass over y for all of them. What lies `ahead` elements further, if
/// that is not 0, is fetched into the second-level cache meanwhile.
template <class T, class Arch, class S, std::size_t Count>
[[gnu::flatten]] void add_scaled_rows(T const (&factors)[Count], S const* const (&rows)[Count], index_t length, T* y,
                                      index_t ahead = 0) {
  add_scaled_rows<T, Arch>(factors, rows, length, ahead, y, std::make_index_sequence<Count>{});
}

/// How many rows share one pass over the vector they are added to.
inline constexpr index_t rows_at_once = 4;

/// y = alpha a x + beta c. a: m x n with contiguous columns; c may be y, and is not read if beta is 0.
template <class T, class Arch, class S>
void combine_columns(T alpha, matrix_view<S const> a, vector_view<T const> x, T beta, vector_view<T const> c,
                     vector_view<T> y) {
  constexpr index_t block = 1024;
  alignas(64) T sums[block];
  for (index_t first = 0; first < a.rows(); first += block) {
    index_t const rows = std::min(block, a.rows() - first);
    S const* const top = a.data() + first;
    std::fill_n(sums, rows, T(0));
    index_t j = 0;
    for (; j + rows_at_once <= a.cols(); j += rows_at_once) {
      T factors[rows_at_once];
      S const* columns[rows_at_once];
      for (index_t i = 0; i < rows_at_once; ++i) {
        factors[i] = x[j + i];
        columns[i] = top + (j + i) * a.col_stride();
      }
      add_scaled_rows<T, Arch, S>(factors, columns, rows, sums);
    }
    for (; j < a.cols(); ++j) add_scaled_rows<T, Arch, S, 1>({x[j]}, {top + j * a.col_stride()}, rows, sums);
    for (index_t i = 0; i < rows; ++i) {
      T const product = alpha * sums[i];
      y[first + i] = beta == T(0) ? product : multiply_add(beta, c[first + i], product);
    }
  }
}

/// Rows that are multiplied with a vector at once, and the length of the pieces that are copied where rows are not
/// contiguous. The length is the same where nothing is copied, so that bits do not depend on strides.
inline constexpr index_t vector_rows = 8;
template <class T>
inline constexpr index_t vector_depth = 1024 / static_cast<index_t>(sizeof(T));

/// sums_i = a_i . x for the at most `vector_rows` rows of a, any strides.
template <class T, class Arch, class S>
void multiply_few_rows(matrix_view<S const> a, vector_view<T const> x, T (&sums)[vector_rows]) {
  constexpr index_t depth = vector_depth<T>;
  alignas(64) S left_copy[vector_rows * depth];
  alignas(64) T right_copy[depth];
  S const* left_rows[vector_rows];
  std::fill_n(sums, vector_rows, T(0));
  for (index_t k = 0; k < a.cols(); k += depth) {
    index_t const length = std::min(depth, a.cols() - k);
    auto const left = contiguous_rows<S>(a.block(0, k, a.rows(), length), left_copy, depth);
    point_at_rows(left_rows, vector_rows, left, 0, a.rows());
    auto const x_row = matrix_view<T const>::unchecked(x.data() + k * x.stride(), 1, length, 0, x.stride());
    T const* const right = contiguous_rows<T>(x_row, right_copy, depth).data;
    add_row_products<T, Arch, vector_rows, 1>(left_rows, &right, length, sums, 1);
  }
}

/// y = alpha a x + beta c for any strides. a: m x n; c may be y, and is not read if beta is 0. 2 m n FLOPs.
template <class T, class Arch, class S>
void multiply_vector(T alpha, matrix_view<S const> a, vector_view<T const> x, T beta, vector_view<T const> c,
                     vector_view<T> y) {
  if (a.row_stride() == 1 && !has_contiguous_rows(a)) return combine_columns<T, Arch>(alpha, a, x, beta, c, y);
  for (index_t first = 0; first < a.rows(); first += vector_rows) {
    index_t const rows = std::min(vector_rows, a.rows() - first);
    T sums[vector_rows];
    multiply_few_rows<T, Arch>(a.block(first, 0, rows, a.cols()), x, sums);
    for (index_t i = 0; i < rows; ++i) {
      T const product = alpha * sums[i];
      y[first + i] = beta == T(0) ? product : multiply_add(beta, c[first + i], product);
    }
  }
}

/// y = x^T (x v) for contiguous rows, v and y: each group of rows is multiplied with v and, still in the cache, added.
template <class T, class Arch, class S>
void gram_times_vector_by_rows(matrix_view<S const> x, T const* v, T* y) {
  std::fill_n(y, x.cols(), T(0));
  for (index_t first = 0; first < x.rows(); first += rows_at_once) {
    index_t const count = std::min(rows_at_once, x.rows() - first);
    S const* rows[rows_at_once];
    point_at_rows<S>(rows, rows_at_once, {x.data(), x.row_stride()}, first, x.rows());
    T factors[rows_at_once] = {};
    add_row_products<T, Arch, rows_at_once, 1>(rows, &v, x.cols(), factors, 1);
    if (count == rows_at_once) {
      // The memory would be idle while these rows are added from the cache: it fetches the next ones.
      index_t const ahead = first + 2 * rows_at_once <= x.rows() ? rows_at_once * x.row_stride() : 0;
      add_scaled_rows<T, Arch, S>(factors, rows, x.cols(), y, ahead);
    } else {
      for (index_t i = 0; i < count; ++i) add_scaled_rows<T, Arch, S, 1>({factors[i]}, {rows[i]}, x.cols(), y);
    }
  }
}

/// y = x^T (x v) for contiguous columns: by slices of a few cache lines of each column, which the second-level cache
/// keeps between the two products.
template <class T, class Arch, class S>
void gram_times_vector_by_columns(matrix_view<S const> x, vector_view<T const> v, vector_view<T> y) {
  constexpr index_t slice = 256 / static_cast<index_t>(sizeof(T));
  constexpr index_t columns_at_once = 8;
  alignas(64) T product[slice];
  for (index_t j = 0; j < x.cols(); ++j) y[j] = T(0);
  for (index_t first = 0; first < x.rows(); first += slice) {
    auto const part_of_x = x.block(first, 0, std::min(slice, x.rows() - first), x.cols());
    auto const u = vector_view<T>::unchecked(product, part_of_x.rows(), 1);
    combine_columns<T, Arch>(T(1), part_of_x, v, T(0), u, u);
    for (index_t j = 0; j < x.cols(); j += columns_at_once) {
      index_t const count = std::min(columns_at_once, x.cols() - j);
      S const* columns[columns_at_once];
      point_at_rows<S>(columns, columns_at_once, {part_of_x.data(), x.col_stride()}, j, j + count);
      T sums[columns_at_once] = {};
      T const* const factors = product;
      add_row_products<T, Arch, columns_at_once, 1>(columns, &factors, u.size(), sums, 1);
      for (index_t i = 0; i < count; ++i) y[j + i] += sums[i];
    }
  }
}

/// y = x^T (x v) for any strides, element by element.
template <class T, class S>
void gram_times_vector_by_elements(matrix_view<S const> x, vector_view<T const> v, vector_view<T> y) {
  for (index_t j = 0; j < x.cols(); ++j) y[j] = T(0);
  for (index_t i = 0; i < x.rows(); ++i) {
    T const factor = dot(x.row(i), v);
    for (index_t j = 0; j < x.cols(); ++j) y[j] = multiply_add(factor, static_cast<T>(x(i, j)), y[j]);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
