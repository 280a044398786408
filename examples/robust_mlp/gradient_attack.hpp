// SPDX-License-Identifier: MIT
/// @file
/// Projected gradient descent on the margin, within balls of l2 (Madry et al. 2018).
#pragma once

#include <cstdint>
#include <vector>

#include <sigmax/kernels.hpp>

#include "classifier.hpp"
#include "digits.hpp"

namespace robust_mlp {

struct attack_options {
  int steps = 40;
  /// Each from another point of the ball; the first from the image itself.
  int restarts = 3;
  std::uint64_t seed = 1;
};

/// For each image, 1 if it is classified correctly at every point the attack tried within `radius` of it, pixels staying
/// in [0, 1]; else 0. An upper bound of the accuracy under attack, whatever the attack.
std::vector<char> withstands(sigmax::cpu::native const& on, classifier const& model, digits const& data, double radius,
                             attack_options const& options = {});

}  // namespace robust_mlp
