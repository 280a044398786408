// SPDX-License-Identifier: MIT
/// @file
/// The rule of elementwise products of two computed values.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_i = a_i b_i for inputs of one shape: gated units. Lipschitz on bounded sets only: sensitivity max |b_i| to a and
/// max |a_i| to b over the ranges of the other, in every norm.
class hadamard {
 public:
  std::string operator_name() const { return "product"; }
  std::string rule_name(norm::any) const { return "max |b| and max |a| over their ranges: product rule"; }
  std::string refusal(norm::any) const {
    return "a product of two computed values is Lipschitz only where their ranges are known: give a bounded domain";
  }
  /// @throws shape_error if there are not two inputs of one shape.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("product", shapes, 2);
    if (shapes[0] != shapes[1]) {
      sigmax::detail::raise<shape_error>({"product: inputs have shapes ", shape_text(shapes[0]), " and ",
                                          shape_text(shapes[1]), "; they must be equal"});
    }
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const& context) const {
    // Proof: a b - a' b' = (a - a') b + a' (b - b'), element by element with |b| and |a'| at most their largest values
    // on the ranges; the norms are monotone in the absolute values of the elements.
    return {detail::proven<N>(extended(largest(context, 1))), detail::proven<N>(extended(largest(context, 0)))};
  }

  bool uses_ranges() const { return true; }

  /// Each row is at most as long as one factor's row times the other's largest element; differences as in `bound`.
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    auto const* const a = context.range(0);
    auto const* const b = context.range(1);
    if (a == nullptr || b == nullptr) return;
    double const of_a = largest(context, 0);
    double const of_b = largest(context, 1);
    output.longest_row =
        min_up(output.longest_row, min_up(multiply_up(a->longest_row, of_b), multiply_up(of_a, b->longest_row)));
    output.row_distance =
        min_up(output.row_distance, add_up(multiply_up(of_b, a->row_distance), multiply_up(of_a, b->row_distance)));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    for (std::size_t i = 0; i < output.size(); ++i) output[i] = inputs[0][i] * inputs[1][i];
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    for (std::size_t k = 0; k < 2; ++k) {
      if (input_gradients[k].empty()) continue;
      auto const other = inputs[1 - k];
      for (std::size_t i = 0; i < output_gradient.size(); ++i) input_gradients[k][i] += other[i] * output_gradient[i];
    }
  }

 private:
  /// >= |x_i| for every element of input k on its range.
  static double largest(rule_context const& context, std::size_t k) {
    auto const box = context.box(k);
    if (box.empty()) return infinity;
    double magnitude = 0;
    for (interval const x : box) magnitude = max_up(magnitude, x.magnitude());
    return magnitude;
  }
};
static_assert(rule<hadamard>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
