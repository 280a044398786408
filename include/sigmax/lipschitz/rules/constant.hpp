// SPDX-License-Identifier: MIT
/// @file
/// A stored tensor as a value of the network.
#pragma once

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

/// y = values, without inputs: it does not depend on the network's input, so there are no sensitivities and its
/// Lipschitz bound is the empty sum, 0. Copies share the values.
class constant {
 public:
  /// @throws shape_error if the values do not fill the shape, numeric_error if one is not finite.
  constant(tensor_shape shape, std::vector<double> values) : shape_(std::move(shape)) {
    if (element_count(shape_) != static_cast<index_t>(values.size())) {
      sigmax::detail::raise<shape_error>(
          {"constant: ", values.size(), " values for the shape ", shape_text(shape_), "; they must fill it"});
    }
    detail::require_finite("constant", values);
    values_ = std::make_shared<std::vector<double> const>(std::move(values));
  }

  std::vector<double> const& values() const { return *values_; }
  tensor_shape const& shape() const { return shape_; }

  std::string operator_name() const { return "constant"; }
  std::string rule_name(norm::any) const { return "0: does not depend on the input"; }
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("constant", shapes, 0);
    return shape_;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    return {};
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const>, std::span<tensor_shape const>, std::span<T> output) const {
    for (std::size_t i = 0; i < output.size(); ++i) output[i] = T((*values_)[i]);
  }

  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>, std::span<double const>,
                 std::span<std::span<double> const>) const {}

 private:
  tensor_shape shape_;
  std::shared_ptr<std::vector<double> const> values_;
};
static_assert(rule<constant>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
