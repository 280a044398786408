// SPDX-License-Identifier: MIT
/// @file
/// The one micro-kernel of the products: a tile of inner products from two packed operands.
#pragma once

#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// Every matrix product of sigmax is r_ij = sum_k a_ik b_jk: rows times rows. Both operands lie in the format of
// pack.hpp, panels of as many rows as a register has lanes, element k of all its rows side by side. One step of k reads
// up to three registers of b (48 rows of floats for AVX-512), and broadcasts one element of a after the other against
// them: R rows of a take 3 + R loads for 3 R multiply-adds. Each sum stays in its own lane from the first k to the last,
// so it is added up in the order of k, whatever the tile.
//
// The arrays of registers are indexed by constants alone (hence the index sequences): only then do they become
// registers at -O2.

/// Rows of a tile. With three columns of registers they fill 12 of 16 registers, or 24 of 32.
template <class T, class Arch>
inline constexpr std::size_t tile_rows = registers<Arch> >= 32 ? 8 : 4;

/// Most registers side by side in a row of a tile.
inline constexpr std::size_t tile_registers = 3;

template <class T, class Arch, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_row(T const* element, batch<T, Arch> const* right, batch<T, Arch>* sums,
                                                  std::index_sequence<j...>) {
  batch<T, Arch> left(*element);
  hold(left);
  ((sums[j] = multiply_add(left, right[j], sums[j])), ...);
}

/// One step: sums_ij += a_i b_j for the rows i of a tile.
template <class T, class Arch, std::size_t Sums, std::size_t... i, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_tile(T const* a, T const* b, std::size_t panel,
                                                   batch<T, Arch> (&sums)[Sums], std::index_sequence<i...>,
                                                   std::index_sequence<j...> columns) {
  constexpr auto size = static_cast<std::size_t>(lanes<T, Arch>);
  batch<T, Arch> right[sizeof...(j)] = {load<T, Arch>(b + j * panel)...};
  (hold(right[j]), ...);
  (accumulate_row<T, Arch>(a + (i / size) * panel + i % size, right, sums + i * sizeof...(j), columns), ...);
}

template <class T, class Arch, std::size_t Sums, std::size_t... t>
[[gnu::always_inline]] inline void clear(batch<T, Arch> (&sums)[Sums], std::index_sequence<t...>) {
  ((sums[t] = batch<T, Arch>(T(0))), ...);
}

template <class T, class Arch, std::size_t Sums, std::size_t... t>
[[gnu::always_inline]] inline void store_all(batch<T, Arch> const (&sums)[Sums], T* to, std::index_sequence<t...>) {
  (store(sums[t], to + t * static_cast<std::size_t>(lanes<T, Arch>)), ...);
}

/// sums_ij = sum over k < depth of a_ik b_jk for tile_rows rows of a and Registers panels of b; row-major.
/// `a` is the address of its first row's first element in its panel; panels are `depth` steps long.
template <class T, class Arch, std::size_t Registers>
[[gnu::flatten]] void multiply_panels(T const* a, T const* b, index_t depth, T* sums) noexcept {
  constexpr index_t size = lanes<T, Arch>;
  constexpr std::make_index_sequence<tile_rows<T, Arch>> rows;
  constexpr std::make_index_sequence<Registers> columns;
  constexpr std::make_index_sequence<tile_rows<T, Arch> * Registers> all;
  auto const panel = static_cast<std::size_t>(depth * size);
  batch<T, Arch> accumulated[tile_rows<T, Arch> * Registers];
  clear<T, Arch>(accumulated, all);
  for (T const* const end = b + panel; b != end; a += size, b += size) {
    accumulate_tile<T, Arch>(a, b, panel, accumulated, rows, columns);
  }
  store_all<T, Arch>(accumulated, sums, all);
}

/// r = alpha sums + beta c for one register; c is not read if beta is 0, and may be r.
template <class T, class Arch>
[[gnu::always_inline]] inline void finish_register(batch<T, Arch> const& alpha, batch<T, Arch> const& sums, T beta,
                                                   batch<T, Arch> const& by_beta, T const* c, T* r) {
  auto const product = alpha * sums;
  store(beta == T(0) ? product : multiply_add(by_beta, load<T, Arch>(c), product), r);
}

/// The same for `rows` rows of `width` elements, whole registers.
template <class T, class Arch>
[[gnu::flatten]] void finish_rows(T alpha, T const* sums, index_t width, T beta, T const* c, index_t c_stride, T* r,
                                  index_t r_stride, index_t rows) noexcept {
  batch<T, Arch> const by_alpha(alpha), by_beta(beta);
  for (index_t i = 0; i < rows; ++i, sums += width, c += c_stride, r += r_stride) {
    for (index_t j = 0; j < width; j += lanes<T, Arch>) {
      finish_register<T, Arch>(by_alpha, load<T, Arch>(sums + j), beta, by_beta, c + j, r + j);
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
