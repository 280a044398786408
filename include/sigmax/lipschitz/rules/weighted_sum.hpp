// SPDX-License-Identifier: MIT
/// @file
/// The rule of sums of branches: residual connections, Add, Sub, Sum, Mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = sum over i of c_i x_i for inputs of one shape; sensitivity |c_i| to input i, in every norm. A coefficient that
/// is no double (1 - a, 1/3) is given as an interval that holds it; a double is a point.
class weighted_sum {
 public:
  /// One coefficient an input. @throws domain_error if there is none, numeric_error if one is not finite.
  template <class = void>
  explicit weighted_sum(std::vector<interval> coefficients, std::string operator_name = "add")
      : coefficients_(std::move(coefficients)), name_(std::move(operator_name)) {
    if (coefficients_.empty())
      sigmax::detail::raise<domain_error>({name_, ": 0 coefficients; there must be one or more"});
    for (interval const c : coefficients_) {
      if (!c.is_bounded())
        sigmax::detail::raise<numeric_error>({name_, ": a coefficient is not finite; coefficients must be"});
    }
  }

  std::vector<interval> const& coefficients() const { return coefficients_; }

  std::string operator_name() const { return name_; }
  std::string rule_name(norm::any) const { return "|c_i| for branch i: triangle inequality"; }
  /// @throws shape_error if the number of inputs is not that of the coefficients or their shapes differ.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, coefficients_.size());
    for (auto const& shape : shapes) {
      if (shape != shapes[0]) {
        sigmax::detail::raise<shape_error>({name_, ": inputs have shapes ", shape_text(shapes[0]), " and ",
                                            shape_text(shape), "; they must be equal"});
      }
    }
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: ||sum c_i (x_i - y_i)|| <= sum |c_i| ||x_i - y_i||.
    sensitivities<N> result;
    result.reserve(coefficients_.size());
    for (interval const c : coefficients_) result.push_back(detail::proven<N>(extended(c.magnitude())));
    return result;
  }

  linearity difference() const { return linearity::linear; }

  /// Triangle inequality, row by row.
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    double longest = 0;
    double distance = 0;
    for (std::size_t k = 0; k < coefficients_.size(); ++k) {
      auto const* const input = context.range(k);
      if (input == nullptr) return;
      double const c = coefficients_[k].magnitude();
      longest = add_up(longest, multiply_up(c, input->longest_row));
      distance = add_up(distance, multiply_up(c, input->row_distance));
    }
    output.longest_row = min_up(output.longest_row, longest);
    output.row_distance = min_up(output.row_distance, distance);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    for (std::size_t k = 0; k < coefficients_.size(); ++k) {
      T const c = detail::as_scalar<T>(coefficients_[k]);
      bool const one = coefficients_[k] == interval(1.0);
      for (std::size_t i = 0; i < output.size(); ++i) {
        T const term = one ? inputs[k][i] : c * inputs[k][i];
        output[i] = k == 0 ? term : output[i] + term;
      }
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    for (std::size_t k = 0; k < coefficients_.size(); ++k) {
      if (input_gradients[k].empty()) continue;
      double const c = coefficients_[k].middle();
      for (std::size_t i = 0; i < output_gradient.size(); ++i) input_gradients[k][i] += c * output_gradient[i];
    }
  }

 private:
  std::vector<interval> coefficients_;
  std::string name_;
};
static_assert(rule<weighted_sum>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
