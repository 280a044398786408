// SPDX-License-Identifier: MIT
/// @file
/// Is a matrix inside the domain of a polynomial? Asked before anything is written.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/spectral/engine.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// Throws unless ||X||_2 <= limit up to a relative 4 (m + n) u: by the free bounds where they decide, else by a
/// Cholesky factorisation of limit^2 I - X X^T (m^3 / 3 FLOPs). Needs b.r = X X^T, and R^2 in b.product for
/// `by_square`; both stay. `shown` is the limit in the scale of W. A test in working precision, not a proof.
template <class B, real T>
void require_norm_at_most(B const& on, char const* function, matrix_view<T> x, T limit, double shown,
                          free_norm_bounds<T> const& bounds, gram_buffers<T>& b) {
  T const margin = T(T(1) + T(4) * (rounding_margin(x) - T(1)));
  T const widened = T(limit * margin);
  if (bounds.upper <= widened) return;
  if (!(bounds.lower > widened)) {
    on.combine(T(-1), b.r, T(0), b.next);
    on.add_to_diagonal(T(widened * widened), b.next);
    if (on.cholesky(b.next) == x.rows()) return;
  }
  raise<domain_error>({function, ": ||W||_2 is above ", shown, ", where its domain ends; nothing was written"});
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
