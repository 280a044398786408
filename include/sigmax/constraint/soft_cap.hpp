// SPDX-License-Identifier: MIT
/// @file
/// The polynomial that takes back what a step of known size can add.
#pragma once

#include <atomic>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/soft_cap.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/soft_cap.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// W = U S V^T -> U f(S) V^T, f(s) = s - 3 a^2 s^5 + 3 a^3 s^7 - a^4 s^9, with the strength a solved from the proven norm
/// of the step: f(k) <= sigma_max for k = sigma_max (1 - weight_decay) + update_norm.
///
/// Guarantee, in exact arithmetic: ||W|| <= sigma_max is kept by every step with ||dW|| <= step.update_norm, at any
/// learning rate, and small singular values stay, f(s) = s - O(s^5). So for Muon, whose update norm is known, and for
/// AdamW with its update norm measured. Outside the domain of the polynomial, that is for k > (81 / 62) sigma_max, an
/// unknown update norm, or a W with ||W|| > k (one that was above the cap before the step), the matrix is hard capped
/// instead, which keeps the guarantee; outcome.hard_capped counts such matrices. Rounding may exceed sigma_max by a few
/// u; with `certified` ||W|| <= sigma_max is proven of the stored matrix. For 16-bit storage `certified` is needed for
/// the soft cap to stay in its domain: rounding to it takes the norm of the next W above the cap.
/// Cost: 3 a + 2 units of m^3 FLOPs (see `sigmax::soft_cap`); a hard cap where it falls to one.
/// Source: arXiv 2507.13338, section 3 and Theorem 3.1; the limit 81 / 62 is ours (polynomial/soft_cap.hpp).
struct soft_cap {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;

  static constexpr char const* name = "constraint::soft_cap";
  static constexpr bool uses_update_norm = true;

  /// @throws domain_error unless sigma_max is finite and above 0 and the norm l2 or rms, numeric_error if an element is
  /// NaN or infinite; W is untouched then.
  template <class B, writable_on<B> A>
  outcome constrain(B const& given, A&& w, step_info const& step) const {
    using T = compute_t<detail::argument_value_t<A>>;
    detail::check_step(name, step);
    detail::cap_in_l2(name, sigma_max, norm, 1, 1);
    detail::scratch memory(step.scratch);
    std::atomic<index_t> hard_capped{0};
    auto const change = [&](auto const& on, auto elements, T largest, workspace& own) {
      double const cap = detail::cap_in_l2(name, sigma_max, norm, elements.rows(), elements.cols());
      double const update = step.update_norm > 0 ? divide_up(step.update_norm, cap) : 0.0;
      // 81 / 62 - 1 = 19 / 62, with room for rounding.
      bool const is_in_domain = 62 * (update - step.weight_decay) <= 19 * (1 - 0x1p-40);
      if (is_in_domain) {
        double const strength = soft_cap_strength(1, update, step.weight_decay);
        double const reach = 1 - step.weight_decay + update;
        if (detail::soft_cap_within(on, elements, largest, cap, {strength, reach, true}, own)) return;
      }
      ++hard_capped;
      sigmax::hard_cap(on, elements, {.sigma_max = cap, .scratch = &own});
    };
    detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, name, change);
    return {.matrices = detail::matrices_of(w), .hard_capped = hard_capped};
  }

  double proven_cap(index_t rows, index_t cols) const {
    return detail::proven_cap_in_l2(name, certified, sigma_max, norm, rows, cols);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint
