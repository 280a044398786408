// SPDX-License-Identifier: MIT
/// @file
/// What a run says of itself: a line for people now and then, and metrics.jsonl.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model.hpp"
#include "trainer.hpp"

namespace transformer {

/// The norm of one weight, from RMS to RMS; of the embedding, the largest RMS of a row.
struct weight_norm {
  std::string name;
  double upper;
};

/// Proven upper bounds, within a thousandth. Cost: a proof of each weight.
std::vector<weight_norm> weight_norms(trainer const& of);

/// Singular values of one weight, from RMS to RMS: the smallest, those above 5, 25, 50, 75 and 95 % of them, the largest.
struct weight_spectrum {
  std::string name;
  std::array<double, 7> quantiles;
};

/// Estimates, of all weights but the embedding. Cost: an eigendecomposition of each Gram matrix.
std::vector<weight_spectrum> weight_spectra(sigmax::cpu::native const& on, parameters<float> const& weights);

/// One line of metrics.jsonl; everything but `seconds…` and `tokens_per_second` is the same in every run of the settings.
struct measurement {
  std::int64_t step;
  /// Of the batches since the last line.
  batch_loss training;
  std::optional<batch_loss> validation;
  std::vector<weight_norm> norms;
  /// Now and then.
  std::vector<weight_spectrum> spectra;
  activation_maxima activations;
  double rate;
  double tokens_per_second;
  /// Share of optimizers and constraints in the time of the steps.
  double optimizer_share;
  /// Since the start of the run.
  cap_checks caps;

  double largest_norm() const;
  std::string line_for_people(std::int64_t of_steps) const;
  std::string json() const;
};

/// metrics.jsonl, appended to line by line.
class metrics_file {
 public:
  /// Keeps the lines of steps up to `steps` of a file that is there: what a run wrote after its last checkpoint it will
  /// write again.
  metrics_file(std::filesystem::path path, std::int64_t steps);
  /// @throws format_error if it cannot be written.
  void append(measurement const& line) const;

 private:
  std::filesystem::path path_;
};

}  // namespace transformer
