// SPDX-License-Identifier: MIT
/// @file
/// From names, files and options to schedules.
#pragma once

#include <vector>

#include "analysis.hpp"
#include "arguments.hpp"

namespace polynomials_program {

/// What the command line asks for, in the order presets, generated, files; all presets if it names nothing.
/// @throws sigmax::domain_error for an unknown name or impossible options of the generator, sigmax::format_error for a
/// file that is no file of coefficients.
std::vector<candidate> candidates_of(arguments const& given);

}  // namespace polynomials_program
