// SPDX-License-Identifier: MIT
/// @file
/// Transposition in registers.
#pragma once

#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// With V lanes, interleaving row i with row i + V/2 for all i moves the highest bit of the row number to the lowest of
// the position. log2(V) rounds of that exchange row and position: V log2(V) shuffles for V^2 elements.

template <class T, class Arch, std::size_t... i>
[[gnu::always_inline]] inline void interleave_round(batch<T, Arch> const* from, batch<T, Arch>* to,
                                                    std::index_sequence<i...>) {
  constexpr std::size_t half = sizeof...(i);
  ((to[2 * i] = interleave_low(from[i], from[i + half]), to[2 * i + 1] = interleave_high(from[i], from[i + half])),
   ...);
}

/// rows <- the transpose of the square matrix that they hold. `other` is scratch.
template <class T, class Arch, std::size_t Remaining = static_cast<std::size_t>(lanes<T, Arch>)>
[[gnu::always_inline]] inline void transpose_rounds(batch<T, Arch>* rows, batch<T, Arch>* other) {
  if constexpr (Remaining > 1) {
    interleave_round<T, Arch>(rows, other, std::make_index_sequence<static_cast<std::size_t>(lanes<T, Arch>) / 2>{});
    transpose_rounds<T, Arch, Remaining / 2>(other, rows);
  } else {
    (void)other;
  }
}

template <std::size_t Size>
inline constexpr bool has_odd_rounds = Size == 2 || Size == 8 || Size == 32;

/// to_j,i = from_i,j for a square of as many rows as a register has lanes; rows are contiguous, of T or what loads as T.
template <class T, class Arch, class S, std::size_t... i>
[[gnu::always_inline]] inline void transpose_square(S const* from, index_t from_stride, T* to, index_t to_stride,
                                                    std::index_sequence<i...>) {
  constexpr std::size_t size = sizeof...(i);
  batch<T, Arch> rows[size] = {load<T, Arch>(from + static_cast<index_t>(i) * from_stride)...};
  batch<T, Arch> other[size];
  transpose_rounds<T, Arch>(rows, other);
  auto const* const result = has_odd_rounds<size> ? other : rows;
  (store(result[i], to + static_cast<index_t>(i) * to_stride), ...);
}

template <class T, class Arch, class S>
[[gnu::always_inline]] inline void transpose_square(S const* from, index_t from_stride, T* to, index_t to_stride) {
  transpose_square<T, Arch>(from, from_stride, to, to_stride,
                            std::make_index_sequence<static_cast<std::size_t>(lanes<T, Arch>)>{});
}

/// to[j to_stride + i] = x(i, j) for contiguous rows of x.
template <class T, class Arch>
[[gnu::flatten]] void copy_transposed(matrix_view<T const> x, T* to, index_t to_stride) {
  constexpr index_t size = lanes<T, Arch>;
  index_t const stride = x.row_stride();
  index_t i = 0;
  for (; i + size <= x.rows(); i += size) {
    T const* const from = x.data() + i * stride;
    index_t j = 0;
    for (; j + size <= x.cols(); j += size)
      transpose_square<T, Arch>(from + j, stride, to + j * to_stride + i, to_stride);
    for (; j < x.cols(); ++j) {
      for (index_t k = 0; k < size; ++k) to[j * to_stride + i + k] = from[k * stride + j];
    }
  }
  for (; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) to[j * to_stride + i] = x.data()[i * stride + j];
  }
}

/// Copies the rows [first, last) of the strictly lower triangle of g to the upper one. g has contiguous rows; where
/// `diagonal_done`, whole blocks on the diagonal are left alone.
template <class T, class Arch>
[[gnu::flatten]] void mirror_rows(matrix_view<T> g, index_t first, index_t last, bool diagonal_done) {
  constexpr index_t size = lanes<T, Arch>;
  index_t const stride = g.row_stride();
  T* const data = g.data();
  index_t i = first;
  for (; i + size <= last; i += size) {
    index_t j = 0;
    for (; j + size <= i; j += size) {
      transpose_square<T, Arch>(data + i * stride + j, stride, data + j * stride + i, stride);
    }
    for (index_t row = diagonal_done ? i + size : i; row < i + size; ++row) {
      for (index_t k = j; k < row; ++k) data[k * stride + row] = data[row * stride + k];
    }
  }
  for (; i < last; ++i) {
    for (index_t j = 0; j < i; ++j) data[j * stride + i] = data[i * stride + j];
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
