// SPDX-License-Identifier: MIT
/// @file
/// Division by what the norm exceeds the cap by.
#pragma once

#include <cstdint>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/spectral_normalize.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W <- W min(1, sigma_max / sigma_1): the whole spectrum is rescaled where the norm is above the cap.
///
/// Guarantee: with `certified`, ||W|| <= sigma_max is proven of the stored matrix, after any step of any optimizer.
/// Without, none: sigma_1 is an estimate from below (see `sigmax::spectral_normalize`).
/// Cost: about 10 to 60 sweeps over W; `certified`, what `scale_to` costs: one Gram matrix and one Cholesky
/// factorisation where the norm is within the cap. Source: arXiv 2507.13338, section 3; Miyato et al. 2018.
struct spectral_normalize {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Leave W alone where its norm is below the cap. Else it is raised to the cap: W sigma_max / sigma_1 always.
  bool allow_below = true;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;
  /// Seed of the random numbers of the estimate.
  std::uint64_t seed = 0;

  static constexpr char const* name = "constraint::spectral_normalize";
  static constexpr bool uses_update_norm = false;

  /// @throws as `sigmax::spectral_normalize`.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    detail::check_step(name, step);
    detail::cap_in_l2(name, sigma_max, norm, 1, 1);
    // The proof finds the norm itself, and W is rescaled and rounded once.
    bool const is_left_to_proof = certified && allow_below;
    if (!is_left_to_proof) {
      sigmax::spectral_normalize(
          on, w,
          {.sigma_max = sigma_max, .norm = norm, .allow_below = allow_below, .seed = seed, .scratch = step.scratch});
    }
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t rows, index_t cols) const {
    return detail::proven_cap_in_l2(name, certified, sigma_max, norm, rows, cols);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
