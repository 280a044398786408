// SPDX-License-Identifier: MIT
/// @file
/// The rule of softmax along an axis.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/softmax_values.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// p = softmax(x / T) along an axis, or along neighbouring axes taken as one. Sensitivity 1 / (2 T) in l2 and linf and,
/// along the last axis, in rms; smaller where the ranges of the inputs keep the probabilities away from 1/2.
class softmax {
 public:
  /// @throws domain_error unless the temperature is positive and finite.
  template <class = void>
  explicit softmax(axis_range axes = {}, double temperature = 1.0) : axes_(axes), temperature_(temperature) {
    detail::require_temperature("softmax", temperature);
  }

  axis_range axes() const { return axes_; }
  double temperature() const { return temperature_; }

  std::string operator_name() const { return "softmax"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::rms ? "1/(2T) for each fibre, by the rows they meet" : "1/(2T): ||diag p - pp'|| <= 1/2";
  }
  /// @throws shape_error if the axes do not exist.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("softmax", shapes, 1);
    fibers::of("softmax", shapes[0], axes_);
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const& context) const {
    // Proof: the Jacobian of a fibre is (diag p - p p') / T. Its diagonal and the sums of the absolute values beside the
    // diagonal are s_i = p_i (1 - p_i) <= 1/4. So the norm in linf is 2 max s_i. In l2 it is at most s_i + s_j for some
    // i != j (Brauer 1947: ovals of Cassini, (t - s_i)(t - s_j) <= s_i s_j), and at most max p_i, because p p' is
    // positive semidefinite. Both points lie in the box, which is convex, and so does the segment between them.
    fibers const all = fibers::of("softmax", shapes[0], axes_);
    auto const [l2, linf] = factors(all, context);
    double const by_l2 = detail::quotient_up(l2, temperature_);
    double const by_linf = detail::quotient_up(linf, temperature_);
    if constexpr (std::is_same_v<N, norm::l2_t>) {
      return {detail::proven<N>(extended(by_l2))};
    } else if constexpr (std::is_same_v<N, norm::linf_t>) {
      return {detail::proven<N>(extended(by_linf))};
    } else {
      return {detail::proven<N>(extended(all.rms(by_l2, by_linf, shapes[0])))};
    }
  }

  bool bounds_values() const { return true; }

  /// ||p||_2 <= ||p||_1 = 1, and the bound on the distance of rows.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    fibers const all = fibers::of("softmax", shapes[0], axes_);
    if (all.stride == 1) output.longest_row = min_up(output.longest_row, 1.0);
    auto const* const input = context.range(0);
    if (input == nullptr || !all.are_in_rows()) return;
    double const l2 = detail::quotient_up(factors(all, context).l2, temperature_);
    output.row_distance = min_up(output.row_distance, multiply_up(l2, input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    fibers const all = fibers::of("softmax", shapes[0], axes_);
    detail::softmax_values<T> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, temperature_);
      auto const p = values.probabilities();
      for (std::size_t k = 0; k < all.length; ++k) output[all.start(f) + k * all.stride] = p[k];
    }
  }

  /// J g = p (g - p'g) / T.
  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    fibers const all = fibers::of("softmax", shapes[0], axes_);
    detail::softmax_values<double> values(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      values.read(inputs[0], all.start(f), all.stride, temperature_);
      auto const p = values.probabilities();
      double mean = 0;
      for (std::size_t k = 0; k < all.length; ++k) mean += p[k] * output_gradient[all.start(f) + k * all.stride];
      for (std::size_t k = 0; k < all.length; ++k) {
        std::size_t const at = all.start(f) + k * all.stride;
        input_gradients[0][at] += p[k] * (output_gradient[at] - mean) / temperature_;
      }
    }
  }

 private:
  struct constants {
    double l2 = 0.5;
    double linf = 0.5;
  };

  /// The constants for T = 1, over the box of the input where there is one.
  template <class = void>
  constants factors(fibers const& all, rule_context const& context) const {
    if (all.length <= 1) return {0.0, 0.0};  // p = 1
    auto const box = context.box(0);
    if (box.size() != all.count * all.length) return {};
    auto const p = detail::probabilities_over(box, all, temperature_);
    constants largest{0.0, 0.0};
    for (std::size_t f = 0; f < all.count; ++f) {
      double most_likely = 0;
      double first = 0;
      double second = 0;
      for (std::size_t k = 0; k < all.length; ++k) {
        interval const own = p[all.start(f) + k * all.stride];
        most_likely = max_up(most_likely, own.upper);
        double const s = largest_variance(own);
        second = s > first ? first : s > second ? s : second;
        first = s > first ? s : first;
      }
      largest.linf = max_up(largest.linf, 2 * first);
      largest.l2 = max_up(largest.l2, min_up(min_up(0.5, add_up(first, second)), most_likely));
    }
    return largest;
  }

  /// >= t (1 - t) for t in p, which is concave with its top at 1/2.
  static double largest_variance(interval p) {
    if (p.contains(0.5)) return 0.25;
    double const t = p.upper < 0.5 ? p.upper : p.lower;
    return min_up(0.25, multiply_up(t, subtract_up(1.0, t)));
  }

  axis_range axes_;
  double temperature_;
};
static_assert(rule<softmax>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
