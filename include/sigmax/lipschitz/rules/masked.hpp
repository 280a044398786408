// SPDX-License-Identifier: MIT
/// @file
/// The rule of masks that leave out scores.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = x + addends, or the addend in place of x where the mask says so, with addends that may be -infinity: what an
/// importer makes of a mask before it knows that a softmax follows. Alone it has no bound where an addend is -infinity
/// (such values are no real numbers); the pass that recognises attention takes it in.
class masked {
 public:
  explicit masked(attention_mask mask) : mask_(std::move(mask)) {}

  attention_mask const& mask() const { return mask_; }

  std::string operator_name() const { return "mask"; }
  std::string rule_name(norm::any) const { return "1: a translation, or a constant in place of an element"; }
  std::string refusal(norm::any) const {
    return "a mask of -inf is understood only as part of attention: scores, mask, softmax over the last axis, product";
  }
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("mask", shapes, 1);
    detail::require_trailing("mask", shapes[0], mask_.size());
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: each element moves as that of x, or not at all.
    bool finite = true;
    for (double const addend : mask_.addends()) finite = finite && is_finite(addend);
    return {detail::proven<N>(extended(finite ? 1.0 : infinity))};
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    auto const addends = mask_.addends();
    auto const replaces = mask_.replaces();
    for (std::size_t i = 0; i < output.size(); ++i) {
      std::size_t const at = addends.empty() ? 0 : i % addends.size();
      double const addend = addends.empty() ? 0.0 : addends[at];
      output[i] = !replaces.empty() && replaces[at] != 0 ? T(addend) : inputs[0][i] + T(addend);
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const replaces = mask_.replaces();
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      bool const fixed = !replaces.empty() && replaces[i % replaces.size()] != 0;
      if (!fixed) input_gradients[0][i] += output_gradient[i];
    }
  }

 private:
  attention_mask mask_;
};
static_assert(rule<masked>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
