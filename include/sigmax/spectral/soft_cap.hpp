// SPDX-License-Identifier: MIT
/// @file
/// The soft cap of Newhouse et al. 2025: one polynomial that undoes what a step of known size can add.
#pragma once

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/soft_cap.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/domain.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `soft_cap`.
struct soft_cap_options {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// Proven bound of the norm of the step that was added to W since ||W|| <= sigma_max held, in the same norm.
  double update_norm = 0;
  /// The part of W that decay removed before the step: W <- (1 - weight_decay) W + step.
  double weight_decay = 0;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Verify ||W|| <= sigma_max (1 - weight_decay) + update_norm first. Costs a third of a unit at the most.
  bool check_domain = true;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

namespace detail {

/// A soft cap in units of its cap: the strength, the norm up to which it caps, and whether that norm is verified.
struct soft_cap_in_units {
  double strength;
  double reach;
  bool check_domain;
};

/// `soft_cap` of one matrix at a cap of its l2 norm. False, and W untouched, if ||W||_2 > reach cap.
template <class B, class S, real T>
bool soft_cap_within(B const& on, matrix_view_on<B, S> w, T largest, double cap, soft_cap_in_units const& soft,
                     workspace& memory) {
  if (!(soft.strength > 0) && !soft.check_domain) return true;
  working_set_on<B, T> set(on, w, largest, memory);
  T const width = set.scaled(cap);
  on.gram(T(1), set.x, T(0), set.x, set.gram.r);
  auto const bounds = bound_norm_freely(on, set.x, true, set.gram);
  if (soft.check_domain && !is_norm_at_most(on, set.x, T(T(soft.reach) * width), bounds, set.gram)) return false;
  if (!(soft.strength > 0)) return true;
  // Far below the cap width may be infinite, and f is the identity.
  auto const f = soft_cap_polynomial<T>(T(soft.strength)).in_units_of(T(T(1) / width));
  apply_step(on, f, true, set.gram, set.x, set.y);
  store(on, set.x, T(1), set.exponent, w, "soft_cap");
  return true;
}

}  // namespace detail

/// W = U S V^T -> U f(S) V^T with f(s) = s - 3 a^2 s^5 + 3 a^3 s^7 - a^4 s^9 = p2(p1(s)), p1(s) = s - a s^3, p2(s) = s
/// + a s^3, with the least a >= 0 for which f(k) <= sigma_max, k = sigma_max (1 - weight_decay) + update_norm.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place.
/// Guarantee, in exact arithmetic: if ||W|| <= k then ||f(W)|| <= sigma_max; f(s) <= s, and f(s) = s - O(s^5). Rounding
/// adds a few u relative; end with `scale_to` where the cap has to be proven of the stored matrix. k <= sigma_max gives
/// a = 0: W stays as it is.
/// Cost: 3 a + 2 units of m^3 FLOPs, m the short side, a = long / m. Scratch: 2 m n + 5 m^2 scalars and what the
/// backend packs.
/// @throws domain_error if k > (81 / 62) sigma_max (f is not monotone on [0, k] then), if ||W|| > k, or for options out
/// of range; numeric_error if an element is NaN or infinite. W is untouched then, in a batch from the matrix at fault
/// on (on threads: other matrices may have been changed).
/// Source: arXiv 2507.13338, section 3 and Theorem 3.1; the limit 81 / 62 is ours (polynomial/soft_cap.hpp).
template <class B, writable_on<B> A>
void soft_cap(B const& given, A&& w, soft_cap_options const& options) {
  using T = compute_t<detail::argument_value_t<A>>;
  detail::cap_in_l2("soft_cap", options.sigma_max, options.norm, 1, 1);
  // The strength in units of the cap, in which the norm cancels. Numbers of the caller reach the messages as they are
  // unless the square of the cap could overflow.
  double const sigma_max = options.sigma_max;
  double const unit = sigma_max >= 0x1p-200 && sigma_max <= 0x1p200 ? 1.0 : sigma_max;
  double const cap_in_units = sigma_max / unit;
  double const strength =
      soft_cap_strength(cap_in_units, options.update_norm / unit, options.weight_decay) * cap_in_units * cap_in_units;
  double const reach = 1 - options.weight_decay + options.update_norm / options.sigma_max;
  detail::scratch memory(options.scratch);
  auto const change = [&](auto const& on, auto elements, T largest, workspace& own) {
    double const cap = detail::cap_in_l2("soft_cap", options.sigma_max, options.norm, elements.rows(), elements.cols());
    if (!detail::soft_cap_within(on, elements, largest, cap, {strength, reach, options.check_domain}, own)) {
      detail::raise_outside_domain("soft_cap", reach * options.sigma_max);
    }
  };
  detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, "soft_cap", change);
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void soft_cap(A&& w, soft_cap_options const& options) {
  soft_cap(B{}, w, options);
}

/// A copy of W, soft capped.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> soft_capped(B const& on, M const& w, soft_cap_options const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  soft_cap(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> soft_capped(M const& w, soft_cap_options const& options) {
  return soft_capped(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
