// SPDX-License-Identifier: MIT
/// @file
/// The ways to put layers together that --method knows. One line here adds one.
#pragma once

#include <array>

namespace certify_program {

enum class method { best, product };

struct method_name {
  char const* name;
  method value;
  char const* what;
};

inline constexpr std::array methods{
    method_name{"auto", method::best, "the best of all"},
    method_name{"product", method::product, "the product of the bounds of the layers"},
};

}  // namespace certify_program
