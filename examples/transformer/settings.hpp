// SPDX-License-Identifier: MIT
/// @file
/// Everything a run is determined by, but for its text and its threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model_options.hpp"
#include "model_shape.hpp"

namespace transformer {

struct run_settings {
  /// The vocabulary follows from the text.
  model_shape shape;
  model_options model;

  std::string optimizer = "muon";
  std::string constraint = "soft_cap";
  /// Cap of every weight in the operator norm from RMS to RMS, and of the head, if it has another (0: the same).
  double sigma_max = 2;
  double head_sigma_max = 0;
  /// Muon: the RMS to RMS norm of a step. AdamW: as ever.
  double learning_rate = 0.1;
  /// Of the embedding; Muon: the RMS of a row's step.
  double embedding_learning_rate = 0.1;
  /// Of position biases, always AdamW's.
  double position_learning_rate = 0.1;
  /// Decoupled; the fraction of a step for spectral_weight_decay and clipped_weight_decay.
  double weight_decay = 0;
  double momentum = 0.95;
  bool nesterov = true;
  std::int64_t warmup_steps = 0;
  std::int64_t steps = 1000;
  /// Sequences of a step, and how many of them are computed at once.
  std::int64_t batch = 16;
  std::int64_t micro_batch = 16;
  std::uint64_t seed = 1;
  std::int64_t log_every = 20;
  std::int64_t validate_every = 200;
  std::int64_t checkpoint_every = 200;

  bool operator==(run_settings const&) const = default;
};

/// f(name, member) for all of them: what checkpoints and metrics store.
template <class Settings, class F>
void for_each_setting(Settings& all, F const& f) {
  f("width", all.shape.width);
  f("blocks", all.shape.blocks);
  f("heads", all.shape.heads);
  f("key_width", all.shape.key_width);
  f("mlp_width", all.shape.mlp_width);
  f("context", all.shape.context);
  f("vocabulary", all.shape.vocabulary);
  f("position_bias", all.shape.position_bias);
  f("attention_scale", all.model.attention_scale);
  f("attention_gain", all.model.attention_gain);
  f("residual_scale", all.model.residual_scale);
  f("ball_radius", all.model.ball_radius);
  f("logit_scale", all.model.logit_scale);
  f("optimizer", all.optimizer);
  f("constraint", all.constraint);
  f("sigma_max", all.sigma_max);
  f("head_sigma_max", all.head_sigma_max);
  f("learning_rate", all.learning_rate);
  f("embedding_learning_rate", all.embedding_learning_rate);
  f("position_learning_rate", all.position_learning_rate);
  f("weight_decay", all.weight_decay);
  f("momentum", all.momentum);
  f("nesterov", all.nesterov);
  f("warmup_steps", all.warmup_steps);
  f("steps", all.steps);
  f("batch", all.batch);
  f("micro_batch", all.micro_batch);
  f("seed", all.seed);
  f("log_every", all.log_every);
  f("validate_every", all.validate_every);
  f("checkpoint_every", all.checkpoint_every);
}

/// @throws domain_error or shape_error for settings that no run can have.
inline void check(run_settings const& all) {
  check(all.shape);
  check(all.model, all.shape);
  auto const positive = [](char const* name, std::int64_t value) {
    if (value < 1) sigmax::detail::raise<sigmax::domain_error>({name, " is ", value, "; it must be positive"});
  };
  positive("steps", all.steps);
  positive("batch", all.batch);
  positive("micro_batch", all.micro_batch);
  positive("log_every", all.log_every);
  positive("validate_every", all.validate_every);
  positive("checkpoint_every", all.checkpoint_every);
  if (all.batch % all.micro_batch != 0) {
    sigmax::detail::raise<sigmax::domain_error>(
        {"batch is ", all.batch, "; it must be a multiple of micro_batch, which is ", all.micro_batch});
  }
}

/// About a minute on two cores.
inline run_settings tiny_preset() {
  run_settings result;
  result.shape = {
      .vocabulary = 1, .width = 64, .blocks = 2, .heads = 2, .key_width = 32, .mlp_width = 256, .context = 128};
  result.model = {.logit_scale = 8};
  result.steps = 800;
  result.batch = result.micro_batch = 16;
  return result;
}

/// The transformer of the paper, section 4.2, of 2.4 million parameters, with what makes its bound small: attention that goes
/// by position first and hardly by content, residuals of half the stream, and logits scaled less than weights are capped.
inline run_settings shakespeare_preset() {
  run_settings result;
  result.shape = {.vocabulary = 1,
                  .width = 256,
                  .blocks = 3,
                  .heads = 4,
                  .key_width = 64,
                  .mlp_width = 1024,
                  .context = 256,
                  .position_bias = true};
  result.model = {.attention_scale = 0.001, .attention_gain = 1, .residual_scale = 3, .logit_scale = 4};
  result.sigma_max = 1.4;
  result.steps = 2000;
  result.batch = 16;
  result.micro_batch = 8;
  return result;
}

}  // namespace transformer
