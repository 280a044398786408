// SPDX-License-Identifier: MIT
/// @file
/// Whether a run is to be believed.
#pragma once

#include <string>
#include <vector>

#include "table/result.hpp"

namespace bench_table {

/// What speaks against the run as a whole or against single rows, a sentence each.
struct doubts {
  /// Somebody was faster than the peak: P was measured wrong, and with it every fraction of P.
  std::vector<std::string> invalid;
  /// Other processes ran on our processors; times are too long, and not equally so.
  std::vector<std::string> disturbed;
};

doubts doubts_about(results const& all);

}  // namespace bench_table
