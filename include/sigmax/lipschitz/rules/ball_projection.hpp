// SPDX-License-Identifier: MIT
/// @file
/// The rule of projections of tokens on a ball.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = x / max(1, rms(x) / radius) row by row: the nearest point of the ball of tokens whose root mean square is at most
/// `radius`, the identity inside. It costs a transformer nothing and keeps attention behind it bounded for all inputs.
class ball_projection {
 public:
  /// @throws domain_error if the radius is not positive and finite.
  template <class = void>
  explicit ball_projection(double radius) : radius_(radius) {
    if (!(radius > 0) || !is_finite(radius)) {
      sigmax::detail::raise<domain_error>(
          {"ball_projection: radius is ", detail::short_number(radius), "; it must be positive and finite"});
    }
  }

  double radius() const { return radius_; }

  std::string operator_name() const { return "ball_projection"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "(1 + sqrt(width)) / 2: projection of rows on a ball"
                               : "1: projection of rows on a convex set";
  }
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("ball_projection", shapes, 1);
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof: projections on convex sets are 1-Lipschitz in the Euclidean length of each row, hence in l2 and rms. In linf,
    // inside the ball the slope is 1; outside, with u = x / ||x|| and s = radius / rms(x) < 1, the Jacobian is
    // s (I - u u'), whose row i has the sum of absolute values s (1 - u_i^2 + |u_i| (||u||_1 - |u_i|)) and
    // ||u||_1 - |u_i| <= sqrt(w - 1) sqrt(1 - u_i^2). With u_i = sin t this is at most cos^2 t + sqrt(w - 1) sin t cos t
    // = (1 + cos 2t + sqrt(w - 1) sin 2t) / 2 <= (1 + sqrt(w)) / 2. The map is continuous and smooth on both sides.
    if constexpr (std::same_as<N, norm::linf_t>) {
      if (inside(shapes[0], context)) return {detail::proven<N>(extended(1.0))};
      double const root = lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(row_norm::row_width(shapes[0])), 1.0);
      return {detail::proven<N>(extended(max_up(1.0, add_up(1.0, root) / 2)))};
    } else {
      return {detail::proven<N>(extended(1.0))};
    }
  }

  bool bounds_values() const { return true; }

  /// No row is longer than the ball or than before, and rows keep their distances.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    output.longest_row = min_up(output.longest_row, longest(shapes[0]));
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    output.longest_row = min_up(output.longest_row, input->longest_row);
    if (!output.centre.empty()) output.row_distance = min_up(output.row_distance, input->row_distance);
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    using std::sqrt;
    std::size_t const width = row_norm::row_width(shapes[0]);
    T const most = T(radius_) * sqrt(T(static_cast<double>(width)));
    for (std::size_t first = 0; first < output.size(); first += width) {
      T squares(0.0);
      for (std::size_t i = first; i < first + width; ++i) {
        if constexpr (std::is_same_v<T, interval>) {
          squares += square(inputs[0][i]);
        } else {
          squares += inputs[0][i] * inputs[0][i];
        }
      }
      if constexpr (std::is_same_v<T, interval>) {
        interval const length = sqrt(squares);
        // radius sqrt(w) / max(length, radius sqrt(w)), in [0, 1] wherever the row lies.
        interval const factor = clamped(most / max(length, most), 0.0, 1.0);
        for (std::size_t i = first; i < first + width; ++i) {
          output[i] =
              length.upper <= most.lower ? inputs[0][i] : clamped(inputs[0][i] * factor, -most.upper, most.upper);
        }
      } else {
        T const length = sqrt(squares);
        bool const outside = value_of(length) > value_of(most);
        for (std::size_t i = first; i < first + width; ++i) {
          output[i] = outside ? inputs[0][i] * (most / length) : inputs[0][i];
        }
      }
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    std::size_t const width = row_norm::row_width(shapes[0]);
    double const most = radius_ * std::sqrt(static_cast<double>(width));
    for (std::size_t first = 0; first < output_gradient.size(); first += width) {
      double squares = 0;
      double along = 0;
      for (std::size_t i = first; i < first + width; ++i) {
        squares += inputs[0][i] * inputs[0][i];
        along += inputs[0][i] * output_gradient[i];
      }
      double const length = std::sqrt(squares);
      for (std::size_t i = first; i < first + width; ++i) {
        input_gradients[0][i] +=
            length > most ? most / length * (output_gradient[i] - along / squares * inputs[0][i]) : output_gradient[i];
      }
    }
  }

 private:
  static double value_of(double x) { return x; }
  static double value_of(dual x) { return x.value; }

  /// >= the length of a row in the ball.
  double longest(tensor_shape const& shape) const {
    return multiply_up(radius_,
                       lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(row_norm::row_width(shape)), 1.0));
  }
  bool inside(tensor_shape const& shape, rule_context const& context) const {
    auto const* const input = context.range(0);
    return input != nullptr &&
           input->longest_row <= multiply_down(radius_, sqrt_down(static_cast<double>(row_norm::row_width(shape))));
  }

  double radius_;
};
static_assert(rule<ball_projection>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
