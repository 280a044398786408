// SPDX-License-Identifier: MIT
/// @file
/// The rule of elementwise maxima and minima of several values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_i = max or min over the inputs k of x_k,i, for inputs of one shape. Sensitivity 1 to every input in every norm.
class extremum {
 public:
  enum class operation : unsigned char { maximum, minimum };

  /// @throws domain_error if there are no inputs.
  template <class = void>
  explicit extremum(operation how, std::size_t inputs = 2) : how_(how), inputs_(inputs) {
    if (inputs == 0) sigmax::detail::raise<domain_error>({operator_name(), ": 0 inputs; there must be one or more"});
  }

  operation how() const { return how_; }

  std::string operator_name() const { return how_ == operation::maximum ? "maximum" : "minimum"; }
  std::string rule_name(norm::any) const { return "1 for each branch"; }
  /// @throws shape_error if the inputs are not as many as announced, or differ in shape.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(operator_name(), shapes, inputs_);
    for (auto const& shape : shapes) {
      if (shape != shapes[0]) {
        sigmax::detail::raise<shape_error>({operator_name(), ": inputs have shapes ", shape_text(shapes[0]), " and ",
                                            shape_text(shape), "; they must be equal"});
      }
    }
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: |max_k a_k - max_k b_k| <= max_k |a_k - b_k| <= sum_k |a_k - b_k|, element by element, and the square is at
    // most sum_k |a_k - b_k|^2; the norms are monotone in the absolute values.
    return sensitivities<N>(inputs_, detail::proven<N>(extended(1.0)));
  }

  /// The largest of the differences in linf; in l2 their squares sum to those of all inputs at most.
  joining joins(norm::any asked, std::span<tensor_shape const>) const {
    if (asked == norm::linf) return joining::maximum;
    return asked == norm::l2 ? joining::root_of_squares : joining::sum;
  }

  /// Differences of rows add up as in `bound`.
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    double distance = 0;
    for (std::size_t k = 0; k < inputs_; ++k) {
      auto const* const input = context.range(k);
      distance = add_up(distance, input == nullptr ? infinity : input->row_distance);
    }
    output.row_distance = min_up(output.row_distance, distance);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    using std::max, std::min;
    for (std::size_t i = 0; i < output.size(); ++i) {
      T y = inputs[0][i];
      for (std::size_t k = 1; k < inputs_; ++k) {
        y = how_ == operation::maximum ? max(y, inputs[k][i]) : min(y, inputs[k][i]);
      }
      output[i] = y;
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      std::size_t chosen = 0;
      for (std::size_t k = 1; k < inputs_; ++k) {
        bool const better =
            how_ == operation::maximum ? inputs[k][i] > inputs[chosen][i] : inputs[k][i] < inputs[chosen][i];
        if (better) chosen = k;
      }
      if (!input_gradients[chosen].empty()) input_gradients[chosen][i] += output_gradient[i];
    }
  }

 private:
  operation how_;
  std::size_t inputs_;
};
static_assert(rule<extremum>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
