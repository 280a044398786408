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

/// Pointers to rows first .. first + Count - 1 of the panel; a row beyond the last one is the last one again. Its sums
/// are computed and never read, which costs less than kernels for every remainder.
template <class T, std::size_t Count>
[[gnu::always_inline]] inline void point_at_rows(T const* (&rows)[Count], row_panel<T> panel, index_t first,
                                                 index_t count) {
  for (std::size_t i = 0; i < Count; ++i) rows[i] = panel.row(std::min(first + static_cast<index_t>(i), count - 1));
}

/// r = alpha a b^T + beta c. a: m x k, b: n x k, c, r: m x n; c may be r, and is not read if beta is 0.
/// Each entry is a sum of its k products, partial sums over `panel_depth` products added in order; alpha and beta act
/// on the complete sum. 2 m n k FLOPs, half of it for part::lower. Nothing is allocated.
template <class T, class Arch, std::size_t TileRows, std::size_t TileCols>
void multiply_rows(T alpha, matrix_view<T const> a, matrix_view<T const> b, T beta, matrix_view<T const> c,
                   matrix_view<T> r, part wanted) {
  constexpr index_t depth = panel_depth<T>;
  constexpr auto tile_height = static_cast<index_t>(TileRows);
  constexpr auto tile_width = static_cast<index_t>(TileCols);
  constexpr index_t width = TileCols == 1 ? 1 : panel_cols;
  static_assert(block_rows<T> % tile_height == 0 && width % tile_width == 0);
  alignas(64) T sums[block_rows<T> * width];
  alignas(64) T left_copy[tile_height * depth];
  alignas(64) T right_copy[width * depth];
  bool const lower = wanted == part::lower;

  for (index_t first_col = 0; first_col < r.cols(); first_col += width) {
    index_t const cols = std::min(width, r.cols() - first_col);
    for (index_t first_row = lower ? first_col : 0; first_row < r.rows(); first_row += block_rows<T>) {
      index_t const rows = std::min(block_rows<T>, r.rows() - first_row);
      std::fill_n(sums, (rows + tile_height - 1) / tile_height * tile_height * width, T(0));

      for (index_t k = 0; k < a.cols(); k += depth) {
        index_t const length = std::min(depth, a.cols() - k);
        auto const right = contiguous_rows<T>(b.block(first_col, k, cols, length), right_copy, depth);
        for (index_t i = 0; i < rows; i += tile_height) {
          index_t const height = std::min(tile_height, rows - i);
          auto const left = contiguous_rows<T>(a.block(first_row + i, k, height, length), left_copy, depth);
          T const* left_rows[TileRows];
          point_at_rows(left_rows, left, 0, height);
          index_t const needed = lower ? std::min(cols, first_row + i + height - first_col) : cols;
          for (index_t j = 0; j < needed; j += tile_width) {
            T const* right_rows[TileCols];
            point_at_rows(right_rows, right, j, cols);
            add_row_products<T, Arch>(left_rows, right_rows, length, sums + i * width + j, width);
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
