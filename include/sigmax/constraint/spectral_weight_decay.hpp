// SPDX-License-Identifier: MIT
/// @file
/// Decay of the largest singular value alone.
#pragma once

#include <cstdint>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/spectral_weight_decay.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W <- W - decay sigma_1 u_1 v_1^T, not multiplied by the learning rate, as in the paper.
///
/// Guarantee, in exact arithmetic: no singular value grows, and sigma_1 becomes (1 - decay) sigma_1 up to the residual
/// of the estimate. None of ||W||: the second singular value stays, and a step may raise it.
/// Cost: about 10 to 60 sweeps over W. Source: arXiv 2507.13338, section 3; Yoshida and Miyato 2017 (arXiv 1705.10941).
struct spectral_weight_decay {
  /// In [0, 1].
  required<double> decay;
  /// Seed of the random numbers of the estimate.
  std::uint64_t seed = 0;

  static constexpr char const* name = "constraint::spectral_weight_decay";
  static constexpr bool uses_update_norm = false;

  /// @throws as `sigmax::spectral_weight_decay`.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    detail::check_step(name, step);
    sigmax::spectral_weight_decay(on, w, {.decay = decay, .seed = seed, .scratch = step.scratch});
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t, index_t) const { return infinity; }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
