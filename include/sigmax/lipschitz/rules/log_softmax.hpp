// SPDX-License-Identifier: MIT
/// @file
/// The rule of log-softmax along an axis.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/softmax_values.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = log softmax(x / T) along an axis of n elements, or along neighbouring axes taken as one. Sensitivity sqrt(n) / T
/// in l2 and, along the last axis, in rms, 2 / T in linf; sqrt(n) ||p|| / T and 2 max (1 - p_i) / T on known ranges.
class log_softmax {
 public:
  /// @throws domain_error unless the temperature is positive and finite.
  template <class = void>
  explicit log_softmax(axis_range axes = {}, double temperature = 1.0) : axes_(axes), temperature_(temperature) {
    detail::require_temperature("log_softmax", temperature);
  }

  axis_range axes() const { return axes_; }
  double temperature() const { return temperature_; }

  std::string operator_name() const { return "log_softmax"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "2/T: row sums of I - 1p'" : "sqrt(n)/T: I - 1p' is a projection";
  }
  /// @throws shape_error if the axes do not exist.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("log_softmax", shapes, 1);
    fibers::of("log_softmax", shapes[0], axes_);
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof: the Jacobian of a fibre is (I - 1 p') / T. For n >= 2 I - 1 p' is a projection other than 0 and I (p'1 = 1)
    // and has the norm of the complementary one (Kato 1960), ||1 p'|| = sqrt(n) ||p||, with ||p|| <= ||p||_1 = 1. Row i
    // sums to 2 (1 - p_i). The box is convex, so the probabilities on the segment of two of its points are in theirs.
    fibers const all = fibers::of("log_softmax", shapes[0], axes_);
    auto const [l2, linf] = factors(all, context);
    double const by_l2 = detail::quotient_up(l2, temperature_);
    double const by_linf = detail::quotient_up(linf, temperature_);
    if constexpr (std::is_same_v<N, norm::l2_t>) {
      return {detail::proven<N>(extended(by_l2))};
    } else if constexpr (std::is_same_v<N, norm::linf_t>) {
      return {detail::proven<N>(extended(by_linf))};
    } else {
      return {detail::proven<N>(extended(all.rms(by_l2, by_linf, shapes[0])))};
    }
  }

  /// The bound on the distance of rows.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    fibers const all = fibers::of("log_softmax", shapes[0], axes_);
    auto const* const input = context.range(0);
    if (input == nullptr || !all.are_in_rows()) return;
    double const l2 = detail::quotient_up(factors(all, context).l2, temperature_);
    output.row_distance = min_up(output.row_distance, multiply_up(l2, input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    fibers const all = fibers::of("log_softmax", shapes[0], axes_);
    detail::softmax_values<T> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, temperature_);
      auto const y = values.log_probabilities();
      for (std::size_t k = 0; k < all.length; ++k) output[all.start(f) + k * all.stride] = y[k];
    }
  }

  /// J'g = (g - p 1'g) / T.
  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    fibers const all = fibers::of("log_softmax", shapes[0], axes_);
    detail::softmax_values<double> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, temperature_);
      auto const p = values.probabilities();
      double sum = 0;
      for (std::size_t k = 0; k < all.length; ++k) sum += output_gradient[all.start(f) + k * all.stride];
      for (std::size_t k = 0; k < all.length; ++k) {
        std::size_t const at = all.start(f) + k * all.stride;
        input_gradients[0][at] += (output_gradient[at] - p[k] * sum) / temperature_;
      }
    }
  }

 private:
  struct constants {
    double l2;
    double linf;
  };

  /// The constants for T = 1, over the box of the input where there is one.
  template <class = void>
  constants factors(fibers const& all, rule_context const& context) const {
    if (all.length <= 1) return {0.0, 0.0};  // y = 0
    double const root = lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(all.length), 1.0);
    auto const box = context.box(0);
    if (box.size() != all.count * all.length) return {root, 2.0};
    auto const p = detail::probabilities_over(box, all, temperature_);
    double least = 1;
    for (interval const own : p) least = own.lower < least ? own.lower : least;
    double const length = detail::length_of_probabilities(p, all);
    return {length < 1 ? multiply_up(root, length) : root, least > 0 ? 2.0 * subtract_up(1.0, least) : 2.0};
  }

  axis_range axes_;
  double temperature_;
};
static_assert(rule<log_softmax>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
