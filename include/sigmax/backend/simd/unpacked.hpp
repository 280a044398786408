// SPDX-License-Identifier: MIT
/// @file
/// The tile of the micro-kernel from operands that are not packed: a small product is sooner computed than packed.
#pragma once

#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/kernel.hpp>
#include <sigmax/backend/simd/product.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// One step: sums_ij += a_i b_j, where the rows of a are `stride` bytes apart and those of b side by side.
template <class T, class Arch, std::size_t Sums, std::size_t... i, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_unpacked(std::byte const* a, index_t stride, T const* b,
                                                       batch<T, Arch> (&sums)[Sums], std::index_sequence<i...>,
                                                       std::index_sequence<j...> columns) {
  batch<T, Arch> right[sizeof...(j)] = {load<T, Arch>(b + static_cast<index_t>(j) * lanes<T, Arch>)...};
  (hold(right[j]), ...);
  (accumulate_row<T, Arch>(reinterpret_cast<T const*>(a + static_cast<index_t>(i) * stride), right,
                           sums + i * sizeof...(j), columns),
   ...);
}

/// One row of the tile of p at (row, col), from its sums.
template <class T, class Arch, std::size_t... j>
[[gnu::always_inline]] inline void finish_unpacked(product<T> const& p, index_t row, index_t col,
                                                   batch<T, Arch> const* sums, std::index_sequence<j...>) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> const by_alpha(p.alpha), by_beta(p.beta);
  T* const r = &p.r(row, col);
  T const* const c = &p.addend()(row, col);
  (finish_register<T, Arch>(by_alpha, sums[j], p.beta, by_beta, c + static_cast<index_t>(j) * size,
                            r + static_cast<index_t>(j) * size),
   ...);
}

template <class T, class Arch, std::size_t Sums, std::size_t... i, class Columns>
[[gnu::always_inline]] inline void finish_unpacked(product<T> const& p, index_t row, index_t col,
                                                   batch<T, Arch> const (&sums)[Sums], std::index_sequence<i...>,
                                                   Columns columns) {
  (finish_unpacked<T, Arch>(p, row + static_cast<index_t>(i), col, sums + i * Columns::size(), columns), ...);
}

/// The tile of p at (row, col), tile_rows by Registers registers: the sums of `multiply_panels` and the epilogue of
/// `finish_rows`, so that packing changes no bit. In one kernel, since to store the sums in between takes a sixth longer
/// at 16 x 16. The rows of p.b lie side by side (row stride 1), r and c have contiguous rows.
template <class T, class Arch, std::size_t Registers>
[[gnu::flatten]] void multiply_unpacked(product<T> const& p, index_t row, index_t col) noexcept {
  constexpr std::make_index_sequence<tile_rows<T, Arch>> rows;
  constexpr std::make_index_sequence<Registers> columns;
  batch<T, Arch> sums[tile_rows<T, Arch> * Registers];
  clear<T, Arch>(sums, std::make_index_sequence<tile_rows<T, Arch> * Registers>{});
  // In bytes, as operands are: strides in elements would be divided for every tile, which small products feel.
  std::byte const* a = &p.a(row, 0);
  std::byte const* b = &p.b(col, 0);
  for (index_t k = 0; k < p.a.cols(); ++k, a += p.a.col_stride(), b += p.b.col_stride()) {
    accumulate_unpacked<T, Arch>(a, p.a.row_stride(), reinterpret_cast<T const*>(b), sums, rows, columns);
  }
  finish_unpacked<T, Arch>(p, row, col, sums, rows, columns);
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
