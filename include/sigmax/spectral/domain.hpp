// SPDX-License-Identifier: MIT
/// @file
/// Is a matrix inside the domain of a polynomial? Asked before anything is written.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/spectral/engine.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// True if ||X||_2 <= limit up to a relative 4 (m + n) u: by the free bounds where they decide, else by a
/// Cholesky factorisation of limit^2 I - X X^T (m^3 / 3 FLOPs). Needs b.r = X X^T, and R^2 in b.product for
/// `by_square`; both stay. A test in working precision, not a proof.
template <class B, real T>
bool is_norm_at_most(B const& on, matrix_view_on<B, T> x, T limit, free_norm_bounds<T> const& bounds,
                     gram_buffers_on<B, T>& b) {
  T const margin = T(T(1) + T(4) * (rounding_margin(x) - T(1)));
  T const widened = T(limit * margin);
  if (bounds.upper <= widened) return true;
  if (bounds.lower > widened) return false;
  on.combine(T(-1), b.r, T(0), b.next);
  on.add_to_diagonal(T(widened * widened), b.next);
  return on.cholesky(b.next) == x.rows();
}

[[noreturn, gnu::cold, gnu::noinline]] inline void raise_outside_domain(char const* function, double shown) {
  raise<domain_error>({function, ": ||W||_2 is above ", shown, ", where its domain ends; nothing was written"});
}

/// Throws unless that is true. `shown` is the limit in the scale of W.
template <class B, real T>
void require_norm_at_most(B const& on, char const* function, matrix_view_on<B, T> x, T limit, double shown,
                          free_norm_bounds<T> const& bounds, gram_buffers_on<B, T>& b) {
  if (!is_norm_at_most(on, x, limit, bounds, b)) raise_outside_domain(function, shown);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
