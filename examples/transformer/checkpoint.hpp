// SPDX-License-Identifier: MIT
/// @file
/// Training and models in files.
///
/// model.safetensors: the weights by name, and as metadata `settings` (JSON), `vocabulary` (hexadecimal bytes) and `step`.
/// checkpoint.safetensors: that, the state of all optimizers, the `digest` and `text` of the run, and what was checked of its
/// caps (`checks`, `violations`, `matrices`, `hard_capped`, `proven`, `rescaled`). What a step sees of
/// the text follows from `seed` and `step`. Both are written atomically.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sigmax/io/safetensors.hpp>

#include "corpus.hpp"
#include "parameters.hpp"
#include "settings.hpp"
#include "trainer.hpp"

namespace transformer {

std::string settings_text(run_settings const& settings);
/// @throws format_error if a setting is missing or of another type.
run_settings settings_from(std::string const& text);

/// What the metadata of both files say.
struct stored_run {
  run_settings settings;
  std::string vocabulary;
  std::int64_t step = 0;
  /// Of a checkpoint.
  std::string text;
  /// What the run was computed on, as --device names it.
  std::string device = "cpu";
  std::uint64_t digest = 0;
  cap_checks caps;
};

/// @throws format_error if it was not written by this program.
stored_run run_of(sigmax::io::safetensors_file const& file);

void save_model(std::filesystem::path const& path, trainer const& of);
/// `text`: the path of the text.
void save_checkpoint(std::filesystem::path const& path, trainer const& of, std::string const& text);

/// Weights of a file of either kind.
parameters<float> weights_of(sigmax::io::safetensors_file const& file, model_shape const& shape);

/// A model, whether its training is over or not.
struct stored_model {
  run_settings settings;
  parameters<float> weights;
  tokenizer vocabulary;
  std::int64_t step = 0;
};

/// model.safetensors or a checkpoint; of a folder the first if it is there, else the other.
/// @throws format_error that names the path.
stored_model load_model(std::filesystem::path path);

}  // namespace transformer
