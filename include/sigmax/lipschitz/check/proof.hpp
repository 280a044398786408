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
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// How the segment that ends at a node is bounded: by a method that needs no more than the network, or by multipliers
/// and the square of the bound in l2 that they prove.
struct segment_proof {
  node_id end = 0;
  /// Of that node, for reading.
  std::string name{};
  method how = method::lipsdp;
  slope_multipliers multipliers{};
  double squared_bound = infinity;
};

/// ||f(x) - f(y)|| <= upper ||x - y|| on the domain, and what proves it: norms of the weights, in the order in which the
/// rules of the layers ask for them, and the segments that a method bounds. Data of anybody's: nothing in it is believed.
struct proof {
  /// Of the model's file and in hexadecimal; empty where there is none. For programs, which see the file.
  std::string model_path{};
  std::string sha256{};
  norm::any norm = norm::l2;
  input_domain domain{};
  double relative_gap = 1e-7;
  extended upper{infinity};
  std::vector<norm_claim> norms{};
  std::vector<segment_proof> segments{};
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
