// SPDX-License-Identifier: MIT
/// @file
/// Training of a classifier by one of three recipes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sigmax/kernels.hpp>

#include "classifier.hpp"
#include "digits.hpp"

namespace robust_mlp {

/// How a classifier is trained.
struct recipe {
  std::string name;
  /// "muon" with a soft cap, "adamw" with a hard cap or with weight decay alone.
  std::string optimizer = "muon";
  /// Cap of each weight in l2; 0: none.
  double sigma_max = 1;
  double weight_decay = 0;
  double learning_rate = 0.05;
  /// Loss: cross-entropy of temperature * (logits - margin at the label).
  double temperature = 2;
  double margin = 0;
  activation phi = activation::relu;
  index_t width = 256;
  int epochs = 20;
  index_t batch = 200;
  /// Training images are shifted by at most that many pixels.
  int shift = 1;
  std::uint64_t seed = 1;
};

/// One after each epoch.
struct epoch_report {
  int epoch;
  double loss, accuracy;
};

/// What a trained classifier is, and how its weights were checked.
struct trained_classifier {
  classifier model;
  /// Proofs, after every step, that a weight is inside its cap, and how many failed.
  std::int64_t checks = 0, violations = 0;
};

/// Deterministic. @throws numeric_error if the loss is no number.
trained_classifier train(sigmax::cpu::native const& on, recipe const& how, digits const& data,
                         std::function<void(epoch_report const&)> const& hear);

}  // namespace robust_mlp
