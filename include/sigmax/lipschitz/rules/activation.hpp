// SPDX-License-Identifier: MIT
/// @file
/// Elementwise activations by name, and as layers. Their formulas, constants and slopes: activation_table.hpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rules/activation_entry.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/activation_table.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// The activation of this name, nullptr if there is none.
template <class = void>
activation_entry const* find_activation(std::string_view name) {
  for (auto const& entry : activation_table()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

/// The activation behind an ONNX operator, nullptr if there is none. `variant` is the value of the node's text
/// attribute (`approximate` of Gelu), empty if the node has none: then the operator's default.
template <class = void>
activation_entry const* find_activation_by_onnx(std::string_view onnx_name, std::string_view variant = {}) {
  for (auto const& entry : activation_table()) {
    if (!onnx_name.empty() && entry.onnx_name == onnx_name && (variant.empty() || entry.onnx_variant == variant)) {
      return &entry;
    }
  }
  return nullptr;
}

/// The rule of an activation by name. @throws unsupported_error if there is no such activation, domain_error for
/// parameters it does not have.
template <class = void>
activation named_activation(std::string_view name, std::vector<std::pair<std::string, double>> const& parameters = {}) {
  auto const* const entry = find_activation(name);
  if (entry == nullptr)
    sigmax::detail::raise<unsupported_error>({"activation: name is '", name, "'; there is none of this name"});
  return activation(*entry, parameters);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Activations as layers, with the defaults of the table.
template <class = void>
auto relu() {
  return rules::named_activation("relu");
}
template <class = void>
auto abs() {
  return rules::named_activation("abs");
}
template <class = void>
auto identity() {
  return rules::named_activation("identity");
}
template <class = void>
auto neg() {
  return rules::named_activation("neg");
}
template <class = void>
auto clip(double min, double max) {
  return rules::named_activation("clip", {{"min", min}, {"max", max}});
}
template <class = void>
auto leaky_relu(double alpha = 0.01f) {
  return rules::named_activation("leaky_relu", {{"alpha", alpha}});
}
template <class = void>
auto prelu(double slope) {
  return rules::named_activation("prelu", {{"slope", slope}});
}
/// One slope for each element of the input, or of its last axes.
template <class = void>
auto prelu(std::vector<double> slopes) {
  return rules::activation(*rules::find_activation("prelu"), {}, std::move(slopes));
}
template <class = void>
auto elu(double alpha = 1.0) {
  return rules::named_activation("elu", {{"alpha", alpha}});
}
template <class = void>
auto celu(double alpha = 1.0) {
  return rules::named_activation("celu", {{"alpha", alpha}});
}
template <class = void>
auto selu() {
  return rules::named_activation("selu");
}
template <class = void>
auto selu(double alpha, double gamma) {
  return rules::named_activation("selu", {{"alpha", alpha}, {"gamma", gamma}});
}
template <class = void>
auto softplus(double beta = 1.0) {
  return rules::named_activation("softplus", {{"beta", beta}});
}
template <class = void>
auto log_sigmoid() {
  return rules::named_activation("log_sigmoid");
}
template <class = void>
auto softsign() {
  return rules::named_activation("softsign");
}
template <class = void>
auto tanh() {
  return rules::named_activation("tanh");
}
template <class = void>
auto sigmoid() {
  return rules::named_activation("sigmoid");
}
template <class = void>
auto hard_sigmoid(double alpha = 0.2f, double beta = 0.5) {
  return rules::named_activation("hard_sigmoid", {{"alpha", alpha}, {"beta", beta}});
}
template <class = void>
auto gelu() {
  return rules::named_activation("gelu");
}
template <class = void>
auto gelu_tanh() {
  return rules::named_activation("gelu_tanh");
}
/// x / 2 (1 + tanh(slope (x + cubic x^3))): gelu_tanh with the numbers a file stores.
template <class = void>
auto gelu_cubic(double slope, double cubic) {
  return rules::named_activation("gelu_cubic", {{"slope", slope}, {"cubic", cubic}});
}
template <class = void>
auto silu() {
  return rules::named_activation("silu");
}
template <class = void>
auto swish(double beta = 1.0) {
  return rules::named_activation("swish", {{"alpha", beta}});
}
template <class = void>
auto quick_gelu() {
  return rules::named_activation("quick_gelu");
}
template <class = void>
auto mish() {
  return rules::named_activation("mish");
}
template <class = void>
auto hard_swish() {
  return rules::named_activation("hard_swish");
}
template <class = void>
auto erf() {
  return rules::named_activation("erf");
}
template <class = void>
auto sin() {
  return rules::named_activation("sin");
}
template <class = void>
auto cos() {
  return rules::named_activation("cos");
}
template <class = void>
auto atan() {
  return rules::named_activation("atan");
}
template <class = void>
auto asinh() {
  return rules::named_activation("asinh");
}
template <class = void>
auto square() {
  return rules::named_activation("square");
}
template <class = void>
auto exp() {
  return rules::named_activation("exp");
}
template <class = void>
auto log() {
  return rules::named_activation("log");
}
template <class = void>
auto sqrt() {
  return rules::named_activation("sqrt");
}
template <class = void>
auto reciprocal() {
  return rules::named_activation("reciprocal");
}
template <class = void>
auto pow(double exponent) {
  return rules::named_activation("pow", {{"exponent", exponent}});
}
template <class = void>
auto sign() {
  return rules::named_activation("sign");
}
template <class = void>
auto round() {
  return rules::named_activation("round");
}
template <class = void>
auto floor() {
  return rules::named_activation("floor");
}
template <class = void>
auto ceil() {
  return rules::named_activation("ceil");
}
template <class = void>
auto thresholded_relu(double alpha = 1.0) {
  return rules::named_activation("thresholded_relu", {{"alpha", alpha}});
}
template <class = void>
auto shrink(double bias = 0.0, double lambd = 0.5) {
  return rules::named_activation("shrink", {{"bias", bias}, {"lambd", lambd}});
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
