// SPDX-License-Identifier: MIT
/// @file
/// What the project promised, as rules over rows of the table.
#pragma once

#include <string>
#include <vector>

#include "table/result.hpp"

namespace bench_table {

/// A promise that applies to a row, and whether it was kept.
struct judgement {
  std::string promise;
  double measured = unknown;
  bool kept = false;
};

/// All promises about the row. Those about peers that did not run are left out.
std::vector<judgement> judge(results const& all, row const& what);

}  // namespace bench_table
