// SPDX-License-Identifier: MIT
/// @file
/// What every optimizer asks of its learning rate and decoupled decay.
#pragma once

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// @throws domain_error unless both are not negative, the rate finite, and their product, the part of W that a step
/// removes, at most 1.
inline void check_rate_and_decay(char const* optimizer, double learning_rate, double weight_decay) {
  if (!(learning_rate >= 0) || !is_finite(learning_rate)) {
    raise<domain_error>({optimizer, ": learning_rate is ", learning_rate, "; it must be finite and not negative"});
  }
  if (!(weight_decay >= 0) || !(learning_rate * weight_decay <= 1)) {
    raise<domain_error>({optimizer, ": weight_decay is ", weight_decay, " at learning rate ", learning_rate,
                         "; it must not be negative, and their product at most 1"});
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
