// SPDX-License-Identifier: MIT
/// @file
/// The rule of operators that change nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = x, any shape; sensitivity 1 in every norm. Dropout at inference, casts that widen.
class identity {
 public:
  explicit identity(std::string operator_name = "identity") : name_(std::move(operator_name)) {}

  std::string operator_name() const { return name_; }
  std::string rule_name(norm::any) const { return "1: the identity"; }
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, 1);
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: ||x - y|| = ||x - y||.
    return {detail::proven<N>(extended(1.0))};
  }

  linearity difference() const { return linearity::translation; }
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    if (auto const* const input = context.range(0)) output = *input;
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    for (std::size_t i = 0; i < output.size(); ++i) output[i] = inputs[0][i];
  }

  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    for (std::size_t i = 0; i < output_gradient.size(); ++i) input_gradients[0][i] += output_gradient[i];
  }

 private:
  std::string name_;
};
static_assert(rule<identity>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
