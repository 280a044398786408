// SPDX-License-Identifier: MIT
/// @file
/// Projection to the Stiefel manifold: all singular values to one value.
#pragma once

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/stiefel.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W = U S V^T -> sigma_max U V^T.
///
/// Guarantee, in exact arithmetic: ||W|| <= sigma_max after any step of any optimizer (with a schedule, up to its
/// greatest value times sigma_max). Rounding may exceed it by a few u; with `certified` ||W|| <= sigma_max is proven of the
/// stored matrix. Small singular values are not kept.
/// Cost: as `orthogonalize`. Source: arXiv 2507.13338, section 3.
struct stiefel {
  /// What every singular value becomes, in the norm below.
  double sigma_max = 1;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Empty: to working precision. `schedules::you_1024` never exceeds sigma_max and is what the paper's code does.
  polynomial_schedule schedule = {};
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;

  static constexpr char const* name = "constraint::stiefel";
  static constexpr bool uses_update_norm = false;

  /// @throws as `project_to_stiefel`.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    detail::check_step(name, step);
    project_to_stiefel(on, w, {.sigma_max = sigma_max, .norm = norm, .schedule = schedule, .scratch = step.scratch});
    return {.matrices = detail::matrices_of(w)};
  }

  double proven_cap(index_t rows, index_t cols) const {
    return detail::proven_cap_in_l2(name, certified, sigma_max, norm, rows, cols);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
