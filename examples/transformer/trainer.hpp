// SPDX-License-Identifier: MIT
/// @file
/// A model in training.
#pragma once

#include <cstdint>
#include <vector>

#include <sigmax/core/workspace.hpp>
#include <sigmax/kernels.hpp>

#include "batches.hpp"
#include "corpus.hpp"
#include "model.hpp"
#include "settings.hpp"
#include "weight_optimizer.hpp"

namespace transformer {

/// What was proven of the weights after steps: of each whose constraint proves a cap that it is inside, and of each row of
/// the embedding that its RMS is at most 1.
struct cap_checks {
  std::int64_t checks = 0;
  /// Checks that failed: 0, or something is wrong.
  std::int64_t violations = 0;
  constraint::outcome constrained;

  cap_checks& operator+=(cap_checks const& other);
  bool operator==(cap_checks const&) const = default;
};

/// What one step did.
struct step_result {
  batch_loss loss;
  cap_checks caps;
  /// Wall-clock time of the whole step, and of optimizers and constraints, proofs included.
  double seconds = 0;
  double seconds_of_optimizers = 0;
  /// The largest learning rate there is, as a share of its peak.
  double rate = 0;
};

/// Weights, optimizers and the number of steps taken. The same settings, text and thread count or not: the same bits.
class trainer {
 public:
  /// At step 0. The text must outlive this.
  trainer(sigmax::cpu::native const& on, run_settings const& settings, corpus const& text);
  trainer(trainer const&) = delete;
  trainer& operator=(trainer const&) = delete;

  /// One step; a warmed one allocates nothing.
  /// @throws numeric_error if the loss or a gradient is no number; weights are as they were, or partly stepped.
  step_result step();

  /// The whole validation split.
  batch_loss validate();

  /// The largest numbers inside of the model for the batch of the last step.
  activation_maxima largest_activations() const { return transformer::largest_activations(on_, activations_); }

  std::int64_t steps() const { return steps_; }
  /// Since the first step, over all resumptions.
  cap_checks const& caps() const { return caps_; }
  run_settings const& settings() const { return settings_; }
  corpus const& text() const { return *text_; }
  parameters<float> const& weights() const { return weights_; }
  std::vector<weight_optimizer> const& optimizers() const { return optimizers_; }

  /// Everything the next step depends on.
  void add_to(sigmax::io::optimizer_state_writer& state) const;
  /// The same from a file. @throws what reading throws; then this must not be used any more.
  void restore(sigmax::io::safetensors_file const& file, std::int64_t steps, cap_checks const& caps);

 private:
  sigmax::cpu::native on_;
  run_settings settings_;
  corpus const* text_;
  model<float> model_;
  parameters<float> weights_;
  parameters<float> gradient_;
  activations<float> activations_;
  batch_sampler batches_;
  sigmax::workspace scratch_;
  std::vector<weight_optimizer> optimizers_;
  std::int64_t steps_ = 0;
  cap_checks caps_;
};

}  // namespace transformer
