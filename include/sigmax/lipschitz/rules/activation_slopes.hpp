// SPDX-License-Identifier: MIT
/// @file
/// Slopes of activations over intervals: the functions the `slopes` column of the table points to.
///
/// Each encloses every quotient (phi(a) - phi(b)) / (a - b) of two different points a, b of an interval, whose ends may
/// be infinite. Two facts carry all of them:
///  - phi continuous and piecewise differentiable: the quotient is an average of phi' over [b, a], so it lies in the
///    hull of the values of phi' on the interval (fundamental theorem of calculus);
///  - between two neighbouring zeros of phi'' the derivative is monotone, so that hull is spanned by phi' at the ends of
///    the interval and at the zeros of phi'' inside.
/// Zeros are typed as intervals that hold them; phi' is evaluated in interval arithmetic. Where phi jumps between a and
/// b the quotient is unbounded on one side.
#pragma once

#include <cmath>
#include <initializer_list>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/activation_entry.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::slopes_of {

using parameters = activation_parameters;

namespace detail {

/// Hull of the slopes that were seen, none at first.
class slope_hull {
 public:
  void include(interval slope) {
    hull_ = empty_ ? slope : hull(hull_, slope);
    empty_ = false;
  }
  interval value() const { return hull_; }

 private:
  bool empty_ = true;
  interval hull_;
};

/// A smooth phi: `derivative(point)` encloses phi' at a real number, `below` and `above` are its limits at -infinity and
/// +infinity, `critical` hold the zeros of phi''.
template <class Derivative>
interval smooth(interval x, interval below, interval above, std::initializer_list<interval> critical,
                Derivative const& derivative) {
  slope_hull result;
  result.include(x.lower == -infinity ? below : derivative(interval(x.lower)));
  result.include(x.upper == infinity ? above : derivative(interval(x.upper)));
  for (interval const c : critical) {
    if (c.upper >= x.lower && c.lower <= x.upper) result.include(derivative(c));
  }
  return result.value();
}

/// phi linear with slope `below` left of `kink` and `above` right of it.
inline interval two_pieces(interval x, double kink, double below, double above) {
  if (x.upper <= kink) return below;
  return x.lower >= kink ? interval(above) : hull(below, above);
}

/// True if the interval holds two points of ]from, to[.
constexpr bool meets(interval x, double from, double to) { return x.lower < to && x.upper > from; }

/// +-c for an even phi'' with these zeros.
constexpr interval mirrored(interval c) { return {-c.upper, -c.lower}; }

/// Of functions x p(x), p increasing: r = p' > 0, l = (log r)' strictly decreasing from a positive to a negative limit.
/// Then (x p)'' = r (2 + x l), and x l is unimodal around a product that vanishes only at 0 and at the zero of l, so
/// that 2 + x l has exactly one zero on either side. gelu: l = -x; silu: l = 1 - 2 sigmoid; mish: l = 1 - s - 2 s
/// tanh(softplus), s = sigmoid; gelu_tanh: x l / 2 = x u'' / 2u' - x u' tanh u with u' = k (1 + 3 c x^2), where 2 + x l
/// vanishes iff (1 + 6 c x^2) / (x k (1 + 3 c x^2)^2) = tanh u, of which the left side decreases.
inline constexpr interval gelu_zero{0x1.6a09e667f3bccp+0, 0x1.6a09e667f3bcdp+0};  // sqrt 2

template <class = void>
interval gelu_derivative(interval x) {
  interval const density = exp(-0.5 * square(x)) / sqrt(2.0 * sigmax::detail::interval_pi);
  return 0.5 * (1.0 + erf(x / sqrt(interval(2.0)))) + x * density;
}

inline constexpr interval gelu_tanh_zero{1.418504008790828, 1.418504008790829};

template <class = void>
interval gelu_tanh_derivative(interval x) {
  interval const c = interval(44715.0) / 1000000.0;
  interval const k = sqrt(2.0 / sigmax::detail::interval_pi);
  interval const x2 = square(x);
  // tanh u = 2 sigmoid(2u) - 1 and 1 - tanh^2 u = 4 sigmoid(2u) sigmoid(-2u).
  interval const twice_u = 2.0 * k * x * (1.0 + c * x2);
  interval const s = sigmoid(twice_u);
  return s + x * (2.0 * s * sigmoid(-twice_u) * k * (1.0 + 3.0 * c * x2));
}

inline constexpr interval silu_zero{2.399357280515467, 2.399357280515468};

template <class = void>
interval silu_derivative(interval x) {
  interval const s = sigmoid(x);
  return s + x * (s * sigmoid(-x));
}

inline constexpr interval mish_zero_above{1.490571179485428, 1.490571179485429};
inline constexpr interval mish_zero_below{-2.256376396360794, -2.256376396360793};

template <class = void>
interval mish_derivative(interval x) {
  // tanh(softplus x) = e (e + 2) / (e (e + 2) + 2) with e = e^x, and its derivative 4 e (1 + e) / (e (e + 2) + 2)^2;
  // with 1 / e instead of e where that is large.
  interval const e = exp(x.lower > 0 ? -x : x);
  if (x.lower > 0) {
    interval const d = 1.0 + 2.0 * e + 2.0 * square(e);
    return (1.0 + 2.0 * e) / d + x * (4.0 * square(e) * (1.0 + e) / square(d));
  }
  interval const d = 2.0 + 2.0 * e + square(e);
  return (2.0 * e + square(e)) / d + x * (4.0 * e * (1.0 + e) / square(d));
}

/// Slopes of cos, whose extremes are at multiples of pi; beyond 10^6 all slopes.
template <class = void>
interval cosine_range(interval x) {
  if (!x.is_bounded() || x.magnitude() > 1e6 || x.width() > 6.3) return {-1.0, 1.0};
  slope_hull result;
  result.include(cos(interval(x.lower)));
  result.include(cos(interval(x.upper)));
  double const first = std::floor(x.lower / 3.14) - 2;
  for (double n = first; n * 3.14 <= x.upper + 4; n += 1) {
    interval const extreme = n * sigmax::detail::interval_pi;
    if (extreme.upper >= x.lower && extreme.lower <= x.upper) result.include(std::fmod(n, 2.0) == 0 ? 1.0 : -1.0);
  }
  return result.value();
}

/// Quotients of a nondecreasing phi that jumps.
inline constexpr interval jump_up{0.0, infinity};

/// Of floor and its kin: 0 where both ends have one value.
template <class F>
interval steps(interval x, F const& f) {
  return x.is_bounded() && f(x.lower) == f(x.upper) ? interval(0.0) : jump_up;
}

}  // namespace detail

