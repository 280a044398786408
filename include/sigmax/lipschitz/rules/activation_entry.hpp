// SPDX-License-Identifier: MIT
/// @file
/// One row of the table of elementwise activations: names, parameters, Lipschitz constant, formula.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/lipschitz/dual.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// The values of an activation's parameters in the order in which its entry names them.
using activation_parameters = std::array<double, 2>;

/// A parameter and the value it has where the ONNX node does not give one.
struct activation_parameter {
  std::string_view name = {};
  double default_value = 0;
  /// False where ONNX has no attribute of this name: the value comes from an input, or not at all.
  bool onnx_attribute = true;
};

/// The formula of an activation over whole tensors. `each`, where not empty, holds parameter 0 element by element,
/// repeated along the leading axes.
struct elementwise_formula {
  template <class T>
  using apply = void (*)(std::span<T const> x, std::span<T> y, activation_parameters p, std::span<double const> each);

  apply<double> on_double;
  apply<dual> on_dual;
  apply<interval> on_interval;

  apply<double> get(double) const { return on_double; }
  apply<dual> get(dual) const { return on_dual; }
  apply<interval> get(interval) const { return on_interval; }
};

namespace detail {

template <class Formula, class T>
void apply_elementwise(std::span<T const> x, std::span<T> y, activation_parameters p, std::span<double const> each) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!each.empty()) {
      p[0] = each[next];
      next = next + 1 == each.size() ? 0 : next + 1;
    }
    y[i] = Formula{}(x[i], p);
  }
}

}  // namespace detail

/// From one generic formula (x, parameters) -> y to the loops over double, dual and interval.
template <class Formula>
constexpr elementwise_formula elementwise(Formula) {
  return {detail::apply_elementwise<Formula, double>, detail::apply_elementwise<Formula, dual>,
          detail::apply_elementwise<Formula, interval>};
}

/// One elementwise activation.
struct activation_entry {
  /// How sigmax calls it: "gelu_tanh".
  std::string_view name;
  /// The ONNX operator, empty if there is none.
  std::string_view onnx_name = {};
  /// Where one ONNX operator has several functions: the value of its text attribute (`approximate` of Gelu).
  std::string_view onnx_variant = {};
  /// Unused ones have no name.
  std::array<activation_parameter, 2> parameters = {};
  /// Parameter 0 may differ from element to element (PRelu).
  bool per_element = false;
  /// >= sup over x of |phi'(x)|, where phi is continuous and piecewise differentiable; +infinity where it has no such
  /// bound or is not continuous. Evaluated in outward arithmetic; NaN parameters never reach it.
  double (*constant)(activation_parameters);
  /// Encloses every quotient (phi(a) - phi(b)) / (a - b) of two different points of an interval, which may be unbounded
  /// on either side; null where only the constant is known.
  interval (*slopes)(activation_parameters, interval) = nullptr;
  /// Why the constant is infinite; empty where it never is.
  std::string_view refusal = {};
  elementwise_formula formula;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
