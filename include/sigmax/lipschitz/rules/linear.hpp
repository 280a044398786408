// SPDX-License-Identifier: MIT
/// @file
/// The rule of matrix products with a stored matrix.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/matrix_times.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/value_range.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = coefficient * W x along the last axis: input (..., in), W out x in, output (..., out). Sensitivity
/// |coefficient| times the spectral norm of W in l2, times the largest absolute row sum in linf, times
/// sqrt(in / out) ||W||_2 in rms.
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
    if (asked == norm::linf) return "largest row sum";
    return asked == norm::rms ? "sqrt(in / out) times the spectral norm, proven by Cholesky"
                              : "spectral norm, proven by Cholesky";
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
    // ||c W d||^2 <= (|c| ||W||)^2 ||d||^2; in linf each entry is at most |c| times its row sum times max |d|. In rms
    // each row is multiplied by c W alone: ||c W d|| / sqrt(out) <= |c| ||W|| sqrt(in / out) ||d|| / sqrt(in).
    using proven_in = std::conditional_t<std::same_as<N, norm::rms_t>, norm::l2_t, N>;
    auto const norm_of_matrix = prove_operator_norm<proven_in>(weight_, context);
    extended factor(std::fabs(coefficient_));
    if constexpr (std::same_as<N, norm::rms_t>) {
      factor = factor * extended(lipschitz::detail::sqrt_of_ratio_up(static_cast<double>(weight_.cols()),
                                                                     static_cast<double>(weight_.rows())));
    }
    return {detail::proven<N>(factor * norm_of_matrix.extended_value(), norm_of_matrix.rests_on())};
  }

  linearity difference() const { return linearity::linear; }

  /// |y_i| <= |c| ||w_i|| ||x||, and the same for differences from the centre.
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr || !(is_finite(input->longest_row) || is_finite(input->row_distance))) return;
    double const c = std::fabs(coefficient_);
    double const norm_of_matrix = multiply_up(c, prove_operator_norm<norm::l2_t>(weight_, context).value());
    output.longest_row = min_up(output.longest_row, multiply_up(norm_of_matrix, input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(norm_of_matrix, input->row_distance));
    auto const rows = static_cast<std::size_t>(weight_.rows());
    std::vector<double> lengths(rows);
    weight_.visit([&](auto const& w) {
      for (std::size_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (index_t j = 0; j < w.cols(); ++j) {
          double const element = static_cast<double>(w(static_cast<index_t>(i), j));
          sum = add_up(sum, multiply_up(element, element));
        }
        lengths[i] = multiply_up(c, sqrt_up(sum));
      }
    });
    for (std::size_t i = 0; i < output.box.size(); ++i) {
      double const length = lengths[i % rows];
      if (is_finite(input->longest_row)) {
        output.box[i] = lipschitz::detail::within(output.box[i], 0.0, multiply_up(length, input->longest_row));
      }
      if (is_finite(input->row_distance) && !output.centre.empty()) {
        output.box[i] =
            lipschitz::detail::within(output.box[i], output.centre[i], multiply_up(length, input->row_distance));
      }
    }
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
