// SPDX-License-Identifier: MIT
/// @file
/// The results as a picture.
#pragma once

#include <string>

#include "table/result.hpp"

namespace bench_table {

/// Bar charts one below the other in one SVG: what fraction of P we reach, and for each kind of work how much longer
/// peers take.
std::string to_svg(results const& all);

}  // namespace bench_table
