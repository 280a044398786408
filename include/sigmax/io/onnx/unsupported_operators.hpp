// SPDX-License-Identifier: MIT
/// @file
/// The refusal of a network with operators that have no rule.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// Names every operator of a model that is not supported, each once, in alphabetical order.
class unsupported_operators_error : public unsupported_error {
 public:
  /// `where` names the model. Operators of other domains are written "domain.Operator".
  unsupported_operators_error(std::string const& where, std::vector<std::string> operators)
      : unsupported_operators_error(where, sorted(std::move(operators)), 0) {}

  std::vector<std::string> const& operators() const { return operators_; }

 private:
  unsupported_operators_error(std::string const& where, std::vector<std::string> operators, int)
      : unsupported_error(where + ": " + listed(operators)), operators_(std::move(operators)) {}

  static std::vector<std::string> sorted(std::vector<std::string> operators) {
    std::sort(operators.begin(), operators.end());
    operators.erase(std::unique(operators.begin(), operators.end()), operators.end());
    return operators;
  }
  static std::string listed(std::vector<std::string> const& operators) {
    std::string text = operators.size() == 1 ? "operator not supported: " : "operators not supported: ";
    for (std::size_t i = 0; i < operators.size(); ++i) {
      if (i == 20) return text + ", and " + std::to_string(operators.size() - i) + " more";
      text += (i == 0 ? "" : ", ") + printable(operators[i]);
    }
    return text;
  }

  std::vector<std::string> operators_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io
