// SPDX-License-Identifier: MIT
/// @file
/// A model in training.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sigmax/io/safetensors/load.hpp>
#include <sigmax/io/safetensors/optimizer_state.hpp>
#include <sigmax/kernels.hpp>

#include "activations.hpp"
#include "corpus.hpp"
#include "model.hpp"
#include "parameters.hpp"
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

/// Weights, optimizers and the number of steps taken, in some memory. The same settings, text and kind of device, whatever the
/// number of threads: the same bits.
class trainer {
 public:
  virtual ~trainer() = default;
  trainer(trainer const&) = delete;
  trainer& operator=(trainer const&) = delete;

  /// As --device names it.
  virtual char const* device() const = 0;
  /// What computes, for people.
  virtual std::string where() const = 0;

  /// One step; a warmed one allocates nothing.
  /// @throws numeric_error if the loss or a gradient is no number; weights are as they were, or partly stepped.
  virtual step_result step() = 0;

  /// The whole validation split.
  virtual batch_loss validate() = 0;

  /// The largest numbers inside of the model for the batch of the last step.
  virtual activation_maxima largest_activations() const = 0;

  /// On the host, as they are now; valid until the next call of anything here.
  virtual parameters<float> const& weights() const = 0;

  /// Everything the next step depends on. This must not step before it is saved.
  virtual void add_to(sigmax::io::optimizer_state_writer& state) const = 0;
  /// The same from a file, whatever it was written on. @throws what reading throws; then this must not be used any more.
  virtual void restore(sigmax::io::safetensors_file const& file, std::int64_t steps, cap_checks const& caps) = 0;

  std::int64_t steps() const { return steps_; }
  /// Since the first step, over all resumptions.
  cap_checks const& caps() const { return caps_; }
  run_settings const& settings() const { return settings_; }
  corpus const& text() const { return *text_; }

 protected:
  trainer(run_settings const& settings, corpus const& text) : settings_(settings), text_(&text) { check(settings_); }

  run_settings settings_;
  corpus const* text_;
  std::int64_t steps_ = 0;
  cap_checks caps_;
};

/// At step 0, on the processor. The text must outlive it.
std::unique_ptr<trainer> make_trainer(sigmax::cpu::native const& on, run_settings const& settings, corpus const& text);

}  // namespace transformer
