// SPDX-License-Identifier: MIT
/// @file
/// The command line of sigmax-transformer.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sample.hpp"
#include "settings.hpp"

namespace transformer {

struct train_arguments {
  run_settings settings;
  /// File or folder.
  std::string text;
  std::string out;
  /// Go on from the checkpoint in `out`; settings and text are its.
  bool resume = false;
  /// Neither lines of progress nor the certificate are printed.
  bool quiet = false;
  /// Prove and write the certificate at the end.
  bool certifies = true;
  /// Stop at a checkpoint when they are over; 0: go on to the end.
  double seconds = 0;
  int threads = 1;
  /// "cpu" or "cuda"; empty: that of the checkpoint, or "cpu".
  std::string device;
};

struct sample_arguments {
  /// model.safetensors or a checkpoint, or a folder with one.
  std::string model;
  sampling how;
  int threads = 1;
};

struct certify_arguments {
  /// A folder of a run, or its file.
  std::string model;
  /// Only formulas of norms, not the graph.
  bool fast = false;
  int threads = 1;
};

/// A grid of runs of the settings, text and threads of `training`, in folders inside of its `out`.
struct sweep_arguments {
  train_arguments training;
  std::vector<std::string> optimizers{"muon", "adamw"};
  std::vector<std::string> constraints{"soft_cap", "hard_cap", "spectral_normalize", "weight_decay"};
  std::vector<double> caps{1, 1.5, 2, 3};
  std::vector<double> muon_rates{0.05, 0.1, 0.2};
  std::vector<double> adamw_rates{0.001, 0.003, 0.01};
  double minutes = 30;
  int threads = 1;
};

struct report_arguments {
  /// The folder of a run, or one with runs in it.
  std::string folder;
  /// Print them as a table in Markdown as well.
  bool table = false;
  int threads = 1;
};

/// The program has nothing more to do: `text` goes to stdout if `status` is 0, else it is one line for stderr.
struct finished {
  int status;
  std::string text;
};

using any_arguments =
    std::variant<train_arguments, sample_arguments, certify_arguments, report_arguments, sweep_arguments, finished>;

any_arguments parse_arguments(int argc, char const* const* argv);

}  // namespace transformer
