// SPDX-License-Identifier: MIT
/// @file
/// The rule of all elementwise activations; which ones there are stands in activation.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/activation_entry.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y_i = phi(x_i). Any shape; sensitivity sup |phi'| in every norm, over the ranges of the x_i where they are known.
class activation {
 public:
  /// `entry` has static storage (an entry of the table). Parameters that are not given have the entry's defaults.
  /// `each` gives parameter 0 element by element, trailing-broadcast (PRelu).
  /// @throws domain_error for a name the entry does not have, a NaN, an infinity where the default is finite, or
  ///         per-element values for an activation without them.
  template <class = void>
  explicit activation(activation_entry const& entry, std::vector<std::pair<std::string, double>> const& parameters = {},
                      std::vector<double> each = {})
      : entry_(&entry) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = entry.parameters[i].default_value;
    for (auto const& [name, value] : parameters) set(name, value);
    if (each.empty()) return;
    if (!entry.per_element) {
      sigmax::detail::raise<domain_error>(
          {entry.name, ": ", each.size(),
           " values were given element by element; this activation has one set of parameters"});
    }
    for (double const value : each) check(0, value);
    each_ = std::make_shared<std::vector<double> const>(std::move(each));
  }

  activation_entry const& entry() const { return *entry_; }
  activation_parameters const& parameters() const { return values_; }
  /// Parameter 0 element by element; empty if it is the same for all.
  std::span<double const> each() const { return each_ ? std::span<double const>(*each_) : std::span<double const>(); }

  std::string operator_name() const { return std::string(entry_->name); }
  template <class = void>
  std::string rule_name(norm::any) const {
    double const c = constant();
    return sigmax::is_finite(c) ? "sup |phi'| = " + detail::short_number(c) : "none: " + refusal(norm::l2);
  }
  template <class = void>
  std::string refusal(norm::any) const {
    return entry_->refusal.empty() ? "no finite bound of its slope" : std::string(entry_->refusal);
  }
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(entry_->name, shapes, 1);
    detail::require_trailing(entry_->name, shapes[0], each().size());
    return shapes[0];
  }

  /// >= sup |phi'| over the reals and over all elements; +infinity where refused.
  template <class = void>
  double constant() const {
    double largest = each().empty() ? entry_->constant(values_) : 0.0;
    for (double const value : each()) {
      auto p = values_;
      p[0] = value;
      largest = max_up(largest, entry_->constant(p));
    }
    return largest;
  }

  /// Encloses the slopes of phi at element i over `x`: every quotient (phi(a) - phi(b)) / (a - b) for a, b in x.
  template <class = void>
  interval slopes(std::size_t i, interval x) const {
    auto p = values_;
    if (!each().empty()) p[0] = each()[i % each().size()];
    double const c = entry_->constant(p);
    interval const everywhere(-c, c);
    if (entry_->slopes == nullptr) return everywhere;
    interval const local = entry_->slopes(p, x);
    return clamped(local, everywhere.lower, everywhere.upper);
  }

  /// >= sup |phi'| over the elements of `box`, or over all reals where it is empty.
  template <class = void>
  double constant_on(std::span<interval const> box) const {
    if (box.empty()) return constant();
    double largest = 0;
    for (std::size_t i = 0; i < box.size(); ++i) largest = max_up(largest, slopes(i, box[i]).magnitude());
    return largest;
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const>, rule_context const& context) const {
    // Proof: phi is continuous and piecewise differentiable with |phi'| <= c, so |phi(a) - phi(b)| <= c |a - b| (mean
    // value theorem on each piece); the norms are monotone in the absolute values of the elements.
    return {detail::proven<N>(extended(constant_on(context.box(0))))};
  }

  template <class = void>
  bool uses_ranges() const {
    return !sigmax::is_finite(constant());
  }

  /// |phi(x) - phi(z)| <= c |x - z|, row by row.
  template <class = void>
  void refine(std::span<tensor_shape const>, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr || output.centre.empty()) return;
    output.row_distance = min_up(output.row_distance, multiply_up(constant_on(input->box), input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    entry_->formula.get(T{})(inputs[0], output, values_, each());
  }

  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const slopes = each();
    for (std::size_t i = 0; i < output_gradient.size(); ++i) {
      dual const x(inputs[0][i], 1.0);
      dual y;
      entry_->formula.on_dual({&x, 1}, {&y, 1}, values_,
                              slopes.empty() ? slopes : slopes.subspan(i % slopes.size(), 1));
      input_gradients[0][i] += y.derivative * output_gradient[i];
    }
  }

 private:
  template <class = void>
  void check(std::size_t i, double value) const {
    auto const& parameter = entry_->parameters[i];
    if (is_nan(value) || (!is_finite(value) && is_finite(parameter.default_value))) {
      sigmax::detail::raise<domain_error>(
          {entry_->name, ": ", parameter.name, " is ", detail::short_number(value), "; it must be finite"});
    }
  }

  template <class = void>
  void set(std::string_view name, double value) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (name.empty() || entry_->parameters[i].name != name) continue;
      check(i, value);
      values_[i] = value;
      return;
    }
    sigmax::detail::raise<domain_error>(
        {entry_->name, ": parameter '", name, "' is unknown; there is ", known_parameters()});
  }

  template <class = void>
  std::string known_parameters() const {
    std::string text;
    for (auto const& parameter : entry_->parameters) {
      if (!parameter.name.empty()) text += (text.empty() ? "'" : ", '") + std::string(parameter.name) + "'";
    }
    return text.empty() ? "none" : text;
  }

  activation_entry const* entry_;
  activation_parameters values_{};
  std::shared_ptr<std::vector<double> const> each_;
};
static_assert(rule<activation>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
