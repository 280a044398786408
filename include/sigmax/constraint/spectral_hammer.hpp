// SPDX-License-Identifier: MIT
/// @file
/// The leading singular values set to the cap.
#pragma once

#include <cstdint>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/spectral_hammer.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W <- W + sum_i (sigma_max - sigma_i) u_i v_i^T over the `count` leading singular values.
///
/// Guarantee: none of the norm, since a step may take singular value number count + 1 above sigma_max too (Muon's
/// steps move all of them); meant for updates of low stable rank, such as AdamW's. With `certified` ||W|| <= sigma_max is
/// proven of the stored matrix, after any step of any optimizer: what the hammer missed is rescaled.
/// Cost: a Lanczos run and a product of rank count. Source: arXiv 2507.13338, section 3.
struct spectral_hammer {
  /// What the leading singular values become, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// As published it also raises what is below sigma_max.
  hammer_mode mode = hammer_mode::two_sided;
  /// How many singular values.
  index_t count = 1;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;
  /// Seed of the random numbers of the estimate.
  std::uint64_t seed = 0;

  static constexpr char const* name = "constraint::spectral_hammer";
  static constexpr bool uses_update_norm = false;

  /// @throws as `sigmax::spectral_hammer`.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    detail::check_step(name, step);
    sigmax::spectral_hammer(
        on, w,
        {.sigma_max = sigma_max, .norm = norm, .mode = mode, .count = count, .seed = seed, .scratch = step.scratch});
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t rows, index_t cols) const {
    return detail::proven_cap_in_l2(name, certified, sigma_max, norm, rows, cols);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
