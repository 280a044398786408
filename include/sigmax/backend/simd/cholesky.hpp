// SPDX-License-Identifier: MIT
/// @file
/// The Cholesky factorisation, by halves.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/simd/block.hpp>
#include <sigmax/backend/simd/triangular.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// Order of the blocks that are factored in one piece.
inline constexpr index_t factor_rows = 64;

/// target[first..] -= factor source[first..], whole registers from the one on that holds `first`.
template <class T, class Arch>
[[gnu::always_inline]] inline void subtract_row(T factor, T const* source, index_t first, T* target) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> const by(-factor);
  for (index_t j = first / size * size; j < factor_rows; j += size) {
    store(multiply_add(by, load<T, Arch>(source + j), load<T, Arch>(target + j)), target + j);
  }
}

/// a = L L^T for at most factor_rows rows, on a copy of L^T, whose rows are columns of L. Right-looking: each pivot's
/// products are subtracted from all that is left, in order. @return as backend::cholesky.
template <class T, class Arch>
[[gnu::flatten]] index_t factor_block(matrix_view<T> a) {
  alignas(64) T upper[factor_rows * factor_rows] = {};
  index_t const n = a.rows();
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j <= i; ++j) upper[j * factor_rows + i] = a(i, j);
  }
  index_t done = 0;
  for (; done < n; ++done) {
    T* const row = upper + done * factor_rows;
    T const pivot = row[done];
    if (!(pivot > T(0)) || !(pivot <= std::numeric_limits<T>::max())) break;
    T const root = std::sqrt(pivot);
    for (index_t j = done + 1; j < n; ++j) row[j] = row[j] / root;
    row[done] = root;
    for (index_t i = done + 1; i < n; ++i) subtract_row<T, Arch>(row[i], row, i, upper + i * factor_rows);
  }
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j <= i && j < done; ++j) a(i, j) = upper[j * factor_rows + i];
  }
  return done;
}

/// a = L L^T in place: the first half of the columns is factored, the products of its rows are subtracted from the second
/// half's triangle, which is factored next. Reads and writes the lower triangle only. n^3 / 3 FLOPs, all but a share of
/// about factor_rows / n in products of the micro-kernel.
///
/// Each l_ij is (a_ij - sum of its products in some order) / l_jj, so that L L^T = A + E with |E| <= gamma_{n+1} |L||L^T|
/// (Higham, Accuracy and Stability, 10.3).
/// @return n on success; else the first k whose pivot is not a positive finite number (NaN included). Then rows 0..k-1
///         of the lower triangle and the first k elements of row k hold the factor.
template <class T, class Arch, class B>
index_t factor_by_halves(B const& be, matrix_view<T> a) {
  index_t const n = a.rows();
  if (n <= factor_rows) return factor_block<T, Arch>(a);
  index_t const half = (n / 2 + factor_rows - 1) / factor_rows * factor_rows;
  index_t const rest = n - half;
  auto const top = a.block(0, 0, half, half);
  auto const left = a.block(half, 0, rest, half);
  auto const bottom = a.block(half, half, rest, rest);
  index_t const done = factor_by_halves<T, Arch>(be, top);
  // A failure at row k promises nothing of the rows below, so they need not be finished.
  if (done < half) return done;
  solve_by_halves<T, Arch>(be, top, left.transposed());
  multiply_in_parallel<T>(tiling_of<T, Arch>, {T(-1), as_operand(left), as_operand(left), T(1), bottom, bottom, 0},
                          be.workers(), be.scratch());
  return half + factor_by_halves<T, Arch>(be, bottom);
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
