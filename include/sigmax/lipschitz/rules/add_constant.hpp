// SPDX-License-Identifier: MIT
/// @file
/// The rule of biases.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = x + coefficient * values, the values repeated along the leading axes; sensitivity exactly 1 in every norm.
/// Copies share the values.
class add_constant {
 public:
  /// @throws numeric_error if a value or the coefficient is not finite.
  template <class = void>
  explicit add_constant(std::vector<double> values, double coefficient = 1.0) : coefficient_(coefficient) {
    detail::require_finite("add_constant", values);
    detail::require_finite("add_constant", {&coefficient, 1});
    values_ = std::make_shared<std::vector<double> const>(std::move(values));
  }

  std::vector<double> const& values() const { return *values_; }
  double coefficient() const { return coefficient_; }

  std::string operator_name() const { return "add_constant"; }
  std::string rule_name(norm::any) const { return "1: a translation"; }
  /// @throws shape_error if the values fill neither the input nor its last axes.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("add_constant", shapes, 1);
    detail::require_trailing("add_constant", shapes[0], values_->size());
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: (x + b) - (y + b) = x - y.
    return {detail::proven<N>(extended(1.0))};
  }

  linearity difference() const { return linearity::translation; }

  /// Rows keep their distance from the centre and grow by the longest row of constants at most.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    output.row_distance = min_up(output.row_distance, input->row_distance);
    if (!is_finite(input->longest_row)) return;
    // Rows of the constants as they repeat: of a vector that fills no row, all of it as often as it fits.
    auto const width = static_cast<double>(row_norm::row_width(shapes[0]));
    double longest = 0;
    double sum = 0;
    std::size_t const count = values_->size();
    std::size_t const row =
        count > 0 && count < static_cast<std::size_t>(width) ? count : static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < count; ++i) {
      if (i % row == 0) sum = 0;
      sum = add_up(sum, multiply_up((*values_)[i], (*values_)[i]));
      longest = max_up(longest, sum);
    }
    double const repeats = std::ceil(width / static_cast<double>(row));
    double const added = multiply_up(std::fabs(coefficient_), sqrt_up(multiply_up(longest, repeats)));
    output.longest_row = min_up(output.longest_row, add_up(input->longest_row, added));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    auto const& values = *values_;
    std::size_t next = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
      if (values.empty()) {
        output[i] = inputs[0][i];
        continue;
      }
      output[i] = inputs[0][i] + (coefficient_ == 1 ? T(values[next]) : T(coefficient_) * T(values[next]));
      next = next + 1 == values.size() ? 0 : next + 1;
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    for (std::size_t i = 0; i < output_gradient.size(); ++i) input_gradients[0][i] += output_gradient[i];
  }

 private:
  double coefficient_;
  std::shared_ptr<std::vector<double> const> values_;
};
static_assert(rule<add_constant>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
