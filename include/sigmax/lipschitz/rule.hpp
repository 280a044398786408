// SPDX-License-Identifier: MIT
/// @file
/// What a rule is: how one operator of a network turns what is known of its inputs into what is known of its output.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

struct norm_prover;

/// What certificates may be asked for besides the norm, and what is known of the inputs of a rule.
struct rule_context {
  /// Largest relative distance between the two ends of a certified spectral norm.
  double relative_gap = 1e-7;
  /// Proves spectral norms (see `prove_operator_norm`); the default backend where it is null.
  norm_prover const* prover = nullptr;
  /// Where the inputs of the rule lie on the domain; empty where nothing is known.
  std::span<value_range const* const> ranges = {};

  /// What is known of input k; nullptr if nothing is.
  value_range const* range(std::size_t k) const {
    return k < ranges.size() && ranges[k] != nullptr && !ranges[k]->is_unknown() ? ranges[k] : nullptr;
  }
  /// One enclosure an element of input k; empty if nothing is known of the elements.
  std::span<interval const> box(std::size_t k) const {
    auto const* const known = range(k);
    return known == nullptr ? std::span<interval const>() : std::span<interval const>(known->box);
  }
};

/// What a rule does to differences of its inputs.
enum class linearity : unsigned char {
  /// f(x) - f(y) depends on more than x - y.
  none,
  /// f(x) - f(y) = f(x - y): `evaluate` is a linear map.
  linear,
  /// f(x) - f(y) = x - y.
  translation,
};

/// How what is known of several inputs adds up to what is known of the output.
enum class joining : unsigned char {
  /// sum_i b_i L_i, the triangle inequality.
  sum,
  /// sqrt(sum_i (b_i L_i)^2): the inputs go to orthogonal parts of the output.
  root_of_squares,
  /// max_i b_i L_i: the norm of the output is that of one of the parts.
  maximum,
};

/// One bound b_i for each input of an operator f:
/// ||f(x_1, ..) - f(y_1, ..)||_N <= sum_i b_i ||x_i - y_i||_N for all x, y. Where x_i = y_i the term is 0 even if b_i
/// is infinite: an infinite b_i says nothing about differences in input i, the others hold for every value of it.
/// Where the context says that the inputs lie in ranges, the inequality is owed for x, y in them only.
template <norm_tag N>
using sensitivities = std::vector<log_upper_bound<op<N, N>>>;

/// An operator of a network. (The rules of this folder write `template <class = void>` before members that work with
/// strings and vectors: a file that includes them all compiles those it uses.) A value type with
///  - `operator_name()`, as the table prints it ("linear", "gelu", ...);
///  - `rule_name(norm)`, one line that says which theorem gives the bound in that norm;
///  - `output_shape(inputs)`, which throws shape_error for inputs that do not fit;
///  - `bound<N>(inputs, context)`, the proven sensitivities in the norm N given the shapes of the inputs and, in the
///    context, where their values lie; for l2 and linf, and for rms where that is better than what follows from those
///    two (a rule without a bound of its own in rms constrains the template);
///  - `evaluate(inputs, shapes, output)` over any of double, dual and interval, in exact semantics of the stored
///    parameters as far as the scalar goes (`interval` encloses them);
///  - `pull_back(inputs, shapes, output_gradient, input_gradients)`, which adds J_i^T g to input_gradients[i], or skips
///    an input whose span is empty; only the attack uses it, nothing proven rests on it.
/// And where it applies
///  - `refusal(norm)`, why there is no finite bound;
///  - `multiply_adds(inputs)`, the work of `evaluate`;
///  - `uses_ranges()`, true if the bound is finite only, or also on all inputs smaller, where ranges are known;
///  - `bounds_values()`, true if the output is bounded whatever the inputs are (softmax, normalisation);
///  - `refine(inputs, context, output)`, which sharpens the range of the output beyond what `evaluate` over the boxes of
///    the inputs says: each member may be replaced by a smaller one that is proven to hold;
///  - `joins(norm, inputs)`, a `joining` of the sensitivities of several inputs, proven as they are: the norm of the
///    difference of outputs is at most that combination of the b_i ||x_i - y_i||; the sum where it is left out;
///  - `difference()`, a `linearity`: where it is not `none`, methods may see through the rule.
template <class R>
concept rule = std::copyable<R> &&
    requires(R const& r, std::span<tensor_shape const> shapes, rule_context const& context,
             std::span<std::span<double const> const> inputs, std::span<double> output,
             std::span<double const> gradient, std::span<std::span<double> const> gradients) {
  { r.operator_name() } -> std::convertible_to<std::string>;
  { r.rule_name(norm::any(norm::l2)) } -> std::convertible_to<std::string>;
  { r.output_shape(shapes) } -> std::same_as<tensor_shape>;
  { r.template bound<norm::l2_t>(shapes, context) } -> std::same_as<sensitivities<norm::l2_t>>;
  { r.template bound<norm::linf_t>(shapes, context) } -> std::same_as<sensitivities<norm::linf_t>>;
  r.evaluate(inputs, shapes, output);
  r.pull_back(inputs, shapes, gradient, gradients);
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
