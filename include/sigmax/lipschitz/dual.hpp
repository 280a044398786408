// SPDX-License-Identifier: MIT
/// @file
/// Dual numbers: a value and its derivative in one direction (forward-mode differentiation), for the attack. Plain
/// double arithmetic: nothing proven may rest on it. The functions that <cmath> lacks are here for double as well.
#pragma once

#include <cmath>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// value + derivative * epsilon with epsilon^2 = 0. At kinks and jumps the derivative is that of one side.
struct dual {
  double value = 0;
  double derivative = 0;

  constexpr dual() = default;
  constexpr dual(double constant) : value(constant) {}
  constexpr dual(double value_part, double derivative_part) : value(value_part), derivative(derivative_part) {}

  friend constexpr dual operator-(dual a) { return {-a.value, -a.derivative}; }
  friend constexpr dual operator+(dual a, dual b) { return {a.value + b.value, a.derivative + b.derivative}; }
  friend constexpr dual operator-(dual a, dual b) { return {a.value - b.value, a.derivative - b.derivative}; }
  friend constexpr dual operator*(dual a, dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
  }
  friend constexpr dual operator*(double a, dual b) { return {a * b.value, a * b.derivative}; }
  friend constexpr dual operator*(dual a, double b) { return b * a; }
  friend constexpr dual operator/(dual a, dual b) {
    double const quotient = a.value / b.value;
    return {quotient, (a.derivative - quotient * b.derivative) / b.value};
  }
  constexpr dual& operator+=(dual b) { return *this = *this + b; }
};

// At a tie max gives its first argument and min its second: max(x, 0) + a min(x, 0) has slope 1 at 0, not 1 + a.
constexpr dual max(dual a, dual b) { return a.value < b.value ? b : a; }
constexpr dual min(dual a, dual b) { return a.value < b.value ? a : b; }
constexpr dual abs(dual a) { return a.value < 0 ? -a : a; }

namespace detail {

/// f(a) where f'(a) = slope.
constexpr dual chain(dual a, double value, double slope) { return {value, slope * a.derivative}; }

/// 1 / (1 + e^-x).
inline double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  double const e = std::exp(x);
  return e / (1 + e);
}
/// log(1 + e^x).
inline double softplus(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }
/// 1 for x > 0, else 0.
constexpr double heaviside(double x) { return x > 0 ? 1.0 : 0.0; }
constexpr double square(double x) { return x * x; }

}  // namespace detail

inline dual sqrt(dual a) {
  double const root = std::sqrt(a.value);
  return detail::chain(a, root, 0.5 / root);
}
inline dual exp(dual a) {
  double const e = std::exp(a.value);
  return detail::chain(a, e, e);
}
inline dual log(dual a) { return detail::chain(a, std::log(a.value), 1 / a.value); }
inline dual log1p(dual a) { return detail::chain(a, std::log1p(a.value), 1 / (1 + a.value)); }
inline dual tanh(dual a) {
  double const t = std::tanh(a.value);
  return detail::chain(a, t, 1 - t * t);
}
inline dual sigmoid(dual a) {
  double const s = detail::sigmoid(a.value);
  return detail::chain(a, s, s * detail::sigmoid(-a.value));
}
inline dual softplus(dual a) { return detail::chain(a, detail::softplus(a.value), detail::sigmoid(a.value)); }
inline dual erf(dual a) {
  return detail::chain(a, std::erf(a.value), 1.1283791670955126 * std::exp(-a.value * a.value));
}
inline dual sin(dual a) { return detail::chain(a, std::sin(a.value), std::cos(a.value)); }
inline dual cos(dual a) { return detail::chain(a, std::cos(a.value), -std::sin(a.value)); }
inline dual atan(dual a) { return detail::chain(a, std::atan(a.value), 1 / (1 + a.value * a.value)); }
inline dual asinh(dual a) { return detail::chain(a, std::asinh(a.value), 1 / std::hypot(1.0, a.value)); }
inline dual pow(dual a, double exponent) {
  return detail::chain(a, std::pow(a.value, exponent), exponent * std::pow(a.value, exponent - 1));
}
constexpr dual square(dual a) { return a * a; }
constexpr dual heaviside(dual a) { return detail::heaviside(a.value); }
inline dual floor(dual a) { return std::floor(a.value); }
inline dual ceil(dual a) { return std::ceil(a.value); }
inline dual rint(dual a) { return std::rint(a.value); }

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