template <class = void>
interval relu(parameters, interval x) {
  return detail::two_pieces(x, 0.0, 0.0, 1.0);
}
template <class = void>
interval abs(parameters, interval x) {
  return detail::two_pieces(x, 0.0, -1.0, 1.0);
}
template <class = void>
interval identity(parameters, interval) {
  return 1.0;
}
template <class = void>
interval neg(parameters, interval) {
  return -1.0;
}

template <class = void>
interval clip(parameters p, interval x) {
  if (!(p[0] < infinity && p[1] > -infinity)) return interval::whole();
  if (!detail::meets(x, p[0], p[1])) return 0.0;
  return x.lower >= p[0] && x.upper <= p[1] ? interval(1.0) : interval(0.0, 1.0);
}

/// Also prelu.
template <class = void>
interval leaky_relu(parameters p, interval x) {
  return detail::two_pieces(x, 0.0, p[0], 1.0);
}

/// alpha e^x on x < 0.
template <class = void>
interval elu(parameters p, interval x) {
  detail::slope_hull result;
  if (x.upper > 0) result.include(1.0);
  if (x.lower < 0) {
    result.include(p[0] * exp(interval(x.lower)));
    result.include(p[0] * exp(interval(x.upper > 0 ? 0.0 : x.upper)));
  } else {
    result.include(1.0);
  }
  return result.value();
}

/// e^(x / alpha) on x < 0; for alpha < 0 the formula is 0 + x from the right as well.
template <class = void>
interval celu(parameters p, interval x) {
  if (p[0] == 0) return interval::whole();
  detail::slope_hull result;
  if (x.upper > 0 || x.lower >= 0) result.include(1.0);
  if (x.lower < 0) {
    result.include(exp(interval(x.lower) / p[0]));
    result.include(exp(interval(x.upper > 0 ? 0.0 : x.upper) / p[0]));
  }
  return result.value();
}

template <class = void>
interval selu(parameters p, interval x) {
  return p[1] * elu(p, x);
}

/// sigmoid(beta x), monotone.
template <class = void>
interval softplus(parameters p, interval x) {
  return p[0] == 0 ? interval::whole() : sigmoid(p[0] * x);
}

/// sigmoid(-x).
template <class = void>
interval log_sigmoid(parameters, interval x) {
  return sigmoid(-x);
}

/// 1 / (1 + |x|)^2.
template <class = void>
interval softsign(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0}, [](interval t) { return clamped(1.0 / square(1.0 + abs(t)), 0.0, 1.0); });
}

/// 1 - tanh^2 x = 4 sigmoid(2x) sigmoid(-2x), which keeps small values.
template <class = void>
interval tanh(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0},
                        [](interval t) { return clamped(4.0 * sigmoid(2.0 * t) * sigmoid(-2.0 * t), 0.0, 1.0); });
}

template <class = void>
interval sigmoid(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0}, [](interval t) { return clamped(sigmoid(t) * sigmoid(-t), 0.0, 0.25); });
}

/// alpha where 0 < alpha x + beta < 1, else 0.
template <class = void>
interval hard_sigmoid(parameters p, interval x) {
  interval const value = p[0] * x + interval(p[1]);
  if (p[0] == 0 || value.upper <= 0 || value.lower >= 1) return 0.0;
  return value.lower >= 0 && value.upper <= 1 ? interval(p[0]) : hull(0.0, p[0]);
}

template <class = void>
interval gelu(parameters, interval x) {
  return detail::smooth(x, 0.0, 1.0, {detail::mirrored(detail::gelu_zero), detail::gelu_zero},
                        detail::gelu_derivative<>);
}
template <class = void>
interval gelu_tanh(parameters, interval x) {
  return detail::smooth(x, 0.0, 1.0, {detail::mirrored(detail::gelu_tanh_zero), detail::gelu_tanh_zero},
                        detail::gelu_tanh_derivative<>);
}
template <class = void>
interval silu(parameters, interval x) {
  return detail::smooth(x, 0.0, 1.0, {detail::mirrored(detail::silu_zero), detail::silu_zero},
                        detail::silu_derivative<>);
}

/// x sigmoid(beta x) = psi(beta x) / beta with psi the silu, so quotients are those of psi over beta x; x / 2 for 0.
template <class = void>
interval swish(parameters p, interval x) {
  return p[0] == 0 ? interval(0.5) : silu(p, p[0] * x);
}

template <class = void>
interval mish(parameters, interval x) {
  return detail::smooth(x, 0.0, 1.0, {detail::mish_zero_below, detail::mish_zero_above}, detail::mish_derivative<>);
}

/// 0 below -3, x / 3 + 1 / 2 up to 3, 1 above.
template <class = void>
interval hard_swish(parameters, interval x) {
  detail::slope_hull result;
  if (x.lower < -3 || x.upper <= -3) result.include(0.0);
  if (x.upper > 3 || x.lower >= 3) result.include(1.0);
  if (detail::meets(x, -3.0, 3.0)) {
    result.include((clamped(x, -3.0, 3.0) + 1.5) / 3.0);
  }
  return clamped(result.value(), -0.5, 1.5);
}

/// 2 / sqrt(pi) e^-x^2.
template <class = void>
interval erf(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0},
                        [](interval t) { return 2.0 / sqrt(sigmax::detail::interval_pi) * exp(-square(t)); });
}

template <class = void>
interval sin(parameters, interval x) {
  return detail::cosine_range(x);
}
/// -sin x = cos(x + pi / 2).
template <class = void>
interval cos(parameters, interval x) {
  return detail::cosine_range(x + sigmax::detail::interval_half_pi);
}

template <class = void>
interval atan(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0}, [](interval t) { return clamped(1.0 / (1.0 + square(t)), 0.0, 1.0); });
}
template <class = void>
interval asinh(parameters, interval x) {
  return detail::smooth(x, 0.0, 0.0, {0.0}, [](interval t) { return clamped(1.0 / sqrt(1.0 + square(t)), 0.0, 1.0); });
}

/// a + b.
template <class = void>
interval square(parameters, interval x) {
  return 2.0 * x;
}
template <class = void>
interval exp(parameters, interval x) {
  return exp(x);
}
/// 1 / x, unbounded towards 0.
template <class = void>
interval log(parameters, interval x) {
  if (x.lower < 0) return interval::whole();
  return {divide_down(1.0, x.upper), divide_up(1.0, x.lower)};
}
/// 1 / (2 sqrt x), unbounded towards 0.
template <class = void>
interval sqrt(parameters, interval x) {
  if (x.lower < 0) return interval::whole();
  return {divide_down(0.5, sqrt_up(x.upper)), divide_up(0.5, sqrt_down(x.lower))};
}
/// -1 / (a b).
template <class = void>
interval reciprocal(parameters, interval x) {
  if (!(x.lower > 0 || x.upper < 0)) return interval::whole();
  interval const inverse{divide_down(1.0, x.magnitude()), divide_up(1.0, x.mignitude())};
  return -square(inverse);
}

/// p x^(p - 1), monotone on either side of 0.
template <class = void>
interval pow(parameters p, interval x) {
  double const exponent = p[0];
  if (exponent == 0) return 0.0;
  if (exponent == 1) return 1.0;
  bool const whole_number = exponent == std::trunc(exponent) && std::fabs(exponent) <= 64;
  bool const defined = whole_number ? exponent > 1 || x.lower > 0 || x.upper < 0 : x.lower >= 0;
  if (!defined) return interval::whole();
  interval const factor(exponent);
  interval const less_one = interval(exponent) - 1.0;
  auto const derivative = [&](double at) {
    if (whole_number) return factor * pow(interval(at), exponent - 1);
    if (at == 0)
      return exponent > 1 ? interval(0.0) : exponent > 0 ? interval(0.0, infinity) : interval(-infinity, 0.0);
    return factor * exp(less_one * log(interval(at)));
  };
  detail::slope_hull result;
  result.include(derivative(x.lower));
  result.include(derivative(x.upper));
  if (x.lower < 0 && x.upper > 0) result.include(0.0);
  return result.value();
}

/// 0 on either side of the jump at 0.
template <class = void>
interval sign(parameters, interval x) {
  return x.lower > 0 || x.upper < 0 || (x.is_point() && x.lower == 0) ? interval(0.0) : detail::jump_up;
}
template <class = void>
interval round(parameters, interval x) {
  return detail::steps(x, [](double t) { return std::rint(t); });
}
template <class = void>
interval floor(parameters, interval x) {
  return detail::steps(x, [](double t) { return std::floor(t); });
}
template <class = void>
interval ceil(parameters, interval x) {
  return detail::steps(x, [](double t) { return std::ceil(t); });
}

/// 0 up to alpha, 1 above, and a jump by alpha between.
template <class = void>
interval thresholded_relu(parameters p, interval x) {
  if (p[0] == 0) return detail::two_pieces(x, 0.0, 0.0, 1.0);
  if (x.upper <= p[0]) return 0.0;
  if (x.lower > p[0]) return 1.0;
  return p[0] > 0 ? detail::jump_up : interval(-infinity, 1.0);
}

/// 1 below -lambd and above lambd, 0 between, and jumps by lambd - bias.
template <class = void>
interval shrink(parameters p, interval x) {
  bool const continuous = p[0] == p[1] && p[1] >= 0;
  double const edge = p[1];
  if (continuous && (edge == 0 || x.upper <= -edge || x.lower >= edge)) return 1.0;
  if (x.upper < -edge || (x.lower > edge && x.lower >= -edge)) return 1.0;
  if (x.lower >= -edge && x.upper <= edge) return 0.0;
  return continuous ? interval(0.0, 1.0) : interval::whole();
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::slopes_of
