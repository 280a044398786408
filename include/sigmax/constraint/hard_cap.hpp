// SPDX-License-Identifier: MIT
/// @file
/// Every singular value above the cap to the cap, the others as they are.
#pragma once

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/hard_cap.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W = U S V^T -> U min(S, sigma_max) V^T.
///
/// Guarantee, in exact arithmetic: ||W|| <= sigma_max after any step of any optimizer; smaller singular values stay, up to
/// `tolerance`, and a matrix within the cap keeps every bit. Rounding may exceed it by 4 u; with `certified`
/// ||W|| <= sigma_max is proven of the stored matrix.
/// Cost: as `sigmax::hard_cap`. Source: arXiv 2507.13338, section 3 and appendix B.
struct hard_cap {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Bound of |f(s) - min(s, cap)| / cap.
  double tolerance = 1e-5;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;

  static constexpr char const* name = "constraint::hard_cap";
  static constexpr bool uses_update_norm = false;

  /// @throws as `sigmax::hard_cap`.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    detail::check_step(name, step);
    sigmax::hard_cap(on, w, {.sigma_max = sigma_max, .norm = norm, .tolerance = tolerance, .scratch = step.scratch});
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t rows, index_t cols) const {
    return detail::proven_cap_in_l2(name, certified, sigma_max, norm, rows, cols);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
