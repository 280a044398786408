// SPDX-License-Identifier: MIT
/// @file
/// Two constraints, one after the other.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/constraint/weight_constraint.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// First the one, then the other: a decay followed by a proof, say.
///
///     constraint::sequence{constraint::weight_decay{.decay = 1.0},
///                          constraint::spectral_normalize{.sigma_max = 1.0, .certified = true}}
///
/// Guarantee: what the second guarantees of any W, and of the first what the second does not undo.
template <weight_constraint First, weight_constraint Second>
struct sequence {
  First first;
  Second second;

  static constexpr char const* name = "constraint::sequence";
  static constexpr bool uses_update_norm = First::uses_update_norm || Second::uses_update_norm;

  /// @throws as the two; if the second throws W is left as the first made it.
  template <class B, writable_on<B> A>
  outcome constrain(B const& on, A&& w, step_info const& step) const {
    auto const before = first.constrain(on, w, step);
    auto result = second.constrain(on, w, step);
    result.hard_capped += before.hard_capped;
    return result;
  }

  /// The smaller cap.
  double proven_cap(index_t rows, index_t cols) const {
    return min_up(first.proven_cap(rows, cols), second.proven_cap(rows, cols));
  }
};

template <class First, class Second>
sequence(First, Second) -> sequence<First, Second>;

}  // namespace sigmax::inline SIGMAX_ABI::constraint
