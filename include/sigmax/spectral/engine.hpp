// SPDX-License-Identifier: MIT
/// @file
/// The engine below all spectral functions: odd polynomials of a matrix, in standard and in Gram form.
///
/// X: m x n with m <= n, X = U S V^T, R = X X^T. Every function of R below is symmetric and commutes with every other,
/// so all m x m products are computed on one triangle and mirrored. The identity is never materialised.
#pragma once

#include <cmath>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>
#include <sigmax/spectral/plan.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// The m x m matrices of the engine. `q` holds the result of a segment.
template <real T, class Space = host_space>
struct gram_buffers {
  matrix_view<T, Space> r, z, q, next, product;

  gram_buffers(index_t m, workspace::frame& frame)
      : r(frame.template matrix<T, Space>(m, m)),
        z(frame.template matrix<T, Space>(m, m)),
        q(frame.template matrix<T, Space>(m, m)),
        next(frame.template matrix<T, Space>(m, m)),
        product(frame.template matrix<T, Space>(m, m)) {}
};

/// Those of a backend.
template <class B, class T>
using gram_buffers_on = gram_buffers<T, typename B::space>;

/// z = c_1 R + c_2 R^2 + c_3 R^3 + c_4 R^4, all of p(X) = (c_0 I + z) X but its constant (Paterson, Stockmeyer).
/// `square` is scratch, or R^2 where `has_square`; `scratch` is used for degree 9. (terms - 1) / 2 symmetric products.
template <class B, real T>
void gram_polynomial(B const& on, odd_polynomial<T> const& p, matrix_view_on<B, T> r, bool has_square,
                     matrix_view_on<B, T> square, matrix_view_on<B, T> scratch, matrix_view_on<B, T> z) {
  int const terms = p.terms();
  if (terms == 3 && !has_square) {
    on.symmetric_product(p[2], r, r, p[1], r, z);
    return;
  }
  bool const has_linear_term = terms <= 2 || p[1] != T(0);  // soft caps have none
  if (has_linear_term) on.combine(p[1], r, T(0), z);
  if (terms <= 2) return;
  if (!has_square) on.symmetric_product(T(1), r, r, T(0), r, square);
  on.combine(p[2], square, T(has_linear_term ? 1 : 0), z);
  if (terms == 4) on.symmetric_product(p[3], r, square, T(1), z, z);
  if (terms == 5) {
    on.combine(p[3], r, T(0), scratch);
    on.combine(p[4], square, T(1), scratch);
    on.symmetric_product(T(1), scratch, square, T(1), z, z);
  }
}

/// q = q(R) with p_last o ... o p_first (X) = q(R) X, for `count` steps. On entry b.r = R (and b.product = R^2 where
/// `has_square`); everything in `b` is overwritten. Source: Gram Newton-Schulz, polynomials.md 4.2.
template <class B, real T>
void gram_segment(B const& on, odd_polynomial<T> const* steps, int count, bool has_square, gram_buffers_on<B, T>& b) {
  for (int t = 0; t < count; ++t) {
    T const a = steps[t][0];
    gram_polynomial(on, steps[t], b.r, t == 0 && has_square, b.product, b.next, b.z);
    if (t == 0) {
      on.combine(T(1), b.z, T(0), b.q);
      on.add_to_diagonal(a, b.q);
    } else {
      on.symmetric_product(T(1), b.q, b.z, a, b.q, b.next);
      std::swap(b.q, b.next);
    }
    if (t + 1 < count) {  // R <- (aI + Z) R (aI + Z)
      on.symmetric_product(T(1), b.r, b.z, a, b.r, b.product);
      on.symmetric_product(T(1), b.z, b.product, a, b.product, b.r);
    }
  }
}

/// X <- p(X) = c_0 X + z X, for b.r = X X^T (and b.product = R^2 where `has_square`). No identity is needed at all.
template <class B, real T>
void apply_step(B const& on, odd_polynomial<T> const& p, bool has_square, gram_buffers_on<B, T>& b,
                matrix_view_on<B, T>& x, matrix_view_on<B, T>& y) {
  gram_polynomial(on, p, b.r, has_square, b.product, b.next, b.z);
  on.multiply(T(1), b.z, x, p[0], x, y);
  std::swap(x, y);
}

/// X <- p_last o ... o p_first (X) as planned. `y` is scratch of the shape of x, the two may trade places.
/// On entry b.r = X X^T, and b.product = R^2 where `has_square`.
template <class B, real T>
void apply_steps(B const& on, odd_polynomial<T> const* steps, polynomial_plan const& plan, bool has_square,
                 gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x, matrix_view_on<B, T>& y) {
  for (int t = 0; t < plan.steps;) {
    if (t > 0) on.gram(T(1), x, T(0), x, b.r);
    int end = t + 1;
    while (end < plan.steps && !plan.starts_segment[end]) ++end;
    if (end == t + 1) {
      apply_step(on, steps[t], t == 0 && has_square, b, x, y);
    } else {
      gram_segment(on, steps + t, end - t, t == 0 && has_square, b);
      on.multiply(T(1), b.q, x, T(0), x, y);
      std::swap(x, y);
    }
    t = end;
  }
}

/// S <- p_last o ... o p_first (S) for a symmetric S, in its own memory. 3 symmetric products a quintic.
template <class B, real T>
void apply_to_symmetric(B const& on, odd_polynomial<T> const* steps, int count, gram_buffers_on<B, T> const& b,
                        matrix_view_on<B, T> s) {
  auto from = s;
  auto to = b.q;
  for (int t = 0; t < count; ++t) {
    on.symmetric_product(T(1), from, from, T(0), from, b.r);
    gram_polynomial(on, steps[t], b.r, false, b.product, b.next, b.z);
    on.symmetric_product(T(1), b.z, from, steps[t][0], from, to);
    std::swap(from, to);
  }
  if (from.data() != s.data()) on.combine(T(1), from, T(0), s);
}

/// >= the largest eigenvalue of a positive semidefinite G of order m, from its trace and its squared Frobenius norm, up
/// to rounding: mu + s sqrt(m - 1), mu the mean of the eigenvalues and s^2 their variance (Wolkowicz, Styan, "Bounds
/// for eigenvalues using traces", 1980, Theorem 2.1). At most ||G||_F, and sharp for multiples of the identity.
template <real T>
T largest_eigenvalue_above(index_t order, T trace, T squared_norm) {
  using std::sqrt;
  T const m = T(static_cast<double>(order));
  T const mean = T(trace / m);
  T const variance = T(squared_norm / m - mean * mean);
  T const spread = variance > T(0) ? T(sqrt(variance) * sqrt(T(m - T(1)))) : T(0);
  T const bound = T(mean + spread);
  T const frobenius = T(sqrt(squared_norm));
  return bound < frobenius ? bound : frobenius;
}

/// <= the largest eigenvalue, up to rounding: ||G||_F^2 / tr G.
template <real T>
T largest_eigenvalue_below(T trace, T squared_norm) {
  return trace > T(0) ? T(squared_norm / trace) : T(0);
}

/// Bounds of ||X||_2, up to rounding, from b.r = X X^T and, with `by_square`, from R^2, which is left in b.product.
template <real T>
struct free_norm_bounds {
  T lower = T(0);
  T upper = T(0);
};

template <class B, real T>
free_norm_bounds<T> bound_norm_freely(B const& on, matrix_view_on<B, T> x, bool by_square, gram_buffers_on<B, T>& b) {
  using std::sqrt;
  index_t const m = x.rows();
  T const squared = on.sum_squares(b.r);
  if (!by_square) {
    T const trace = on.sum_squares(x);
    return {T(sqrt(largest_eigenvalue_below(trace, squared))), T(sqrt(largest_eigenvalue_above(m, trace, squared)))};
  }
  on.symmetric_product(T(1), b.r, b.r, T(0), b.r, b.product);
  T const fourth = on.sum_squares(b.product);
  return {T(sqrt(T(sqrt(largest_eigenvalue_below(squared, fourth))))),
          T(sqrt(T(sqrt(largest_eigenvalue_above(m, squared, fourth)))))};
}

/// What rounding can add to a norm computed from an m x n matrix: a relative (m + n) u.
template <real T, class Space>
T rounding_margin(matrix_view<T, Space> x) {
  return T(T(1) + unit_roundoff<T>() * T(static_cast<double>(x.rows() + x.cols())));
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
