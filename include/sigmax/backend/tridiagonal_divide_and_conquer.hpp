// SPDX-License-Identifier: MIT
/// @file
/// All eigenvalues and eigenvectors of a symmetric tridiagonal matrix by divide and conquer.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/small_tridiagonal.hpp>
#include <sigmax/backend/tridiagonal_merge.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// Rows [first, first + n) of the problem, by halves down to 24 rows.
template <class B, class T>
void solve_part(tridiagonal_eigenproblem<B, T> const& p, index_t first, index_t n) {
  constexpr index_t small = 24;
  double* const d = p.d + first;
  if (n <= small) {
    alignas(64) double z[small * small];
    diagonalize_small(d, p.e + first, n, z, small);
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = 0; j < n; ++j) p.s(first + i, first + j) = static_cast<T>(z[i * small + j]);
      p.order[first + i] = i;
    }
    std::sort(p.order + first, p.order + first + n, [d](index_t i, index_t j) { return d[i] < d[j]; });
    return;
  }
  index_t const split = n / 2;
  double const coupling = p.e[first + split - 1];
  d[split - 1] -= std::fabs(coupling);
  d[split] -= std::fabs(coupling);
  solve_part(p, first, split);
  solve_part(p, first + split, n - split);
  merge_halves(p, first, split, n, coupling);
}

/// T = S^T diag(d) S for the tridiagonal T with diagonal d and e beside it, its norm near 1: d becomes the eigenvalues,
/// in no order, e is destroyed, row i of s the eigenvector of d_i, except that rows of eigenvalues <= lowest may hold
/// anything. s, packed: m x m, contiguous rows; packed is scratch.
///
/// 4/3 m^3 FLOPs in `on.multiply` or less (deflation), 10 m^2 divisions in registers. Backward stable, and S orthogonal
/// to c u, c growing with the number of halvings and the rounding errors of the products.
/// Takes m scratch_stride(m) scalars and 14 vectors from the workspace.
/// Source: Cuppen, Numer. Math. 36, 1981; Gu and Eisenstat, "A divide-and-conquer algorithm for the symmetric
/// tridiagonal eigenproblem", SIAM J. Matrix Anal. Appl. 16, 1995.
template <class B, register_scalar T>
void diagonalize_tridiagonal(B const& on, double* d, double* e, double lowest, matrix_view<T> s, matrix_view<T> packed,
                             workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = s.rows();
  index_t const padded = whole_registers<double>(m);
  auto const numbers = [&] { return frame.template vector<double>(padded).data(); };
  auto const indices = [&] { return frame.template vector<index_t>(m).data(); };
  double norm = 0;
  for (index_t i = 0; i < m; ++i) norm = std::fmax(norm, std::fabs(d[i]));
  for (index_t i = 0; i + 1 < m; ++i) norm = std::fmax(norm, std::fabs(e[i]));
  for (index_t i = 0; i < m; ++i) std::fill_n(s.row(i).data(), m, T(0));
  tridiagonal_eigenproblem<B, T> const problem{
      .on = on,
      .d = d,
      .e = e,
      .order = indices(),
      .s = s,
      .packed = packed,
      .vectors = frame.template vector<T>(m * scratch_stride<T>(m)).data(),
      .negligible = 4 * static_cast<double>(std::numeric_limits<T>::epsilon()) * norm,
      .lowest = lowest,
      .z = numbers(),
      .poles = numbers(),
      .squares = numbers(),
      .weights = numbers(),
      .packed_poles = numbers(),
      .packed_weights = numbers(),
      .values = numbers(),
      .sources = indices(),
      .places = indices(),
      .deflated = indices(),
      .supports = frame.template vector<support>(2 * m).data(),
      .roots = frame.template vector<secular_root>(m).data()};
  solve_part(problem, 0, m);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
