// SPDX-License-Identifier: MIT
/// @file
/// Analyses as JSON.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "analysis.hpp"

namespace polynomials_program {

/// One object. Numbers read back as the doubles that were proved; what is infinite or does not exist is null.
nlohmann::ordered_json to_json(std::vector<analysis> const& analyses);

}  // namespace polynomials_program
