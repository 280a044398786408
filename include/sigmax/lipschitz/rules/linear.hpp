// SPDX-License-Identifier: MIT
/// @file
/// The rule of matrix products with a stored matrix.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/matrix_times.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = coefficient * W x along the last axis: input (..., in), W out x in, output (..., out). Sensitivity
/// |coefficient| times the spectral norm of W in l2, times the largest absolute row sum in linf.
class linear {
 public:
  /// @throws numeric_error if the coefficient is not finite. NaN in W is refused when its norm is computed.
  template <class = void>
  explicit linear(weight w, double coefficient = 1.0) : weight_(std::move(w)), coefficient_(coefficient) {
    detail::require_finite("linear", {&coefficient, 1});
  }

  weight const& matrix() const { return weight_; }
  double coefficient() const { return coefficient_; }

  std::string operator_name() const { return "linear"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "largest row sum" : "spectral norm, proven by Cholesky";
  }
  /// @throws shape_error if the last axis of the input is not as long as W has columns.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("linear", shapes, 1);
    if (shapes[0].empty() || shapes[0].back() != weight_.cols()) {
      sigmax::detail::raise<shape_error>({"linear: input has shape ", shape_text(shapes[0]), ", W ",
                                          shape_text({weight_.rows(), weight_.cols()}),
                                          "; the last axis of the input must be as long as W has columns"});
    }
    auto shape = shapes[0];
    shape.back() = weight_.rows();
    return shape;
  }

  double multiply_adds(std::span<tensor_shape const> shapes) const {
    return static_cast<double>(element_count(shapes[0])) * static_cast<double>(weight_.rows());
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const& context) const {
    // Proof: the map is c (I (x) W). In l2 the squared norm of the difference is the sum over the leading axes of
    // ||c W d||^2 <= (|c| ||W||)^2 ||d||^2; in linf each entry is at most |c| times its row sum times max |d|.
    auto const norm_of_matrix = prove_operator_norm<N>(weight_, context);
    if (coefficient_ == 1) return {norm_of_matrix};
    return {detail::proven<N>(extended(std::fabs(coefficient_)) * norm_of_matrix.extended_value(),
                              norm_of_matrix.rests_on())};
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    weight_.visit([&](auto const& w) {
      auto const in = static_cast<std::size_t>(w.cols());
      auto const out = static_cast<std::size_t>(w.rows());
      for (std::size_t row = 0; out > 0 && row < output.size() / out; ++row) {
        auto const x = inputs[0].subspan(row * in, in);
        auto const y = output.subspan(row * out, out);
        detail::matrix_times(w, x, y);
        if (coefficient_ == 1) continue;
        for (T& element : y) element = T(coefficient_) * element;
      }
    });
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    weight_.visit([&](auto const& w) {
      auto const in = static_cast<std::size_t>(w.cols());
      auto const out = static_cast<std::size_t>(w.rows());
      for (std::size_t row = 0; out > 0 && row < output_gradient.size() / out; ++row) {
        detail::add_matrix_times(w.transposed(), coefficient_, output_gradient.subspan(row * out, out),
                                 input_gradients[0].subspan(row * in, in));
      }
    });
  }

 private:
  weight weight_;
  double coefficient_;
};
static_assert(rule<linear>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
