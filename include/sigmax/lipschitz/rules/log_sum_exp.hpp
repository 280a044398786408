// SPDX-License-Identifier: MIT
/// @file
/// The rule of the logarithm of a sum of exponentials along an axis.
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
#include <sigmax/lipschitz/rules/softmax_values.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = log sum_k e^(x_k) along an axis, or along neighbouring axes taken as one; the axes stay with extent 1 or go.
/// Sensitivity 1 in l2 and linf, in l2 the length of the probabilities where ranges tell it.
class log_sum_exp {
 public:
  explicit log_sum_exp(axis_range axes = {}, bool keep_axes = false) : axes_(axes), keep_axes_(keep_axes) {}

  axis_range axes() const { return axes_; }
  bool keeps_axes() const { return keep_axes_; }

  std::string operator_name() const { return "log_sum_exp"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "1: the gradient is a vector of probabilities" : "||p|| <= 1: the gradient";
  }
  /// @throws shape_error if the axes do not exist.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("log_sum_exp", shapes, 1);
    return fibers::reduced_shape("log_sum_exp", shapes[0], axes_, keep_axes_);
  }

  template <norm_tag N>
    requires(!std::is_same_v<N, norm::rms_t>)
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context)
  const {
    // Proof: the gradient of a fibre is p, with ||p||_2 <= ||p||_1 = 1, and fibres do not share elements.
    if constexpr (std::is_same_v<N, norm::linf_t>) {
      return {detail::proven<N>(extended(1.0))};
    } else {
      return {detail::proven<N>(extended(length_of_gradient(shapes, context)))};
    }
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    fibers const all = fibers::of("log_sum_exp", shapes[0], axes_);
    detail::softmax_values<T> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, 1.0);
      output[f] = values.log_sum();
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    fibers const all = fibers::of("log_sum_exp", shapes[0], axes_);
    detail::softmax_values<double> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, 1.0);
      auto const p = values.probabilities();
      for (std::size_t k = 0; k < all.length; ++k) {
        input_gradients[0][all.start(f) + k * all.stride] += p[k] * output_gradient[f];
      }
    }
  }

 private:
  template <class = void>
  double length_of_gradient(std::span<tensor_shape const> shapes, rule_context const& context) const {
    fibers const all = fibers::of("log_sum_exp", shapes[0], axes_);
    auto const box = context.box(0);
    if (box.size() != all.count * all.length) return 1.0;
    return detail::length_of_probabilities(detail::probabilities_over(box, all, 1.0), all);
  }

  axis_range axes_;
  bool keep_axes_;
};
static_assert(rule<log_sum_exp>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
