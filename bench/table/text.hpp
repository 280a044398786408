// SPDX-License-Identifier: MIT
/// @file
/// The table people read.
#pragma once

#include <string>

#include "table/result.hpp"
#include "table/validity.hpp"

namespace bench_table {

/// One line a contender, ours first; then the peaks, doubts, and how many promises were kept.
std::string to_text(results const& all, doubts const& about);

}  // namespace bench_table
