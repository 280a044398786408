// SPDX-License-Identifier: MIT
/// @file
/// Schedules from files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sigmax/polynomial/polynomial_schedule.hpp>

namespace polynomials_program {

/// Longest file that is read, in bytes: 32 steps take 3 KiB.
inline constexpr int most_bytes = 65536;

/// The steps in `text`, which is one of
///
///     3.4445 -4.7750 2.0315     # one step a line: coefficients of x, x^3, x^5, ...
///     1.5, -0.5
///
///     [[3.4445, -4.775, 2.0315], [1.5, -0.5]]
///
/// with 1 to 32 steps of 1 to 5 finite decimal numbers each. The name of the schedule is left for the caller.
/// @throws sigmax::format_error "LABEL:LINE: 'VALUE': RULE" for anything else.
sigmax::polynomial_schedule parse_coefficients(std::string_view text, std::string const& label);

/// The same of a regular file of at most `most_bytes`. @throws sigmax::format_error that begins with the path.
sigmax::polynomial_schedule load_coefficients(std::filesystem::path const& path);

}  // namespace polynomials_program
