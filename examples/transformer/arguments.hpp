// SPDX-License-Identifier: MIT
/// @file
/// The command line of sigmax-transformer.
#pragma once

#include <string>
#include <variant>

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
  int threads = 1;
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

struct report_arguments {
  /// The folder of a run, or one with runs in it.
  std::string folder;
  int threads = 1;
};

/// The program has nothing more to do: `text` goes to stdout if `status` is 0, else it is one line for stderr.
struct finished {
  int status;
  std::string text;
};

using any_arguments = std::variant<train_arguments, sample_arguments, certify_arguments, report_arguments, finished>;

any_arguments parse_arguments(int argc, char const* const* argv);

}  // namespace transformer
