// SPDX-License-Identifier: MIT
/// @file
/// Analyses for people.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"

namespace polynomials_program {

/// Rows of cells, the first one the head. Columns from the second on are numbers.
struct table {
  std::string caption;
  std::vector<std::vector<std::string>> rows;
};

/// What p does to singular values, and what it takes.
std::vector<table> tables_of(std::vector<analysis> const& analyses);

/// What is to be said below the tables, one line each: refusals, what is proven.
std::vector<std::string> notes_on(std::vector<analysis> const& analyses);

/// Tables, coefficients of generated schedules as a file would hold them, notes.
std::string to_text(std::vector<analysis> const& analyses);

}  // namespace polynomials_program
