// SPDX-License-Identifier: MIT
/// @file
/// The rule of values put side by side.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// The inputs one after another along an axis. Together the inputs count sqrt(sum L_i^2) in l2 and max L_i in linf; in
/// rms sqrt(sum (d_i / d) L_i^2) along the last axis and max L_i along others (`joins`).
class concatenate {
 public:
  /// @throws domain_error if there are no inputs.
  template <class = void>
  explicit concatenate(std::size_t inputs, std::size_t axis) : inputs_(inputs), axis_(axis) {
    if (inputs == 0) sigmax::detail::raise<domain_error>({"concatenate: 0 inputs; there must be one or more"});
  }

  std::size_t axis() const { return axis_; }

  std::string operator_name() const { return "concatenate"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::l2 ? "root of the sum of squares over the inputs" : "largest over the inputs";
  }
  /// @throws shape_error if the inputs differ in more than the axis.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("concatenate", shapes, inputs_);
    auto result = shapes[0];
    if (axis_ >= result.size()) {
      sigmax::detail::raise<shape_error>({"concatenate: axis ", axis_, " of shape ", shape_text(result)});
    }
    for (std::size_t k = 1; k < shapes.size(); ++k) {
      auto other = shapes[k];
      if (axis_ < other.size()) other[axis_] = shapes[0][axis_];
      if (other != shapes[0]) {
        sigmax::detail::raise<shape_error>({"concatenate: inputs have shapes ", shape_text(shapes[0]), " and ",
                                            shape_text(shapes[k]), "; they may differ along axis ", axis_, " only"});
      }
      result[axis_] += shapes[k][axis_];
    }
    return result;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const&) const {
    // Proof: each input is a part of the output. A row of an input along the last axis, d_i of d elements, counts
    // ||r|| / sqrt(d) = sqrt(d_i / d) ||r|| / sqrt(d_i).
    sensitivities<N> result;
    auto const output = output_shape(shapes);
    for (auto const& shape : shapes) {
      double factor = 1;
      if constexpr (std::same_as<N, norm::rms_t>) {
        factor = lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(row_norm::row_width(shape)),
                                                     static_cast<double>(row_norm::row_width(output)));
      }
      result.push_back(detail::proven<N>(extended(factor)));
    }
    return result;
  }

  joining joins(norm::any asked, std::span<tensor_shape const> shapes) const {
    bool const in_rows = axis_ + 1 == shapes[0].size();
    return asked == norm::l2 || (asked == norm::rms && in_rows) ? joining::root_of_squares : joining::maximum;
  }

  linearity difference() const { return linearity::linear; }

  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    bool const in_rows = axis_ + 1 == shapes[0].size();
    double longest = 0;
    double distance = 0;
    for (std::size_t k = 0; k < inputs_; ++k) {
      auto const* const input = context.range(k);
      if (input == nullptr) return;
      auto const joined = [&](double sum, double own) {
        return in_rows ? add_up(sum, multiply_up(own, own)) : max_up(sum, own);
      };
      longest = joined(longest, input->longest_row);
      distance = joined(distance, input->row_distance);
    }
    output.longest_row = min_up(output.longest_row, in_rows ? sqrt_up(longest) : longest);
    output.row_distance = min_up(output.row_distance, in_rows ? sqrt_up(distance) : distance);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    copy(shapes, [&](std::size_t k, std::size_t from, std::size_t to) { output[to] = inputs[k][from]; });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    copy(shapes, [&](std::size_t k, std::size_t from, std::size_t to) {
      if (!input_gradients[k].empty()) input_gradients[k][from] += output_gradient[to];
    });
  }

 private:
  template <class F>
  void copy(std::span<tensor_shape const> shapes, F const& move) const {
    std::size_t outer = 1;
    for (std::size_t k = 0; k < axis_; ++k) outer *= static_cast<std::size_t>(shapes[0][k]);
    std::size_t to = 0;
    for (std::size_t o = 0; o < outer; ++o) {
      for (std::size_t k = 0; k < shapes.size(); ++k) {
        std::size_t const size = static_cast<std::size_t>(element_count(shapes[k])) / outer;
        for (std::size_t i = 0; i < size; ++i) move(k, o * size + i, to++);
      }
    }
  }

  std::size_t inputs_;
  std::size_t axis_;
};
static_assert(rule<concatenate>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
