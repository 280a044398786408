// SPDX-License-Identifier: MIT
/// @file
/// All eigenvalues and eigenvectors of a symmetric matrix by Jacobi's method: slow, short, and accurate in any scalar.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// x <- c x - s y, y <- s x + c y.
template <real T>
void rotate(vector_view<T> x, vector_view<T> y, T c, T s) {
  for (index_t i = 0; i < x.size(); ++i) {
    T const first = x[i];
    T const second = y[i];
    x[i] = T(c * first - s * second);
    y[i] = T(s * first + c * second);
  }
}

/// a = V^T diag(values) V: `vectors` holds V, whose rows are the eigenvectors; `a` (m x m, symmetric) is destroyed.
/// Unsorted. Sweeps over all pairs until every off-diagonal element is negligible beside its diagonal ones, which six to
/// ten sweeps reach; at most 40. About 12 m^3 FLOPs a sweep.
/// Source: Golub and Van Loan, Matrix Computations, 8.5.
template <real T>
[[gnu::noinline]] void jacobi_eigen(matrix_view<T> a, vector_view<T> values, matrix_view<T> vectors) {
  using std::abs;
  using std::sqrt;
  index_t const m = a.rows();
  T const negligible = T(std::numeric_limits<T>::epsilon() / 4);
  T largest(0);
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < m; ++j) {
      vectors(i, j) = T(i == j ? 1 : 0);
      if (largest < T(abs(a(i, j)))) largest = T(abs(a(i, j)));
    }
  }
  bool rotated = largest > T(0);
  for (int sweep = 0; rotated && sweep < 40; ++sweep) {
    rotated = false;
    for (index_t p = 0; p < m; ++p) {
      for (index_t q = p + 1; q < m; ++q) {
        T const off = a(p, q);
        // Relative to its own diagonal where that is positive, to the whole matrix where it is not.
        T const own = T(sqrt(T(abs(a(p, p)))) * sqrt(T(abs(a(q, q)))));
        T const floor = T(negligible * negligible * largest);
        if (!(T(abs(off)) > T(negligible * own)) || !(T(abs(off)) > floor)) continue;
        rotated = true;
        T const theta = T((a(q, q) - a(p, p)) / (T(2) * off));
        T const root = T(abs(theta) + sqrt(T(T(1) + theta * theta)));
        T const t = T(theta < T(0) ? T(-T(1) / root) : T(T(1) / root));
        T const c = T(T(1) / sqrt(T(T(1) + t * t)));
        T const s = T(t * c);
        T const app = T(a(p, p) - t * off);
        T const aqq = T(a(q, q) + t * off);
        rotate(a.row(p), a.row(q), c, s);
        rotate(a.col(p), a.col(q), c, s);
        a(p, p) = app;
        a(q, q) = aqq;
        a(p, q) = T(0);
        a(q, p) = T(0);
        rotate(vectors.row(p), vectors.row(q), c, s);
      }
    }
  }
  for (index_t i = 0; i < m; ++i) values[i] = a(i, i);
}

/// Moves the pairs whose value is not at most `threshold` (NaN stays) to the front. @return how many.
template <real T>
index_t keep_eigenpairs_above(T threshold, vector_view<T> values, matrix_view<T> vectors) {
  index_t count = 0;
  for (index_t i = 0; i < values.size(); ++i) {
    if (values[i] <= threshold) continue;
    for (index_t j = 0; count < i && j < vectors.cols(); ++j) vectors(count, j) = vectors(i, j);
    values[count++] = values[i];
  }
  return count;
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
