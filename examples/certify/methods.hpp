// SPDX-License-Identifier: MIT
/// @file
/// The ways to put layers together that --method knows. One line here adds one.
#pragma once

#include <array>

#include <sigmax/lipschitz/method.hpp>

namespace certify_program {

using sigmax::lipschitz::method;

struct method_name {
  char const* name;
  method value;
  char const* what;
};

inline constexpr std::array methods{
    method_name{"auto", method::automatic, "the best of all"},
    method_name{"product", method::product, "the product of the bounds of the layers"},
    method_name{"dynamic-program", method::dynamic_program, "products of matrices at mean slopes (LipLT)"},
    method_name{"absolute", method::absolute, "products of absolute values"},
    method_name{"eclipse", method::eclipse, "multipliers in closed form (ECLipsE-Fast)"},
    method_name{"lipsdp", method::lipsdp, "the best multipliers (LipSDP-Neuron)"},
};

}  // namespace certify_program
