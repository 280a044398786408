// SPDX-License-Identifier: MIT
/// @file
/// Decoupled weight decay after the step.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W <- (1 - decay learning_rate) W.
///
/// Guarantee, in exact arithmetic: ||W||_2 <= g / decay is kept by every step with ||dW||_2 <= g learning_rate, because
/// (1 - d) (g / decay + g learning_rate) = (g / decay) (1 - d^2) for d = decay learning_rate. So for Muon, whose
/// `update_norm()` is g learning_rate; decay = 1 / sigma_max aims at sigma_max where g is 1. None for AdamW.
/// Cost: a pass over W. Source: arXiv 2507.13338, section 3 (there before the step); Loshchilov and Hutter 2019.
struct weight_decay {
  /// At least 0, as torch.optim means it: multiplied by the learning rate.
  required<double> decay;

  static constexpr char const* name = "constraint::weight_decay";
  static constexpr bool uses_update_norm = false;

  /// @throws domain_error unless 0 <= decay learning_rate <= 1, numeric_error if an element is NaN or infinite; W is
  /// untouched then.
  template <class B, writable_on<B> A>
  outcome constrain(B const& given, A&& w, step_info const& step) const {
    using T = compute_t<detail::argument_value_t<A>>;
    detail::check_step(name, step);
    double const fraction = decay * step.learning_rate;
    if (!(decay >= 0) || !(fraction >= 0) || !(fraction <= 1)) {
      detail::raise<domain_error>({name, ": decay is ", double{decay}, " at learning rate ", step.learning_rate,
                                   "; it must not be negative, and their product at most 1"});
    }
    detail::scratch memory(step.scratch);
    auto const change = [&](auto const& on, auto elements, T, workspace&) {
      detail::combine_stored(on, T(1 - fraction), elements, T(0), elements);
    };
    detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, name, change);
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t, index_t) const { return infinity; }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
