// SPDX-License-Identifier: MIT
/// @file
/// Several models side by side: what every method proved, the attack's lower bound, exit status and time.
#pragma once

#include <string>
#include <vector>

#include "outcome.hpp"

namespace certify_program {

/// One line a model under a line of headings; the columns of methods are those that any model tried. "-" is where
/// nothing was proved. The least upper bound is marked by the method's name in the column `method`.
std::string comparison(std::vector<outcome> const& outcomes);

}  // namespace certify_program
