// SPDX-License-Identifier: MIT
/// @file
/// The published formula for attention, to be shown beside a bound.
#pragma once

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// (1/3) ||W_O|| (||W_V|| + 2 ||W_V|| a^2 ||W_Q|| ||W_K||) s, as computed by the code of Newhouse et al., "Training
/// Transformers with Enforced Lipschitz Bounds" (2025): all norms from rms to rms, a the largest rms of a token, s =
/// (scale of the scores) times (width of a head).
///
/// **This is not a bound** for more than one head: concatenated heads may pick different tokens, and the rms of one head's
/// queries exceeds that of the whole row by up to sqrt(H). With unit norms and scores divided by the
/// width of a head, where it says 3, the output of four heads of width 16 moves by 3.1 at the least and of six heads of width 128 by 4.1
/// (tests/lipschitz/attention_cases.test.cpp); for s < 1 the factor s must not multiply ||W_V||. A plain number that enters no certificate.
constexpr double published_attention_bound(double output_norm, double value_norm, double query_norm, double key_norm,
                                           double largest_rms, double softmax_scale) {
  return output_norm * (value_norm + 2 * value_norm * largest_rms * largest_rms * query_norm * key_norm) *
         softmax_scale / 3;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
