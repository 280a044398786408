// SPDX-License-Identifier: MIT
/// @file
/// Eigenvalues and eigenvectors of a small tridiagonal matrix by the implicit QR method.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/short_vector.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// x <- c x + s y, y <- c y - s x.
template <class T>
[[gnu::always_inline]] inline void rotate_rows(T* x, T* y, index_t length, T c, T s) {
  index_t i = 0;
  for (; i + short_size<T> <= length; i += short_size<T>) {
    auto const first = load_short(x + i);
    auto const second = load_short(y + i);
    store_short<T>(c * first + s * second, x + i);
    store_short<T>(c * second - s * first, y + i);
  }
  for (; i < length; ++i) {
    T const first = x[i];
    T const second = y[i];
    x[i] = c * first + s * second;
    y[i] = c * second - s * first;
  }
}

/// One step of the implicit QR method with Wilkinson's shift on rows [lo, hi] of an unreduced tridiagonal matrix; the
/// rotations are applied to rows of z, `stride` apart and as long.
/// Source: Golub and Van Loan, Matrix Computations, 8.3.5.
inline void qr_step(double* d, double* e, index_t lo, index_t hi, double* z, index_t stride) {
  double const half = (d[hi - 1] - d[hi]) / 2;
  double const root = std::sqrt(half * half + e[hi - 1] * e[hi - 1]);
  double const shift = d[hi] - e[hi - 1] * (e[hi - 1] / (half < 0 ? half - root : half + root));
  double x = d[lo] - shift;
  double bulge = e[lo];
  for (index_t k = lo; k < hi; ++k) {
    double const length = std::sqrt(x * x + bulge * bulge);
    if (!(length > 0)) return;
    double const c = x / length;
    double const s = bulge / length;
    if (k > lo) e[k - 1] = length;
    double const t = s * (d[k + 1] - d[k]) + 2 * c * e[k];
    d[k] += s * t;
    d[k + 1] -= s * t;
    e[k] = c * t - e[k];
    if (k + 1 < hi) {
      x = e[k];
      bulge = s * e[k + 1];
      e[k + 1] *= c;
    }
    rotate_rows(z + k * stride, z + (k + 1) * stride, stride, c, s);
  }
}

/// T = Z^T diag(values) Z: d holds the diagonal of T and then its eigenvalues, e (n - 1, destroyed) what is beside it;
/// row i of z, `stride` apart, becomes the eigenvector of d_i. An element of e below u^2 counts as 0 whatever stands
/// beside it, so T is taken to have a norm near 1. About 6 n^3 FLOPs in two steps an eigenvalue; at most 40.
/// Backward stable and orthogonal to c n u, u = 2^-53.
[[gnu::noinline]] inline void diagonalize_small(double* d, double* e, index_t n, double* z, index_t stride) {
  constexpr double u = std::numeric_limits<double>::epsilon() / 2;
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < stride; ++j) z[i * stride + j] = i == j ? 1 : 0;
  }
  auto const is_negligible = [&](index_t k) {
    return std::fabs(e[k]) <= u * (std::fabs(d[k]) + std::fabs(d[k + 1])) + u * u;
  };
  index_t hi = n - 1;
  for (index_t steps = 40 * n; hi > 0 && steps > 0; --steps) {
    if (is_negligible(hi - 1)) {
      --hi;
      continue;
    }
    index_t lo = hi - 1;
    while (lo > 0 && !is_negligible(lo - 1)) --lo;
    qr_step(d, e, lo, hi, z, stride);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
