// SPDX-License-Identifier: MIT
/// @file
/// Rows as products with vectors want them: contiguous, where they are or in a copy.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Contiguous rows: row i begins at data + i * stride.
template <class T>
struct row_panel {
  T const* data;
  index_t stride;

  T const* row(index_t i) const { return data + i * stride; }
};

template <class T>
bool has_contiguous_rows(matrix_view<T> x) {
  return x.col_stride() == 1 || x.cols() <= 1;
}

/// Copies as many groups of Width rows as there are and returns how many rows that was. A group is read side by side,
/// because what is not contiguous along its rows mostly is along its columns.
template <index_t Width, class T>
index_t copy_rows(matrix_view<T const> x, index_t first, T* buffer, index_t stride) {
  for (; first + Width <= x.rows(); first += Width) {
    T const* from = x.data() + first * x.row_stride();
    T* to = buffer + first * stride;
    for (index_t k = 0; k < x.cols(); ++k, from += x.col_stride(), ++to) {
      for (index_t i = 0; i < Width; ++i) to[i * stride] = from[i * x.row_stride()];
    }
  }
  return first;
}

template <class T>
void copy_all_rows(matrix_view<T const> x, T* buffer, index_t stride) {
  index_t copied = copy_rows<8>(x, 0, buffer, stride);
  copied = copy_rows<4>(x, copied, buffer, stride);
  copy_rows<1>(x, copied, buffer, stride);
}

/// The rows of x where they are if they are contiguous, else copied into `buffer`, `stride` elements apart.
template <class T>
row_panel<T> contiguous_rows(matrix_view<T const> x, T* buffer, index_t stride) {
  if (has_contiguous_rows(x)) return {x.data(), x.row_stride()};
  copy_all_rows(x, buffer, stride);
  return {buffer, stride};
}

/// Pointers to `wanted` rows of the panel from `first` on; a row beyond the last one is the last one again. Its sums are
/// computed and never read, which costs less than kernels for every remainder.
template <class T>
void point_at_rows(T const** rows, index_t wanted, row_panel<T> panel, index_t first, index_t count) {
  index_t const there = wanted < count - first ? wanted : count - first;
  for (index_t i = 0; i < there; ++i) rows[i] = panel.row(first + i);
  for (index_t i = there; i < wanted; ++i) rows[i] = rows[there - 1];
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
