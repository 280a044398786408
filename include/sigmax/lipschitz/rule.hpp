// SPDX-License-Identifier: MIT
/// @file
/// What a rule is: how one operator of a network turns what is known of its inputs into what is known of its output.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

struct norm_prover;

/// What certificates may be asked for besides the norm.
struct rule_context {
  /// Largest relative distance between the two ends of a certified spectral norm.
  double relative_gap = 1e-7;
  /// Proves spectral norms (see `prove_operator_norm`); the default backend where it is null.
  norm_prover const* prover = nullptr;
};

/// One bound b_i for each input of an operator f:
/// ||f(x_1, ..) - f(y_1, ..)||_N <= sum_i b_i ||x_i - y_i||_N for all x, y. Where x_i = y_i the term is 0 even if b_i
/// is infinite: an infinite b_i says nothing about differences in input i, the others hold for every value of it.
template <norm_tag N>
using sensitivities = std::vector<log_upper_bound<op<N, N>>>;

/// An operator of a network. (The rules of this folder write `template <class = void>` before members that work with
/// strings and vectors: a file that includes them all compiles those it uses.) A value type with
///  - `operator_name()`, as the table prints it ("linear", "gelu", ...);
///  - `rule_name(norm)`, one line that says which theorem gives the bound in that norm;
///  - optionally `refusal(norm)`, why there is no finite bound, and `multiply_adds(inputs)`, the work of `evaluate`;
///  - `output_shape(inputs)`, which throws shape_error for inputs that do not fit;
///  - `bound<N>(inputs, context)`, the proven sensitivities in the norm N given the shapes of the inputs;
///  - `evaluate(inputs, shapes, output)` over any of double, dual and interval, in exact semantics of the stored
///    parameters as far as the scalar goes (`interval` encloses them);
///  - `pull_back(inputs, shapes, output_gradient, input_gradients)`, which adds J_i^T g to input_gradients[i], or skips
///    an input whose span is empty; only the attack uses it, nothing proven rests on it.
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
