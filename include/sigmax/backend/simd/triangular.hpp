// SPDX-License-Identifier: MIT
/// @file
/// Substitution with a small triangular block for many right-hand sides at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/contiguous_rows.hpp>
#include <sigmax/backend/simd/transpose.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Rows of the triangular blocks; the rest of a solve is products.
inline constexpr index_t triangle_rows = 32;

/// Registers side by side in a row of right-hand sides.
inline constexpr std::size_t solve_registers = 8;
template <class T, class Arch>
inline constexpr index_t solve_width = static_cast<index_t>(solve_registers) * lanes<T, Arch>;

template <class T, class Arch, std::size_t... j>
[[gnu::always_inline]] inline void substitute(matrix_view<T const> l, T* panel, std::index_sequence<j...>) {
  constexpr auto size = static_cast<std::size_t>(lanes<T, Arch>);
  for (index_t i = 0; i < l.rows(); ++i) {
    T* const target = panel + i * solve_width<T, Arch>;
    batch<T, Arch> row[solve_registers] = {load<T, Arch>(target + j * size)...};
    for (index_t k = 0; k < i; ++k) {
      T const* const known = panel + k * solve_width<T, Arch>;
      batch<T, Arch> const factor(-l(i, k));
      ((row[j] = multiply_add(factor, load<T, Arch>(known + j * size), row[j])), ...);
    }
    batch<T, Arch> const diagonal(l(i, i));
    (store(row[j] / diagonal, target + j * size), ...);
  }
}

/// panel = l^-1 panel for a contiguous panel of l.rows() x solve_width. Products are subtracted in order, then divided.
template <class T, class Arch>
[[gnu::flatten]] void substitute(matrix_view<T const> l, T* panel) {
  substitute<T, Arch>(l, panel, std::make_index_sequence<solve_registers>{});
}

/// b = l^-1 b for at most `triangle_rows` rows and any strides, by copies of `solve_width` columns of b.
template <class T, class Arch>
void solve_triangle(matrix_view<T const> l, matrix_view<T> b) {
  constexpr index_t width = solve_width<T, Arch>;
  alignas(64) T panel[triangle_rows * width];
  for (index_t first = 0; first < b.cols(); first += width) {
    index_t const cols = std::min(width, b.cols() - first);
    if (cols < width) std::fill_n(panel, b.rows() * width, T(0));
    auto const slice = b.block(0, first, b.rows(), cols);
    auto const copy = matrix_view<T>::unchecked(panel, b.rows(), cols, width, 1);
    bool const by_columns = slice.row_stride() == 1 && slice.col_stride() != 1;
    if (by_columns) {
      copy_transposed<T, Arch>(slice.transposed(), panel, width);
    } else {
      copy_all_rows<T>(slice, panel, width);
    }
    substitute<T, Arch>(l, panel);
    if (by_columns) {
      copy_transposed<T, Arch>(copy, slice.data(), slice.col_stride());
    } else {
      for (index_t i = 0; i < b.rows(); ++i) {
        for (index_t j = 0; j < cols; ++j) slice(i, j) = copy(i, j);
      }
    }
  }
}

/// b = l^-1 b for any l, halved until `solve_triangle` takes it: all but a share of triangle_rows / n of the n^2 k FLOPs
/// are in `be.multiply`.
template <class T, class Arch, class B>
void solve_by_halves(B const& be, matrix_view<T const> l, matrix_view<T> b) {
  index_t const n = l.rows();
  if (n <= triangle_rows) return solve_triangle<T, Arch>(l, b);
  index_t const half = (n / 2 + triangle_rows - 1) / triangle_rows * triangle_rows;
  auto const top = b.block(0, 0, half, b.cols());
  auto const bottom = b.block(half, 0, n - half, b.cols());
  solve_by_halves<T, Arch>(be, l.block(0, 0, half, half), top);
  be.multiply(T(-1), l.block(half, 0, n - half, half), top, T(1), bottom, bottom);
  solve_by_halves<T, Arch>(be, l.block(half, half, n - half, n - half), bottom);
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
