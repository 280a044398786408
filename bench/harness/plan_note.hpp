// SPDX-License-Identifier: MIT
/// @file
/// A plan in the few words that fit into the table.
#pragma once

#include <string>

#include <sigmax/spectral/plan.hpp>

namespace bench {

/// "5 steps, standard" or "5 steps, Gram from 1, 4".
inline std::string note_of(sigmax::polynomial_plan const& plan) {
  std::string text = std::to_string(plan.steps) + " steps, ";
  if (plan.segments == plan.steps) return text + "standard";
  text += "Gram from";
  for (int t = 0, listed = 0; t < plan.steps; ++t) {
    if (plan.starts_segment[t]) text += (listed++ > 0 ? ", " : " ") + std::to_string(t + 1);
  }
  return text;
}

}  // namespace bench
