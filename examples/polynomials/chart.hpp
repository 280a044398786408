// SPDX-License-Identifier: MIT
/// @file
/// Analyses for eyes.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"

namespace polynomials_program {

/// p over a logarithmic axis from lower / 10 to 1.5 times the greatest `upper`, and below it the distance to the
/// target. One complete <svg> element, sampled in floating point; of many schedules the first 24.
std::string to_svg(std::vector<analysis> const& analyses);

/// A page with the drawing, the tables and the notes.
std::string to_html(std::vector<analysis> const& analyses);

}  // namespace polynomials_program
