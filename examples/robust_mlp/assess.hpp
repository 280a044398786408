// SPDX-License-Identifier: MIT
/// @file
/// What is proven of a classifier, and what an attack makes of it.
#pragma once

#include <string>
#include <vector>

#include <sigmax/kernels.hpp>

#include "classifier.hpp"
#include "digits.hpp"
#include "gradient_attack.hpp"

namespace robust_mlp {

/// Shares of the test images, budget by budget.
struct assessment {
  std::string name;
  /// Correct, the logits in interval arithmetic.
  double clean = 0;
  std::vector<double> budgets;
  /// Proven: correct, and no image within the budget (l2) is classified otherwise.
  std::vector<double> certified;
  /// The same by margin / (sqrt(2) L), L the product of the layers' norms: what the pairs and the methods gain.
  std::vector<double> certified_by_product;
  /// Correct at every point the attack tried: an upper bound of the accuracy under attack.
  std::vector<double> attacked;
  /// Proven Lipschitz bounds in l2 of all logits, by the product of norms and by the best method.
  double product_bound = 0, bound = 0;
  std::string method;
  /// Images that the attack moved to another class within a radius that was certified: 0, or something is wrong.
  std::size_t contradictions = 0;
};

/// Radii from margins and from a constant of each pair of classes (sigmax/lipschitz/robustness.hpp), each proven by the
/// tightest of the methods of `certify`.
assessment assess(sigmax::cpu::native const& on, std::string name, classifier const& model, digits const& data,
                  std::vector<double> const& budgets, attack_options const& how, bool one_by_one);

}  // namespace robust_mlp
