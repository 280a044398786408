// SPDX-License-Identifier: MIT
/// @file
/// The rule of numbers that belong to channels: biases of convolutions, inference-time batch normalisation.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = x + c or y = c x over (..., channels, plane elements), one number c a channel, which is known to lie in an
/// interval: a point for stored numbers, wider where it was computed. Copies share the numbers.
class channel {
 public:
  /// y = x + c; sensitivity exactly 1. `plane`: elements of a channel.
  /// @throws domain_error if there are no numbers or `plane` < 1, numeric_error if one is not finite.
  template <class = void>
  static channel shift(std::vector<interval> numbers, index_t plane) {
    return channel(std::move(numbers), plane, false);
  }
  /// y = c x; sensitivity max |c|. Throws as `shift`.
  template <class = void>
  static channel scale(std::vector<interval> numbers, index_t plane) {
    return channel(std::move(numbers), plane, true);
  }

  std::vector<interval> const& numbers() const { return *numbers_; }
  index_t plane() const { return plane_; }
  bool multiplies() const { return multiplies_; }

  std::string operator_name() const { return multiplies_ ? "channel_scale" : "channel_shift"; }
  std::string rule_name(norm::any) const { return multiplies_ ? "max |c|: a diagonal matrix" : "1: a translation"; }
  /// @throws shape_error if the last axes do not hold `channels * plane` elements.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(operator_name(), shapes, 1);
    index_t const all = static_cast<index_t>(numbers_->size()) * plane_;
    index_t trailing = 1;
    for (std::size_t axis = shapes[0].size(); axis > 0 && trailing < all;) trailing *= shapes[0][--axis];
    if (trailing != all) {
      sigmax::detail::raise<shape_error>({operator_name(), ": ", numbers_->size(), " channels of ", plane_,
                                          " elements for an input of shape ", shape_text(shapes[0]),
                                          "; they must fill its last axes"});
    }
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const&) const {
    // Proof: (x + c) - (y + c) = x - y; |c a - c b| <= max |c| |a - b|, and the norms are monotone in absolute values.
    return {detail::proven<N>(extended(multiplies_ ? largest() : 1.0))};
  }

  linearity difference() const { return multiplies_ ? linearity::linear : linearity::translation; }

  /// Rows keep their distance and grow by at most max |c| sqrt(width), or all grow by max |c|.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    double const c = largest();
    double const width = sqrt_up(static_cast<double>(row_norm::row_width(shapes[0])));
    output.row_distance =
        min_up(output.row_distance, multiplies_ ? multiply_up(c, input->row_distance) : input->row_distance);
    output.longest_row = min_up(output.longest_row, multiplies_ ? multiply_up(c, input->longest_row)
                                                                : add_up(input->longest_row, multiply_up(c, width)));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    auto const plane = static_cast<std::size_t>(plane_);
    for (std::size_t first = 0, next = 0; first < output.size(); first += plane) {
      T const c = detail::as_scalar<T>((*numbers_)[next]);
      for (std::size_t i = first; i < first + plane; ++i) {
        output[i] = multiplies_ ? c * inputs[0][i] : inputs[0][i] + c;
      }
      next = next + 1 == numbers_->size() ? 0 : next + 1;
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const plane = static_cast<std::size_t>(plane_);
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      double const c = multiplies_ ? (*numbers_)[i / plane % numbers_->size()].middle() : 1.0;
      input_gradients[0][i] += c * output_gradient[i];
    }
  }

 private:
  template <class = void>
  channel(std::vector<interval> numbers, index_t plane, bool multiplies) : plane_(plane), multiplies_(multiplies) {
    if (numbers.empty() || plane < 1) {
      sigmax::detail::raise<domain_error>(
          {"channel: ", numbers.size(), " numbers for planes of ", plane, " elements; both must be at least one"});
    }
    for (interval const c : numbers) {
      if (!c.is_bounded()) sigmax::detail::raise<numeric_error>({"channel: a number is not finite; all must be"});
    }
    numbers_ = std::make_shared<std::vector<interval> const>(std::move(numbers));
  }

  double largest() const {
    double result = 0;
    for (interval const c : *numbers_) result = max_up(result, c.magnitude());
    return result;
  }

  index_t plane_;
  bool multiplies_;
  std::shared_ptr<std::vector<interval> const> numbers_;
};
static_assert(rule<channel>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
