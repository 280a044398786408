// SPDX-License-Identifier: MIT
/// @file
/// A layer made of a formula and a constant that somebody vouches for.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/rules/support.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Lipschitz constants of a layer in one or more norms, and the reason to believe them: a theorem, a derivation.
/// What is not given is not known.
struct claimed_constants {
  double l2 = infinity;
  double linf = infinity;
  double rms = infinity;
  std::string because = {};
};

namespace rules {

/// One number to one number, over every scalar in which networks are evaluated.
template <class F>
concept elementwise_map = requires(F const& f) {
  { f(double{}) } -> std::convertible_to<double>;
  { f(dual{}) } -> std::convertible_to<dual>;
  { f(interval{}) } -> std::convertible_to<interval>;
};

/// y = f(x) for a formula of the caller's, written once for all scalars, and constants the caller vouches for: the
/// certificate is marked conditional and prints the reason. Unlike `bounded`, the layer can be evaluated, attacked and
/// refuted. See `custom`.
template <class Formula>
class custom {
 public:
  static constexpr bool elementwise = elementwise_map<Formula>;

  /// @throws domain_error if a constant is negative or NaN, none is given, or the reason is empty.
  template <class = void>
  custom(std::string operator_name, claimed_constants constants, Formula formula,
         std::optional<tensor_shape> output = {})
      : name_(std::move(operator_name)),
        l2_(constants.l2),
        linf_(constants.linf),
        rms_(constants.rms),
        because_(std::move(constants.because)),
        output_(std::move(output)),
        formula_(std::move(formula)) {
    for (double const each : {l2_, linf_, rms_}) {
      if (is_nan(each) || each < 0) {
        sigmax::detail::raise<domain_error>({name_, ": a constant is ", each, "; it must be a number >= 0"});
      }
    }
    if (!is_finite(l2_) && !is_finite(linf_) && !is_finite(rms_)) {
      sigmax::detail::raise<domain_error>({name_, ": no constant is given; one of l2, linf, rms must be finite"});
    }
    if (because_.empty()) {
      sigmax::detail::raise<domain_error>({name_, ": because is empty; say why the constant may be believed"});
    }
    if constexpr (elementwise) l2_ = linf_ = rms_ = min_up(l2_, min_up(linf_, rms_));
  }

  std::string operator_name() const { return name_; }
  std::string rule_name(norm::any) const { return "constant given by the caller"; }
  std::string refusal(norm::any asked) const {
    return std::string("the caller gave no finite bound of this layer in ") + asked.name();
  }
  bool keeps_width() const { return elementwise || !output_; }

  template <class = void>
  tensor_shape output_shape(std::span<tensor_shape const> shapes) const {
    detail::require_inputs(name_, shapes, 1);
    return output_ ? *output_ : shapes[0];
  }

  template <norm_tag N>
  sensitivities<N> bound([[maybe_unused]] std::span<tensor_shape const> shapes, rule_context const&) const {
    // Proof: the caller's, whose reason the bound carries. An elementwise map with constant c in one of the three norms
    // has |f(a) - f(b)| <= c |a - b| (let one element differ), hence constant c in all.
    if constexpr (std::same_as<N, norm::l2_t>) {
      return {claimed<N>(l2_)};
    } else if constexpr (std::same_as<N, norm::linf_t>) {
      return {claimed<N>(linf_)};
    } else if constexpr (elementwise) {
      return {claimed<N>(rms_)};
    } else {
      return {tighter(claimed<N>(rms_),
                      lipschitz::detail::rms_from_others({claimed<norm::l2_t>(l2_)}, {claimed<norm::linf_t>(linf_)},
                                                         shapes, output_shape(shapes))
                          .front())};
    }
  }

  template <class T>
  void evaluate(std::span<std::span<T const> const> inputs, std::span<tensor_shape const>, std::span<T> output) const {
    if constexpr (elementwise) {
      for (std::size_t i = 0; i < output.size(); ++i) output[i] = formula_(inputs[0][i]);
    } else {
      formula_(inputs[0], output);
    }
  }

  /// One evaluation over dual numbers, or one an element of the input where the formula is of whole tensors.
  template <class = void>
  void pull_back(std::span<std::span<double const> const> inputs, std::span<tensor_shape const>,
                 std::span<double const> output_gradient, std::span<std::span<double> const> input_gradients) const {
    if (input_gradients[0].empty()) return;
    auto const gradient = input_gradients[0];
    if constexpr (elementwise) {
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] += formula_(dual(inputs[0][i], 1.0)).derivative * output_gradient[i];
      }
    } else {
      std::vector<dual> x(inputs[0].begin(), inputs[0].end());
      std::vector<dual> y(output_gradient.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i].derivative = 1;
        formula_(std::span<dual const>(x), std::span<dual>(y));
        x[i].derivative = 0;
        for (std::size_t k = 0; k < y.size(); ++k) gradient[i] += y[k].derivative * output_gradient[k];
      }
    }
  }

 private:
  template <norm_tag N>
  log_upper_bound<op<N, N>> claimed(double constant) const {
    return detail::proven<N>(extended(constant), assumptions(name_ + ": " + because_));
  }

  std::string name_;
  double l2_;
  double linf_;
  double rms_;
  std::string because_;
  std::optional<tensor_shape> output_;
  Formula formula_;
};

}  // namespace rules

/// A layer of your own: its name, its constants with the reason to believe them, and its formula as a generic lambda,
/// either of one element,
///   custom("snake", {.l2 = 2, .because = "|1 + sin 2x| <= 2"}, [](auto x) { return x + sin(x) * sin(x); })
/// which holds in every norm, or of a whole tensor, flat and row-major,
///   custom("flip", {.l2 = 1, .linf = 1, .because = "moves elements"}, [](auto x, auto y) { .. y[i] = x[n - 1 - i]; })
/// with x: std::span<T const>, y: std::span<T>, T being double, dual (for the attack) and interval (for proven lower
/// bounds). `output` is the shape of the result, that of the input if not given. The certificate is conditional on the
/// reason; an attack that finds the constant too small throws `contradiction`. @throws domain_error as rules::custom.
template <class Formula>
rules::custom<Formula> custom(std::string operator_name, claimed_constants constants, Formula formula,
                              std::optional<tensor_shape> output = {}) {
  return {std::move(operator_name), std::move(constants), std::move(formula), std::move(output)};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
