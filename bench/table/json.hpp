// SPDX-License-Identifier: MIT
/// @file
/// The results for programs.
#pragma once

#include <string>

#include "table/result.hpp"
#include "table/validity.hpp"

namespace bench_table {

/// {context, valid, invalid[], disturbed[], peaks[], rows[{..., results[], owed[]}]}; numbers nobody knows are null.
std::string to_json(results const& all, doubts const& about);

}  // namespace bench_table
