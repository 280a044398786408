// SPDX-License-Identifier: MIT
/// @file
/// The rule of multiplication and division by stored numbers.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_i = c_i x_i, or x_i / c_i, the factors repeated along the leading axes: a diagonal matrix. Sensitivity max |c_i|,
/// or max 1 / |c_i| rounded up, in every norm. Inference-time batch normalisation, input normalisation.
/// Copies share the factors.
class scale {
 public:
  enum class operation : unsigned char { multiply, divide };

  /// @throws numeric_error if a factor is not finite, domain_error if there is none or one of the divisors is 0.
  template <class = void>
  explicit scale(std::vector<double> factors, operation how = operation::multiply) : how_(how) {
    detail::require_finite("scale", factors);
    if (factors.empty()) sigmax::detail::raise<domain_error>({"scale: 0 factors; there must be one or more"});
    for (double const c : factors) {
      if (how == operation::divide && c == 0)
        sigmax::detail::raise<domain_error>({"scale: a divisor is 0; it must not be"});
    }
    factors_ = std::make_shared<std::vector<double> const>(std::move(factors));
  }

  std::vector<double> const& factors() const { return *factors_; }
  operation how() const { return how_; }

  std::string operator_name() const { return how_ == operation::multiply ? "scale" : "divide"; }
  std::string rule_name(norm::any) const {
    return how_ == operation::multiply ? "max |c|: a diagonal matrix" : "max 1/|c|: a diagonal matrix";
  }
  /// @throws shape_error if the factors fill neither the input nor its last axes.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("scale", shapes, 1);
    detail::require_trailing("scale", shapes[0], factors_->size());
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: |c_i a - c_i b| = |c_i| |a - b| <= max |c| |a - b|; the norms are monotone in the absolute values.
    double largest = 0;
    for (double const c : *factors_) {
      double const magnitude = std::fabs(c);
      largest = max_up(largest, how_ == operation::multiply ? magnitude : divide_up(1.0, magnitude));
    }
    return {detail::proven<N>(extended(largest))};
  }

  linearity difference() const { return linearity::linear; }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    auto const& factors = *factors_;
    std::size_t next = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
      output[i] = how_ == operation::multiply ? T(factors[next]) * inputs[0][i] : inputs[0][i] / T(factors[next]);
      next = next + 1 == factors.size() ? 0 : next + 1;
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const& factors = *factors_;
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      double const c = factors[i % factors.size()];
      input_gradients[0][i] += how_ == operation::multiply ? c * output_gradient[i] : output_gradient[i] / c;
    }
  }

 private:
  operation how_;
  std::shared_ptr<std::vector<double> const> factors_;
};
static_assert(rule<scale>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
