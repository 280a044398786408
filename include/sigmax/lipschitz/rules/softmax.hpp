// SPDX-License-Identifier: MIT
/// @file
/// The rule of softmax along an axis.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = softmax(x) along one axis; a negative axis counts from the end.
class softmax {
 public:
  explicit softmax(index_t axis = -1) : axis_(axis) {}

  index_t axis() const { return axis_; }

  std::string operator_name() const { return "softmax"; }
  std::string rule_name(norm::any) const { return "1/2: softmax"; }
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("softmax", shapes, 1);
    auto const rank = static_cast<index_t>(shapes[0].size());
    if (axis_ >= rank || axis_ < -rank) {
      sigmax::detail::raise<shape_error>(
          {"softmax: axis is ", axis_, " for an input of shape ", shape_text(shapes[0]), "; it must exist"});
    }
    return shapes[0];
  }

  template <norm_tag N>
  requires(!std::is_same_v<N, norm::rms_t>) sensitivities<N> bound(std::span<tensor_shape const>,
                                                                   rule_context const&) const {
    // Proof: J = diag(p) - p p^T is symmetric with row sums of absolute values 2 p_i (1 - p_i) <= 1/2, so its norm is at
    // most 1/2 in linf and, as ||J||_2 <= sqrt(||J||_1 ||J||_inf), in l2.
    return {detail::proven<N>(extended(0.5))};
  }

  bool bounds_values() const { return true; }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    for_each_line(shapes[0], [&](std::size_t first, std::size_t step, std::size_t count) {
      auto const x = [&](std::size_t j) { return inputs[0][first + j * step]; };
      for (std::size_t j = 0; j < count; ++j) {
        T sum(1.0);
        for (std::size_t l = 0; l < count; ++l) {
          using std::exp;
          if (l != j) sum += exp(x(l) - x(j));
        }
        T const y = T(1.0) / sum;
        if constexpr (std::is_same_v<T, interval>) {
          output[first + j * step] = clamped(y, 0.0, 1.0);
        } else {
          output[first + j * step] = y;
        }
      }
    });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    std::vector<double> p(inputs[0].size());
    evaluate<double>(inputs, shapes, p);
    for_each_line(shapes[0], [&](std::size_t first, std::size_t step, std::size_t count) {
      double mean = 0;
      for (std::size_t j = 0; j < count; ++j) mean += p[first + j * step] * output_gradient[first + j * step];
      for (std::size_t j = 0; j < count; ++j) {
        std::size_t const at = first + j * step;
        input_gradients[0][at] += p[at] * (output_gradient[at] - mean);
      }
    });
  }

 private:
  template <class F>
  void for_each_line(tensor_shape const& shape, F&& f) const {
    auto const axis = static_cast<std::size_t>(axis_ < 0 ? axis_ + static_cast<index_t>(shape.size()) : axis_);
    std::size_t step = 1;
    for (std::size_t a = axis + 1; a < shape.size(); ++a) step *= static_cast<std::size_t>(shape[a]);
    auto const count = static_cast<std::size_t>(shape[axis]);
    auto const all = static_cast<std::size_t>(element_count(shape));
    for (std::size_t outer = 0; outer < all; outer += count * step) {
      for (std::size_t inner = 0; inner < step; ++inner) f(outer + inner, step, count);
    }
  }

  index_t axis_;
};
static_assert(rule<softmax>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
