// SPDX-License-Identifier: MIT
/// @file
/// A cap without a corner: every singular value stays below it, whatever its size.
#pragma once

#include <cmath>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/sign_steps.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `smooth_cap`.
struct smooth_cap_options {
  /// The limit of f(s) for large s, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Bound of the relative error of f, besides rounding.
  double tolerance = 1e-6;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// W = U S V^T -> U f(S) V^T with f(s) = s / sqrt(1 + s^2 / c^2) for c = sigma_max: f(s) < c, f(s) < s, and |f(s) -
/// min(s, c)| is at most (1 - 1 / sqrt 2) c, attained at s = c.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. Computed in double for
/// float and 16-bit storage and rounded once.
/// Guarantee: relative error of f at most `tolerance` in exact arithmetic, and f(s) < c; rounding adds about
/// u (||W|| / c)^2.
/// Cost: 3 a + 4 T - 1 units of m^3 FLOPs for the T quintics that make (I + X X^T / c^2)^(-1/2), T about 4 for ||W|| =
/// 2 c.
/// Scratch: 2 m n + 5 m^2 scalars and what the
/// backend packs.
/// @throws domain_error for options out of range or a ratio ||W|| / c beyond 1e7, numeric_error if an element is NaN or
/// infinite; W is untouched then, in a batch from the matrix at fault on
/// (on threads: other matrices may have been changed).
/// Source: the map of SPECTRA (arXiv 2603.14315) on the Gram form of polynomials.md 4.2.
template <class B, writable_on<B> A>
void smooth_cap(B const& given, A&& w, smooth_cap_options const& options) {
  using std::sqrt;
  using T = detail::cap_scalar<compute_t<detail::argument_value_t<A>>>;
  detail::cap_in_l2("smooth_cap", options.sigma_max, options.norm, 1, 1);
  if (!(options.tolerance >= 1e-11) || !(options.tolerance <= 0.1)) {
    detail::raise<domain_error>({"smooth_cap: tolerance is ", options.tolerance, "; it must be in [1e-11, 0.1]"});
  }
  detail::scratch memory(options.scratch);
  auto const change = [&](auto const& on, auto elements, auto largest, workspace& own) {
    double const cap =
        detail::cap_in_l2("smooth_cap", options.sigma_max, options.norm, elements.rows(), elements.cols());
    detail::working_set_on<B, T> set(on, elements, largest, own);
    auto& b = set.gram;
    // In units of the cap or of ||X||, whichever is larger, nothing overflows: r = cap^2 / (cap^2 + bound^2) <= 1.
    on.gram(T(1), set.x, T(0), set.x, b.r);
    T const bound = T(detail::bound_norm_freely(on, set.x, true, b).upper * detail::rounding_margin(set.x));
    T const ratio = T(bound / set.scaled(cap));
    if (ratio * ratio < unit_roundoff<T>()) return;  // f is the identity to the last bit
    if (!(ratio * ratio * unit_roundoff<T>() < T(0.01))) {
      detail::raise<domain_error>({"smooth_cap: ||W|| is more than ",
                                   0.1 / std::sqrt(static_cast<double>(unit_roundoff<T>())),
                                   " times sigma_max; rounding would spoil the result, so cap it harder first"});
    }
    T const top = T(T(1) + ratio * ratio);
    // R0 = (I + R / c^2) / top has its eigenvalues in [1 / top, 1]; its inverse root times X / sqrt(top) is the result.
    on.combine(T(ratio * ratio / (bound * bound * top)), matrix_view_on<B, T const>(b.r), T(0), b.r);
    on.add_to_diagonal(T(T(1) / top), b.r);
    odd_polynomial<T> steps[polynomial_schedule::capacity];
    double const lower = 0.999 / std::sqrt(static_cast<double>(top));
    double const half = options.tolerance / 2;
    int const count = detail::sign_steps(lower, half, T(1), steps);
    detail::gram_segment(on, steps, count, false, b);
    // The polynomial may be above the root by half the tolerance; nothing may reach the cap.
    T const scale = T(T(1 - half) / T(sqrt(top)));
    on.multiply(scale, b.q, set.x, T(0), set.x, set.y);
    detail::store(on, set.y, T(1), set.exponent, elements, "smooth_cap");
  };
  detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, "smooth_cap", change);
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void smooth_cap(A&& w, smooth_cap_options const& options) {
  smooth_cap(B{}, w, options);
}

/// A copy of W, smoothly capped.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> smooth_capped(B const& on, M const& w, smooth_cap_options const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  smooth_cap(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> smooth_capped(M const& w, smooth_cap_options const& options) {
  return smooth_capped(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
