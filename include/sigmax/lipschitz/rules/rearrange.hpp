// SPDX-License-Identifier: MIT
/// @file
/// The rule of operators that only move, copy or drop elements.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_i = x_map(i), and 0 where map(i) is -1: reshape, transpose, slice, broadcast, padding with zeros.
/// Sensitivity 1 in linf, the square root of how often an element is used at most in l2; in rms what the rows of the
/// output gather from rows of the input. Copies share the map.
class rearrange {
 public:
  /// `output` is the new shape, `map` one input position (or -1) for each of its elements. An empty map keeps the
  /// order. @throws shape_error if the map does not fill the shape or holds a number below -1.
  template <class = void>
  explicit rearrange(tensor_shape output, std::vector<index_t> map = {}, std::string operator_name = "reshape")
      : output_(std::move(output)), name_(std::move(operator_name)) {
    index_t const count = element_count(output_);
    if (map.empty()) return;
    if (count != static_cast<index_t>(map.size())) {
      sigmax::detail::raise<shape_error>(
          {name_, ": map has ", map.size(), " positions for the shape ", shape_text(output_), "; they must fill it"});
    }
    for (index_t const from : map) {
      if (from < -1) sigmax::detail::raise<shape_error>({name_, ": map holds ", from, "; positions start at 0"});
      largest_ = std::max(largest_, from);
    }
    map_ = std::make_shared<std::vector<index_t> const>(std::move(map));
  }

  /// The input position of each element of the output; empty for the same order.
  std::span<index_t const> map() const { return map_ ? std::span<index_t const>(*map_) : std::span<index_t const>(); }
  tensor_shape const& shape() const { return output_; }

  std::string operator_name() const { return name_; }
  template <class = void>
  std::string rule_name(norm::any asked) const {
    if (asked == norm::rms) return "rows of the input that meet in one of the output";
    if (!map_) return "1: the same elements in the same order";
    return asked == norm::linf ? "1: moves elements" : "square root of the most copies of one element";
  }
  /// @throws shape_error if the input has fewer elements than the map reads, or without a map another number.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, 1);
    index_t const count = element_count(shapes[0]);
    if (!map_ && count != element_count(output_)) {
      sigmax::detail::raise<shape_error>({name_, ": input has shape ", shape_text(shapes[0]), ", output ",
                                          shape_text(output_), "; both must have the same number of elements"});
    }
    if (map_ && largest_ >= count) {
      sigmax::detail::raise<shape_error>({name_, ": map reads element ", largest_, " of an input of shape ",
                                          shape_text(shapes[0]), "; it must exist"});
    }
    return output_;
  }

  template <norm_tag N>
  sensitivities<N> bound([[maybe_unused]] std::span<tensor_shape const> shapes, rule_context const&) const {
    // Proof: every |y_i - y'_i| is one of the |x_j - x'_j| or 0, so the largest does not grow. The sum of squares
    // counts each j as often as the map holds it, at most m times. For rows see rows_met.
    if constexpr (std::same_as<N, norm::l2_t>) {
      return {detail::proven<N>(extended(map_ ? lipschitz::detail::sqrt_of_ratio_up(most_copies(), 1.0) : 1.0))};
    } else if constexpr (std::same_as<N, norm::rms_t>) {
      auto const in = static_cast<double>(row_norm::row_width(shapes[0]));
      auto const out = static_cast<double>(row_norm::row_width(output_));
      return {detail::proven<N>(extended(lipschitz::detail::sqrt_of_ratio_up(rows_met(shapes[0]) * in, out)))};
    } else {
      return {detail::proven<N>(extended(1.0))};
    }
  }

  linearity difference() const { return linearity::linear; }

  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr) return;
    double const growth = lipschitz::detail::sqrt_of_ratio_up(rows_met(shapes[0]), 1.0);
    output.longest_row = min_up(output.longest_row, multiply_up(growth, input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(growth, input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    for (std::size_t i = 0; i < output.size(); ++i) {
      index_t const from = map_ ? (*map_)[i] : static_cast<index_t>(i);
      output[i] = from < 0 ? T(0.0) : inputs[0][static_cast<std::size_t>(from)];
    }
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      index_t const from = map_ ? (*map_)[i] : static_cast<index_t>(i);
      if (from >= 0) input_gradients[0][static_cast<std::size_t>(from)] += output_gradient[i];
    }
  }

 private:
  template <class = void>
  double most_copies() const {
    std::vector<index_t> copies(static_cast<std::size_t>(largest_ + 1), 0);
    index_t most = 0;
    for (index_t const from : *map_) {
      if (from >= 0) most = std::max(most, ++copies[static_cast<std::size_t>(from)]);
    }
    return static_cast<double>(most);
  }

  /// max over the rows r of the output of sum over the rows s of the input of m_rs, m_rs = how often r holds one element
  /// of s at most: ||y_r||^2 <= sum_s m_rs ||x_s||^2 <= (sum_s m_rs) max_s ||x_s||^2.
  template <class = void>
  double rows_met(tensor_shape const& input) const {
    std::size_t const in = row_norm::row_width(input);
    std::size_t const out = row_norm::row_width(output_);
    if (!map_ && (in % out == 0 || out % in == 0)) return in >= out ? 1.0 : static_cast<double>(out / in);
    auto const count = static_cast<std::size_t>(element_count(output_));
    std::vector<index_t> sources;
    std::size_t most = 0;
    for (std::size_t first = 0; first + out <= count; first += out) {
      sources.clear();
      for (std::size_t i = first; i < first + out; ++i) {
        index_t const from = map_ ? (*map_)[i] : static_cast<index_t>(i);
        if (from >= 0) sources.push_back(from);
      }
      std::sort(sources.begin(), sources.end());
      std::size_t total = 0;
      for (std::size_t i = 0; i < sources.size();) {
        std::size_t const row = static_cast<std::size_t>(sources[i]) / in;
        std::size_t copies = 0;
        while (i < sources.size() && static_cast<std::size_t>(sources[i]) / in == row) {
          std::size_t same = i;
          while (same < sources.size() && sources[same] == sources[i]) ++same;
          copies = std::max(copies, same - i);
          i = same;
        }
        total += copies;
      }
      most = std::max(most, total);
    }
    return static_cast<double>(most);
  }

  tensor_shape output_;
  std::string name_;
  index_t largest_ = -1;
  std::shared_ptr<std::vector<index_t> const> map_;
};
static_assert(rule<rearrange>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
