// SPDX-License-Identifier: MIT
/// @file
/// Decay of the part of the singular values that is above a cap.
#pragma once

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/hard_cap.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// Spectrally clipped weight decay: W = U S V^T -> (1 - decay) W + decay U min(S, sigma_max) V^T. Singular values up to
/// sigma_max stay, those above lose the share `decay` of what they exceed it by. A matrix within the cap keeps every bit.
///
/// Guarantee, in exact arithmetic: ||W|| <= b = sigma_max + u (1 - decay) / decay is kept by every step with
/// ||dW|| <= u, because sigma_max + (1 - decay) (b + u - sigma_max) = b; all norms in `norm`. So for Muon, at any
/// learning rate; b tends to sigma_max as the learning rate tends to 0. None for AdamW.
/// Cost: as `hard_cap`, a copy of W. Source: arXiv 2507.13338, appendix B.2.
struct clipped_weight_decay {
  /// In [0, 1], not multiplied by the learning rate.
  required<double> decay;
  /// Where decay begins, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// As of `hard_cap`.
  double tolerance = 1e-5;

  static constexpr char const* name = "constraint::clipped_weight_decay";
  static constexpr bool uses_update_norm = false;

  /// @throws domain_error unless 0 <= decay <= 1, and as `sigmax::hard_cap`; W is untouched then.
  template <class B, writable_on<B> A>
  outcome constrain(B const& given, A&& w, step_info const& step) const {
    using T = compute_t<detail::argument_value_t<A>>;
    detail::check_step(name, step);
    if (!(decay >= 0) || !(decay <= 1)) {
      detail::raise<domain_error>({name, ": decay is ", double{decay}, "; it must be between 0 and 1"});
    }
    detail::check_hard_cap_options({.sigma_max = sigma_max, .norm = norm, .tolerance = tolerance});
    detail::scratch memory(step.scratch);
    auto const change = [&](auto const& on, auto elements, T, workspace& own) {
      double const cap = detail::cap_in_l2(name, sigma_max, norm, elements.rows(), elements.cols());
      workspace::frame frame(own);
      auto const capped = frame.template matrix<T, typename B::space>(elements.rows(), elements.cols());
      detail::load(on, elements, 0, capped);
      auto const path = sigmax::hard_cap(on, capped, {.sigma_max = cap, .tolerance = tolerance, .scratch = &own});
      if (path == hard_cap_path::unchanged) return;
      detail::combine_stored(on, T(double{decay}), capped, T(1 - decay), elements);
    };
    detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, name, change);
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t, index_t) const { return infinity; }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
