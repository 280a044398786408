// SPDX-License-Identifier: MIT
/// @file
/// Activations of the table of rules that are operators of ONNX, and what ONNX calls their parameters.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/activation_entry.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Names in the activation table that are no operators of ONNX's default domain up to the newest set we know.
inline constexpr std::array<std::string_view, 2> foreign_activations{"QuickGelu", "Swish"};

/// True for the name of an activation that is an operator of ONNX's default domain.
inline bool is_onnx_activation(std::string_view type) {
  bool const foreign =
      std::find(foreign_activations.begin(), foreign_activations.end(), type) != foreign_activations.end();
  return !foreign && lipschitz::rules::find_activation_by_onnx(type) != nullptr;
}

/// Parameters that ONNX gives as float attributes of the same name.
inline std::vector<std::string_view> activation_attributes(lipschitz::rules::activation_entry const& entry) {
  std::vector<std::string_view> names;
  for (auto const& parameter : entry.parameters) {
    if (parameter.onnx_attribute && !parameter.name.empty()) names.push_back(parameter.name);
  }
  return names;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
