// SPDX-License-Identifier: MIT
/// @file
/// What a checker needs to prove a bound again.
#pragma once

#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/domain.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// Multipliers for the segment that ends at a node, and the square of the bound in l2 they prove.
struct segment_proof {
  std::string end{};
  slope_multipliers multipliers{};
  double squared_bound = infinity;
};

/// A claim about a network, and what proves it. Data of anybody's: nothing in it is believed.
struct proof {
  /// Of the model's file, in hexadecimal; empty where there is none. For programs, which see the file.
  std::string sha256{};
  norm::any norm = norm::l2;
  input_domain domain{};
  extended upper{infinity};
  std::vector<segment_proof> segments{};
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
