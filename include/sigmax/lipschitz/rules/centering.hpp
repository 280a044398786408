// SPDX-License-Identifier: MIT
/// @file
/// The rule of subtracting the mean.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// y = factor (x - mean(x)) for every fibre of d elements along some axes: a multiple of the orthogonal projection
/// I - 1 1'/d. Sensitivity |factor| in l2, |factor| (2 - 2/d) in linf. CenterNorm has the factor d / (d - 1), which
/// `center_normalization` encloses (Qi et al., LipsFormer, 2023).
class centering {
 public:
  /// @throws numeric_error if the factor is not finite.
  template <class = void>
  explicit centering(axis_range axes = {}, interval factor = 1.0) : axes_(axes), factor_(factor) {
    if (!factor.is_bounded()) sigmax::detail::raise<numeric_error>({"centering: factor is not finite; it must be"});
  }

  axis_range axes() const { return axes_; }
  interval factor() const { return factor_; }

  std::string operator_name() const { return "centering"; }
  std::string rule_name(norm::any asked) const {
    return asked == norm::linf ? "|c| (2 - 2/d): row sums of c (I - 11'/d)" : "|c|: c times an orthogonal projection";
  }
  /// @throws shape_error if the axes do not exist.
  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs("centering", shapes, 1);
    fibers::of("centering", shapes[0], axes_);
    return shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound(std::span<tensor_shape const> shapes, rule_context const&) const {
    // Proof: see the class. Row i of I - 1 1'/d sums to (1 - 1/d) + (d - 1)/d in absolute values.
    fibers const all = fibers::of("centering", shapes[0], axes_);
    auto const d = static_cast<double>(all.length);
    double const l2 = d > 1 ? factor_.magnitude() : 0.0;
    double const linf = d > 1 ? multiply_up(l2, subtract_up(2.0, divide_down(2.0, d))) : 0.0;
    if constexpr (std::is_same_v<N, norm::l2_t>) {
      return {detail::proven<N>(extended(l2))};
    } else if constexpr (std::is_same_v<N, norm::linf_t>) {
      return {detail::proven<N>(extended(linf))};
    } else {
      return {detail::proven<N>(extended(all.rms(l2, linf, shapes[0])))};
    }
  }

  linearity difference() const { return linearity::linear; }

  /// Rows that hold whole fibres become longer by the factor at most.
  template <class = void>
  void refine(std::span<tensor_shape const> shapes, rule_context const& context, value_range& output) const {
    auto const* const input = context.range(0);
    if (input == nullptr || !fibers::of("centering", shapes[0], axes_).are_in_rows()) return;
    output.longest_row = min_up(output.longest_row, multiply_up(factor_.magnitude(), input->longest_row));
    output.row_distance = min_up(output.row_distance, multiply_up(factor_.magnitude(), input->row_distance));
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const> shapes,
                std::span<T> output) const {
    fibers const all = fibers::of("centering", shapes[0], axes_);
    auto const d = static_cast<double>(all.length);
    std::vector<double> ends(std::is_same_v<T, interval> ? 4 * all.length : 0);
    auto const part = [&](std::size_t i) { return std::span(ends).subspan(i * all.length, all.length); };
    for (std::size_t f = 0; f < all.count; ++f) {
      auto const at = [&](std::size_t k) { return all.start(f) + k * all.stride; };
      if constexpr (std::is_same_v<T, interval>) {
        // (1 - 1/d) x_k - (sum of the others) / d holds every x once.
        for (std::size_t k = 0; k < all.length; ++k) {
          part(0)[k] = inputs[0][at(k)].lower;
          part(1)[k] = inputs[0][at(k)].upper;
        }
        detail::sums_without_one(part(0), false, part(2));
        detail::sums_without_one(part(1), true, part(3));
        interval const rest = interval(d - 1) / d;
        for (std::size_t k = 0; k < all.length; ++k) {
          output[at(k)] = factor_ * (rest * inputs[0][at(k)] - interval(part(2)[k], part(3)[k]) / d);
        }
      } else {
        T sum(0.0);
        for (std::size_t k = 0; k < all.length; ++k) sum += inputs[0][at(k)];
        T const mean = sum / T(d);
        T const c = detail::as_scalar<T>(factor_);
        for (std::size_t k = 0; k < all.length; ++k) output[at(k)] = c * (inputs[0][at(k)] - mean);
      }
    }
  }

  /// The matrix is symmetric.
  template <class = void>
  void pull_back(std::span<std::span<double const> const>, std::span<tensor_shape const> shapes,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    std::vector<double> back(output_gradient.size());
    evaluate<double>({&output_gradient, 1}, shapes, back);
    for (std::size_t i = 0; i < back.size(); ++i) input_gradients[0][i] += back[i];
  }

 private:
  axis_range axes_;
  interval factor_;
};
static_assert(rule<centering>);

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
