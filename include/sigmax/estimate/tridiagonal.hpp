// SPDX-License-Identifier: MIT
/// @file
/// The largest eigenvalue of a symmetric tridiagonal matrix and its eigenvector.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// True if T - x I has no eigenvalue >= 0, by the signs of the pivots of its LDL^T factorisation (Sturm).
template <real T>
bool all_eigenvalues_below(index_t k, T const* diagonal, T const* off_diagonal, T x) {
  T pivot = T(x - diagonal[0]);
  for (index_t i = 1; i < k; ++i) {
    if (!(pivot > T(0))) return false;
    T const coupling = off_diagonal[i - 1];
    pivot = T((x - diagonal[i]) - coupling * coupling / pivot);
  }
  return pivot > T(0);
}

/// Largest eigenvalue of the k x k tridiagonal matrix with these diagonals (k elements of `off_diagonal` are given,
/// k - 1 used, none of them negative) and its unit eigenvector, by bisection and inverse iteration. The iteration
/// starts from ones: with positive couplings the wanted vector is positive (Perron-Frobenius), so they cannot be
/// orthogonal. An estimate to about k u relative to the norm of T. O(k) a bisection step. `pivots`: k scalars. All four
/// are contiguous.
template <real T>
T largest_tridiagonal_eigenpair(vector_view<T> diagonal_view, vector_view<T> off_diagonal_view,
                                vector_view<T> eigenvector_view, vector_view<T> pivots_view) {
  using std::abs;
  using std::sqrt;
  index_t const k = diagonal_view.size();
  T const* const diagonal = diagonal_view.data();
  T const* const off_diagonal = off_diagonal_view.data();
  T* const eigenvector = eigenvector_view.data();
  T* const pivots = pivots_view.data();
  T below = diagonal[0];
  T above = diagonal[0];
  T norm(0);
  for (index_t i = 0; i < k; ++i) {
    T const radius = T((i > 0 ? off_diagonal[i - 1] : T(0)) + (i + 1 < k ? off_diagonal[i] : T(0)));
    if (below < diagonal[i]) below = diagonal[i];
    if (above < T(diagonal[i] + radius)) above = T(diagonal[i] + radius);
    if (norm < T(abs(diagonal[i]) + radius)) norm = T(abs(diagonal[i]) + radius);
  }
  T const resolution = T(unit_roundoff<T>() * 4 * norm);
  above = T(above + resolution);
  while (T(above - below) > resolution) {
    T const middle = T(below + (above - below) / 2);
    if (!(below < middle) || !(middle < above)) break;
    (all_eigenvalues_below(k, diagonal, off_diagonal, middle) ? above : below) = middle;
  }

  // above I - T is positive definite and nearly singular: factorise once, solve twice, no pivoting needed.
  for (index_t i = 0; i < k; ++i) {
    eigenvector[i] = T(1);
    pivots[i] = T(above - diagonal[i]);
    if (i > 0) pivots[i] = T(pivots[i] - off_diagonal[i - 1] * off_diagonal[i - 1] / pivots[i - 1]);
    if (!(pivots[i] > resolution)) pivots[i] = resolution > T(0) ? resolution : T(1);
  }
  for (int sweep = 0; sweep < 3; ++sweep) {
    // Pivots may be as small as the resolution: scaled by it, the solution cannot overflow.
    if (resolution > T(0)) {
      for (index_t i = 0; i < k; ++i) eigenvector[i] = T(eigenvector[i] * resolution);
    }
    for (index_t i = 1; i < k; ++i) {
      eigenvector[i] = T(eigenvector[i] + off_diagonal[i - 1] / pivots[i - 1] * eigenvector[i - 1]);
    }
    for (index_t i = k - 1; i >= 0; --i) {
      T const coupled = i + 1 < k ? T(off_diagonal[i] * eigenvector[i + 1]) : T(0);
      eigenvector[i] = T((eigenvector[i] + coupled) / pivots[i]);
    }
    T largest(0);
    for (index_t i = 0; i < k; ++i) {
      if (largest < eigenvector[i]) largest = eigenvector[i];
    }
    T sum(0);
    for (index_t i = 0; i < k; ++i) {
      eigenvector[i] = T(eigenvector[i] / largest);
      sum = T(sum + eigenvector[i] * eigenvector[i]);
    }
    T const length = T(sqrt(sum));
    for (index_t i = 0; i < k; ++i) eigenvector[i] = T(eigenvector[i] / length);
  }
  return below;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
