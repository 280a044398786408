// SPDX-License-Identifier: MIT
/// @file
/// r = alpha a b^T + beta c by blocks: what gram, symmetric_product, multiply and times_vector are made of.
#pragma once

#include <algorithm>
#include <cstddef>

#include <sigmax/backend/simd/kernel.hpp>
#include <sigmax/backend/simd/pack.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Which elements of a product are computed.
enum class part {
  all,
  lower,  ///< the lower triangle, copied to the upper one
};

// Block sizes, in elements: a panel of b (24 rows) and a tile of a share the first-level cache (32 KiB), the sums of a
// block stay in the second. Together the three buffers take less than 64 KiB of stack. The depth is the same whether
// rows are copied or not, so that the bits of a result do not depend on the strides of its operands.
template <class T>
inline constexpr index_t panel_depth = 1024 / static_cast<index_t>(sizeof(T));
inline constexpr index_t panel_cols = 24;
template <class T>
inline constexpr index_t block_rows = 960 / static_cast<index_t>(sizeof(T));

/// No tile has more rows or columns.
inline constexpr index_t tallest_tile = 8;

/// Pointers to `wanted` rows of the panel from `first` on; a row beyond the last one is the last one again. Its sums are
/// computed and never read, which costs less than kernels for every remainder.
template <class T>
void point_at_rows(T const** rows, index_t wanted, row_panel<T> panel, index_t first, index_t count) {
  index_t const there = std::min(wanted, count - first);
  for (index_t i = 0; i < there; ++i) rows[i] = panel.row(first + i);
  for (index_t i = there; i < wanted; ++i) rows[i] = rows[there - 1];
}

/// How rows are multiplied with rows: the kernel of a tile of rows x cols sums, for panels of `panel_cols` rows of b.
template <class T>
struct tiling {
  index_t rows;
  index_t cols;
  index_t panel_cols;
  void (*add_products)(T const* const* a, T const* const* b, index_t length, T* sums, index_t stride) noexcept;
};

/// Matrices are multiplied by the largest tile, a matrix and one vector by a column of eight.
template <class T, class Arch>
inline constexpr tiling<T> matrix_tiling = {tile_rows<T, Arch>, tile_cols<T, Arch>, panel_cols,
                                            add_row_products<T, Arch, tile_rows<T, Arch>, tile_cols<T, Arch>>};
template <class T, class Arch>
inline constexpr tiling<T> vector_tiling = {8, 1, 1, add_row_products<T, Arch, 8, 1>};

/// r = alpha a b^T + beta c. a: m x k, b: n x k, c, r: m x n; c may be r, and is not read if beta is 0.
/// Each entry is a sum of its k products, partial sums over `panel_depth` products added in order; alpha and beta act
/// on the complete sum. 2 m n k FLOPs, half of it for part::lower. Nothing is allocated.
template <class T>
void multiply_rows(T alpha, matrix_view<T const> a, matrix_view<T const> b, T beta, matrix_view<T const> c,
                   matrix_view<T> r, part wanted, tiling<T> const& tile) {
  constexpr index_t depth = panel_depth<T>;
  index_t const width = tile.panel_cols;
  alignas(64) T sums[block_rows<T> * panel_cols];
  alignas(64) T left_copy[tallest_tile * depth];
  alignas(64) T right_copy[panel_cols * depth];
  T const* left_rows[tallest_tile];
  T const* right_rows[tallest_tile];
  bool const lower = wanted == part::lower;

  for (index_t first_col = 0; first_col < r.cols(); first_col += width) {
    index_t const cols = std::min(width, r.cols() - first_col);
    for (index_t first_row = lower ? first_col : 0; first_row < r.rows(); first_row += block_rows<T>) {
      index_t const rows = std::min(block_rows<T>, r.rows() - first_row);
      std::fill_n(sums, (rows + tile.rows - 1) / tile.rows * tile.rows * width, T(0));

      for (index_t k = 0; k < a.cols(); k += depth) {
        index_t const length = std::min(depth, a.cols() - k);
        auto const right = contiguous_rows<T>(b.block(first_col, k, cols, length), right_copy, depth);
        for (index_t i = 0; i < rows; i += tile.rows) {
          index_t const height = std::min(tile.rows, rows - i);
          auto const left = contiguous_rows<T>(a.block(first_row + i, k, height, length), left_copy, depth);
          point_at_rows(left_rows, tile.rows, left, 0, height);
          index_t const needed = lower ? std::min(cols, first_row + i + height - first_col) : cols;
          for (index_t j = 0; j < needed; j += tile.cols) {
            point_at_rows(right_rows, tile.cols, right, j, cols);
            tile.add_products(left_rows, right_rows, length, sums + i * width + j, width);
          }
        }
      }

      for (index_t i = 0; i < rows; ++i) {
        index_t const needed = lower ? std::min(cols, first_row + i + 1 - first_col) : cols;
        for (index_t j = 0; j < needed; ++j) {
          T const product = alpha * sums[i * width + j];
          r(first_row + i, first_col + j) =
              beta == T(0) ? product : multiply_add(beta, c(first_row + i, first_col + j), product);
        }
      }
      if (!lower) continue;
      for (index_t j = 0; j < cols; ++j) {
        for (index_t i = std::max(index_t{0}, first_col + j - first_row); i < rows; ++i) {
          r(first_col + j, first_row + i) = r(first_row + i, first_col + j);
        }
      }
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
