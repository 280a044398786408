// SPDX-License-Identifier: MIT
/// @file
/// The command line of sigmax-polynomials.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sigmax/polynomial/minimax.hpp>

#include "analysis.hpp"

namespace polynomials_program {

struct arguments {
  /// Names of presets; files of coefficients.
  std::vector<std::string> schedules = {};
  std::vector<std::string> files = {};

  /// A schedule to generate for [lower, 1]: with so many steps, or as many as the tolerance takes.
  bool generate = false;
  sigmax::minimax_options generator = {};
  int steps = 5;
  std::optional<double> tolerance = {};

  /// The interval of the analysis; without `upper` each schedule's own.
  double lower = 1e-3;
  std::optional<double> upper = {};
  /// Without it presets know their own, and everything else aims at 1.
  std::optional<target> aim = {};

  /// Empty: not asked for. "-" in `json` is standard output.
  std::string json = {};
  std::string svg = {};
  std::string html = {};
};

/// The program has nothing more to do: `text` goes to stdout if `status` is 0, else it is one line for stderr.
struct finished {
  int status;
  std::string text;
};

std::variant<arguments, finished> parse_arguments(int argc, char const* const* argv);

}  // namespace polynomials_program
