// SPDX-License-Identifier: MIT
/// @file
/// What a constraint is told about the step it follows, and what it reports.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

/// The step W <- (1 - weight_decay) W + dW that the weight has just taken.
struct step_info {
  /// What decays are multiplied by.
  double learning_rate = 1;
  /// The part of W that was removed before dW was added.
  double weight_decay = 0;
  /// A proven bound of ||dW||_2, of every matrix of a batch. Infinite: nothing is known of it.
  double update_norm = infinity;
  /// Scratch memory to reuse; a repeated call of the same size allocates nothing if it is given.
  workspace* scratch = nullptr;
};

/// What a constraint did, in numbers of matrices.
struct outcome {
  /// Looked at: those of a batch, or row blocks.
  index_t matrices = 0;
  /// Soft caps: outside the domain of the polynomial, and so capped by `hard_cap`.
  index_t hard_capped = 0;
  /// `certified`: proven to satisfy the cap, as stored, and among them those that `scale_to` had to multiply.
  index_t proven = 0;
  index_t rescaled = 0;

  outcome& operator+=(outcome const& other) {
    matrices += other.matrices;
    hard_capped += other.hard_capped;
    proven += other.proven;
    rescaled += other.rescaled;
    return *this;
  }
  friend bool operator==(outcome const&, outcome const&) = default;
};

}  // namespace sigmax::inline SIGMAX_ABI::constraint

namespace sigmax::inline SIGMAX_ABI::detail {

/// @throws domain_error for a step that no optimizer takes.
inline void check_step(char const* name, constraint::step_info const& step) {
  if (!(step.learning_rate >= 0) || !is_finite(step.learning_rate)) {
    raise<domain_error>({name, ": learning_rate is ", step.learning_rate, "; it must be finite and not negative"});
  }
  if (!(step.weight_decay >= 0) || !(step.weight_decay <= 1)) {
    raise<domain_error>({name, ": weight_decay is ", step.weight_decay, "; it must be between 0 and 1"});
  }
  if (!(step.update_norm >= 0)) {
    raise<domain_error>({name, ": update_norm is ", step.update_norm, "; it must not be negative"});
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
