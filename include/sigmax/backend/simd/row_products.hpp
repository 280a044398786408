// SPDX-License-Identifier: MIT
/// @file
/// Inner products of a few contiguous rows with a few other contiguous rows: what products with a vector are made of.
#pragma once

#include <cstddef>
#include <utility>

#include <sigmax/backend/simd/contiguous_rows.hpp>
#include <sigmax/backend/simd/sixteen_bits.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// A register holds a stretch of one row and R x C registers accumulate the products of R rows with C rows. Each step
// loads R + C registers for R C multiply-adds; the lanes are summed once, at the end. Nothing has to be copied: products
// with a vector read a matrix once, so there is nothing a packed copy could be reused for.
//
// The arrays of registers are indexed by constants alone (hence the index sequences): only then do they become
// registers at -O2.

template <class T, class Arch, class S, std::size_t Cols, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_stretch(S const* left_row, batch<T, Arch> const (&right)[Cols],
                                                      batch<T, Arch>* sums, std::index_sequence<j...>) {
  auto const left = load<T, Arch>(left_row);
  ((sums[j] = multiply_add(left, right[j], sums[j])), ...);
}

/// One step: sums_ij += a_i[at..] * b_j[at..], lane by lane.
template <class T, class Arch, class S, std::size_t Sums, std::size_t... i, std::size_t... j>
[[gnu::always_inline]] inline void accumulate_stretches(S const* const* a, T const* const* b, index_t at,
                                                        batch<T, Arch> (&sums)[Sums], std::index_sequence<i...>,
                                                        std::index_sequence<j...> columns) {
  constexpr std::size_t count = sizeof...(j);
  batch<T, Arch> right[count] = {load<T, Arch>(b[j] + at)...};
  (hold(right[j]), ...);
  (accumulate_stretch<T, Arch>(a[i] + at, right, sums + i * count, columns), ...);
}

template <class T, class Arch, std::size_t Sums, std::size_t... group>
[[gnu::always_inline]] inline void fold_lanes(batch<T, Arch> const (&sums)[Sums], T* folded,
                                              std::index_sequence<group...>) {
  constexpr auto size = static_cast<std::size_t>(lanes<T, Arch>);
  (store_sums<T, Arch>(sums + group * size, folded + group * size), ...);
}

template <class T, class Arch, std::size_t Sums, std::size_t... t>
[[gnu::always_inline]] inline void clear_sums(batch<T, Arch> (&sums)[Sums], std::index_sequence<t...>) {
  ((sums[t] = batch<T, Arch>(T(0))), ...);
}

/// The stretches [at, length) of `count` rows, shorter than `size`, completed by zeros; `rows` then point at them.
template <class T, class S>
[[gnu::noinline]] void copy_tails(S const* const* from, index_t count, index_t at, index_t length, index_t size,
                                  T* tails, T const** rows) {
  for (index_t i = 0; i < count; ++i, tails += size) {
    for (index_t k = 0; k < size; ++k) tails[k] = at + k < length ? static_cast<T>(from[i][at + k]) : T(0);
    rows[i] = tails;
  }
}

/// sums[i * stride + j] += a_i . b_j over `length` elements for Rows rows a_i, of T or what loads as T, and Cols rows b_j; each row is
/// contiguous and nothing behind it is read.
template <class T, class Arch, std::size_t Rows, std::size_t Cols, class S>
[[gnu::flatten]] void add_row_products(S const* const* a, T const* const* b, index_t length, T* sums,
                                       index_t stride) noexcept {
  constexpr auto size = static_cast<std::size_t>(lanes<T, Arch>);
  constexpr std::size_t groups = (Rows * Cols + size - 1) / size;
  constexpr std::make_index_sequence<Rows> rows;
  constexpr std::make_index_sequence<Cols> cols;

  // The last, incomplete stretch of each row.
  T tails[(Rows + Cols) * size];
  T const* left[Rows];
  T const* right[Cols];
  index_t const whole = length - length % lanes<T, Arch>;
  if (whole < length) {
    copy_tails(a, Rows, whole, length, lanes<T, Arch>, tails, left);
    copy_tails(b, Cols, whole, length, lanes<T, Arch>, tails + Rows * size, right);
  }

  batch<T, Arch> accumulated[groups * size];
  clear_sums<T, Arch>(accumulated, std::make_index_sequence<groups * size>{});
  for (index_t at = 0; at < whole; at += lanes<T, Arch>)
    accumulate_stretches<T, Arch>(a, b, at, accumulated, rows, cols);
  if (whole < length) accumulate_stretches<T, Arch>(left, right, 0, accumulated, rows, cols);

  T folded[groups * size];
  fold_lanes<T, Arch>(accumulated, folded, std::make_index_sequence<groups>{});
  for (std::size_t i = 0; i < Rows; ++i) {
    for (std::size_t j = 0; j < Cols; ++j) {
      sums[static_cast<index_t>(i) * stride + static_cast<index_t>(j)] += folded[i * Cols + j];
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
