// SPDX-License-Identifier: MIT
/// @file
/// The polar factor to working precision: minimax quintics chosen while the iteration runs.
#pragma once

#include <cmath>
#include <limits>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/minimax_polynomial.hpp>
#include <sigmax/spectral/engine.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// The smallest eigenvalue of R by four steps of inverse iteration, an estimate from above; 0 if R is not positive
/// definite in working precision. `factor` is scratch. m^3 / 3 + 8 m^2 FLOPs.
template <class B, real T>
T smallest_eigenvalue(B const& on, matrix_view_on<B, T> r, matrix_view_on<B, T> factor, workspace& memory) {
  using std::sqrt;
  index_t const m = r.rows();
  on.combine(T(1), r, T(0), factor);
  if (on.cholesky(factor) != m) return T(0);
  workspace::frame frame(memory);
  auto const v = frame.template matrix<T, typename B::space>(m, 1);
  auto const start = staging_for(on, v.col(0), frame);
  fill_normal(start, 1);
  deliver(on, start, v.col(0));
  T growth(0);
  for (int step = 0; step < 4; ++step) {
    T const before = T(sqrt(on.sum_squares(v)));
    on.combine(T(T(1) / before), v, T(0), v);
    on.triangular_solve(factor, v);
    on.triangular_solve_transposed(factor, v);
    growth = T(sqrt(on.sum_squares(v)));
  }
  return growth > T(0) && growth <= std::numeric_limits<T>::max() ? T(T(1) / growth) : T(0);
}

/// X <- U V^T for X = U S V^T, m <= n; `x` and `y` may trade places.
///
/// Each step is the quintic that maps [l, u] closest to 1, where l is a lower bound of the singular values relative to
/// the largest: estimated from R = X X^T (which the step needs anyway) by inverse iteration, or where R cannot tell,
/// `floor` as it has grown so far. The quintic is fitted on [max(l, u / 5), u]: it then dips nowhere below a fifth of
/// its maximum, which keeps the backward error small (Nakatsukasa, Higham, "Backward stability of iterations for
/// computing the polar decomposition", 2012). When ||R - I||_F is small, steps X + (3/8 D^2 - D/2) X with D = R - I,
/// the classical quintic, repair orthogonality to the last bit: their correction is small, so it rounds little.
/// Singular values below `floor` times the largest end between 0 and 1.
/// Cost: T steps of 3 a + 1 + 1/3 units, T about 5, 9, 14, 24 for condition 10, 1e3, 1e6, 1e12.
template <class B, real T>
void polar_iteration(B const& on, double floor, gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x,
                     matrix_view_on<B, T>& y, workspace& memory) {
  using std::cbrt;
  using std::sqrt;
  constexpr double cushion = 0.2;
  double const u_of_type = static_cast<double>(unit_roundoff<T>());
  auto const m = static_cast<double>(x.rows());
  // A rounded R cannot show eigenvalues below this part of its largest one.
  double const visible = 16 * u_of_type * std::sqrt(m);
  // One classical quintic maps an error E to 2.5 E^3; ||R - I|| is 2 E. Coefficients are doubles: start it at 1e-6.
  double const nearly_orthogonal = std::fmax(2 * cbrt(u_of_type / 2.5), 1e-6) / 2;

  double lower = floor;
  double upper = 1;
  T width(1);
  bool finishing = false;
  for (int step = 0; step < 100; ++step) {
    on.gram(T(1), x, T(0), x, b.r);
    double distance = 1;
    if (step == 0) {
      width = T(bound_norm_freely(on, x, true, b).upper * rounding_margin(x));
      on.combine(T(T(1) / (width * width)), b.r, T(0), b.q);
    } else {
      on.combine(T(1), b.r, T(0), b.q);
      on.combine(T(1), b.r, T(0), b.product);
      on.add_to_diagonal(T(-1), b.product);
      distance = static_cast<double>(T(sqrt(on.sum_squares(b.product))));
    }
    finishing = finishing || distance <= nearly_orthogonal;
    if (finishing) {
      on.symmetric_product(T(0.375), b.product, b.product, T(-0.5), b.product, b.z);
      on.multiply(T(1), b.z, x, T(1), x, y);
      std::swap(x, y);
      double const error = distance / 2;
      if (!(distance < 1) || 2.5 * error * error * error <= u_of_type / 4) return;
      continue;
    }
    double const smallest = static_cast<double>(smallest_eigenvalue(on, b.q, b.next, memory));
    if (smallest > visible) lower = std::fmin(0.8 * std::sqrt(smallest), upper);
    if (distance < 1) {
      lower = std::fmax(lower, std::sqrt(1 - distance));
      upper = std::fmin(upper, std::sqrt(1 + distance));
    }
    double const from = std::fmax(lower, cushion * upper);
    auto p = minimax_polynomial(5, from, upper).polynomial;
    if (from > lower) p = p.scaled(2 / (p(lower) + p(upper)));
    lower = std::fmin(p(lower), 2 - p(lower));
    upper = 2 - lower;
    // Nothing that counts is left below 1: what remains is smaller than `floor` was.
    if (1 - lower < nearly_orthogonal / 2) finishing = true;
    odd_polynomial<T> const scaled = p.template cast<T>().scaled(T(1), width);
    apply_step(on, scaled, step == 0, b, x, y);
    width = T(1);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
