// SPDX-License-Identifier: MIT
/// @file
/// Products too small to be worth packing.
#pragma once

#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/kernel.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Operands of a tile where they lie: rows of a of any strides, rows of b and r that are columns of registers.
template <class T>
struct unpacked_tile {
  T const* a;
  index_t a_row_stride, a_col_stride;
  /// Element k of the rows of b, side by side; the next k is b_stride further.
  T const* b;
  index_t b_stride;
  index_t depth;
  T alpha, beta;
  T const* c;
  index_t c_stride;
  T* r;
  index_t r_stride;
};

template <class T, class Arch, std::size_t Sums, std::size_t... i, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_unpacked(T const* a, index_t a_row_stride, T const* b,
                                                       batch<T, Arch> (&sums)[Sums], std::index_sequence<i...>,
                                                       std::index_sequence<j...> columns) {
  constexpr auto size = static_cast<std::size_t>(lanes<T, Arch>);
  batch<T, Arch> right[sizeof...(j)] = {load<T, Arch>(b + j * size)...};
  (hold(right[j]), ...);
  (accumulate_row<T, Arch>(a + static_cast<index_t>(i) * a_row_stride, right, sums + i * sizeof...(j), columns), ...);
}

template <class T, class Arch, std::size_t Registers, std::size_t... j>
[[gnu::always_inline]] inline void finish_unpacked_row(unpacked_tile<T> const& t, index_t row,
                                                       batch<T, Arch> const* sums, std::index_sequence<j...>) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> const by_alpha(t.alpha), by_beta(t.beta);
  T* const r = t.r + row * t.r_stride;
  if (t.beta == T(0)) {
    (store(by_alpha * sums[j], r + static_cast<index_t>(j) * size), ...);
  } else {
    T const* const c = t.c + row * t.c_stride;
    (store(multiply_add(by_beta, load<T, Arch>(c + static_cast<index_t>(j) * size), by_alpha * sums[j]),
           r + static_cast<index_t>(j) * size),
     ...);
  }
}

template <class T, class Arch, std::size_t Registers, std::size_t Sums, std::size_t... i>
[[gnu::always_inline]] inline void finish_unpacked(unpacked_tile<T> const& t, batch<T, Arch> const (&sums)[Sums],
                                                   std::index_sequence<i...>) {
  (finish_unpacked_row<T, Arch, Registers>(t, static_cast<index_t>(i), sums + i * Registers,
                                           std::make_index_sequence<Registers>{}),
   ...);
}

/// r_ij = alpha sum_k a_ik b_jk + beta c_ij for tile_rows rows and Registers registers: the sums of `multiply_panels`, in
/// its order, and the epilogue of `finish_rows`, so that packing changes no bit.
template <class T, class Arch, std::size_t Registers>
[[gnu::flatten]] void multiply_unpacked(unpacked_tile<T> const& t) noexcept {
  constexpr std::make_index_sequence<tile_rows<T, Arch>> rows;
  batch<T, Arch> sums[tile_rows<T, Arch> * Registers];
  clear<T, Arch>(sums, std::make_index_sequence<tile_rows<T, Arch> * Registers>{});
  T const* a = t.a;
  T const* b = t.b;
  for (index_t k = 0; k < t.depth; ++k, a += t.a_col_stride, b += t.b_stride) {
    accumulate_unpacked<T, Arch>(a, t.a_row_stride, b, sums, rows, std::make_index_sequence<Registers>{});
  }
  finish_unpacked<T, Arch, Registers>(t, sums, rows);
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
