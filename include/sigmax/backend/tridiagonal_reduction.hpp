// SPDX-License-Identifier: MIT
/// @file
/// Reduction of a symmetric matrix to tridiagonal form by blocks of reflections.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/symmetric_times_vector.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// v with v_last = 1 and (I - tau v v^T) x = beta e_last; returns beta and writes tau. Where all elements but the last
/// are negligible beside 1, the order of the matrix, nothing needs to be reflected: v = 0, tau = 0.
/// Source: Golub and Van Loan, Matrix Computations, 5.1.3.
template <class B, class T>
T make_reflection(B const& on, vector_view<T> x, vector_view<T> v, T& tau) {
  T const u = std::numeric_limits<T>::epsilon() / 2;
  index_t const last = x.size() - 1;
  T const alpha = x[last];
  auto const rest = x.segment(0, last);
  T const squares = on.dot(rest, rest);
  // Below u^2 squares lose accuracy, or are 0, where T is float.
  if (!(squares > (u * u) * (u * u))) {
    std::fill_n(v.data(), v.size(), T(0));
    tau = T(0);
    return alpha;
  }
  T const norm = std::sqrt(alpha * alpha + squares);
  T const beta = alpha < T(0) ? norm : -norm;
  tau = (beta - alpha) / beta;
  on.combine(T(1) / (alpha - beta), as_row(rest), T(0), as_row(v.segment(0, last)));
  v[last] = T(1);
  return beta;
}

/// The reflections of one block: rows 2 k and 2 k + 1 of `pairs` are v_k and w_k, so that the matrix they leave is
/// A - sum_k (v_k w_k^T + w_k v_k^T).
template <class T>
struct reflection_pairs {
  matrix_view<T> pairs;
  matrix_view<T> swapped;  ///< w_k before v_k, for the product that updates the rest of A
  vector_view<T> factors;

  /// x <- x - P^T c over the first elements of the pairs; c: `count` factors, exchanged within each pair.
  template <class B>
  void subtract(B const& on, index_t count, vector_view<T> c, vector_view<T> x) const {
    for (index_t k = 0; k + 1 < count; k += 2) std::swap(c[k], c[k + 1]);
    on.times_vector(T(-1), pairs.block(0, 0, count, x.size()).transposed(), c.segment(0, count), T(1), x);
  }
};

/// Lower triangle of a <- that of a - p^T q, by halves: squares off the diagonal are one product each.
template <class B, class T>
void subtract_product_from_triangle(B const& on, matrix_view<T> p, matrix_view<T> q, matrix_view<T> a) {
  constexpr index_t small = 128;
  index_t const n = a.rows();
  if (n <= small) return on.multiply(T(-1), p.transposed(), q, T(1), a, a);
  index_t const half = whole_registers<T>(n / 2);
  index_t const k = p.rows();
  index_t const rest = n - half;
  subtract_product_from_triangle(on, p.block(0, 0, k, half), q.block(0, 0, k, half), a.block(0, 0, half, half));
  auto const below = a.block(half, 0, rest, half);
  on.multiply(T(-1), p.block(0, half, k, rest).transposed(), q.block(0, 0, k, half), T(1), below, below);
  subtract_product_from_triangle(on, p.block(0, half, k, rest), q.block(0, half, k, rest),
                                 a.block(half, half, rest, rest));
}

/// Rows [first, last) of the tridiagonal form, last row first, from the leading `last` rows of a: the pairs of all
/// reflections are left in `b` and not yet applied to rows before `first`.
template <class B, class T>
void reduce_rows(B const& on, matrix_view<T> a, index_t first, index_t last, reflection_pairs<T> const& b, double* d,
                 double* e) {
  index_t count = 0;
  for (index_t i = last - 1; i >= first; --i) {
    auto const row = a.row(i).segment(0, i + 1);
    for (index_t k = 0; k < count; ++k) b.factors[k] = b.pairs(k, i);
    if (count > 0) b.subtract(on, count, b.factors, row);
    d[i] = static_cast<double>(row[i]);
    if (i == 0) return;

    T tau;
    auto const v = b.pairs.row(count).segment(0, i);
    auto const w = b.pairs.row(count + 1).segment(0, i);
    e[i - 1] = static_cast<double>(make_reflection(on, row.segment(0, i), v, tau));
    std::copy_n(v.data(), i, row.data());
    if (tau == T(0)) {
      std::fill_n(w.data(), i, T(0));
    } else {
      // w = tau (A v) - (tau / 2) (tau v^T A v) v with A as the pairs before leave it.
      symmetric_times_vector<T>(a.block(0, 0, i, i), v.data(), w.data());
      if (count > 0) {
        auto const c = b.factors.segment(0, count);
        on.times_vector(T(1), b.pairs.block(0, 0, count, i), v, T(0), c);
        b.subtract(on, count, b.factors, w);
      }
      on.combine(T(-0.5) * tau * tau * on.dot(w, v), as_row(v), tau, as_row(w));
    }
    count += 2;
  }
}

/// A = Q T Q^T with T tridiagonal, Q = H_{m-1} ... H_1, H_i = I - (2 / v_i^T v_i) v_i v_i^T (I where v_i = 0) and v_i in
/// the first i elements of row i of a. a: m x m, lower triangle given, contiguous rows that extend to whole registers,
/// max |a_ij| near 1. d: m elements of the diagonal of T, e: m - 1 beside it.
///
/// 4/3 m^3 FLOPs, half of them in products of A and a vector at the speed of memory, half in `on.multiply`. Backward
/// stable: T is that of A + E, ||E|| <= c m u ||A||.
/// Takes 4 b rows of m elements from the workspace, b = 24.
/// Source: Golub and Van Loan, Matrix Computations, 8.3.1; the blocks: Dongarra, Sorensen, Hammarling, "Block
/// reduction of matrices to condensed forms", J. Comput. Appl. Math. 27, 1989.
template <class B, register_scalar T>
void reduce_to_tridiagonal(B const& on, matrix_view<T> a, double* d, double* e, workspace& memory) {
  constexpr index_t block = 24;
  workspace::frame frame(memory);
  index_t const m = a.rows();
  index_t const stride = scratch_stride<T>(m);
  reflection_pairs<T> const b{frame.template matrix<T>(2 * block, stride), frame.template matrix<T>(2 * block, stride),
                              frame.template vector<T>(2 * block)};
  for (index_t last = m; last > 0; last -= std::min(last, block)) {
    index_t const first = last - std::min(last, block);
    reduce_rows(on, a, first, last, b, d, e);
    if (first == 0) return;
    index_t const count = 2 * (last - first);
    for (index_t k = 0; k < count; ++k) std::copy_n(b.pairs.row(k ^ 1).data(), first, b.swapped.row(k).data());
    subtract_product_from_triangle(on, b.pairs.block(0, 0, count, first), b.swapped.block(0, 0, count, first),
                                   a.block(0, 0, first, first));
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
