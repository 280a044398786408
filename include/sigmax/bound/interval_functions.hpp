// SPDX-License-Identifier: MIT
/// @file
/// Rigorous elementary functions of intervals.
///
/// Guarantee of each: x in X implies f(x) in f(X). Nothing is believed of the C library: all enclosures come from
/// series with bounded remainders, summed in outward rounded arithmetic. Arguments outside a function's domain give
/// the whole line. Point arguments give widths of a few units of 1e-15, relative. Cost: a series of 10 to 30 interval
/// operations (erf: up to about 120). Monotone functions are evaluated at both ends.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

// Doubles on both sides of the constants (pi is 3.14159265358979323846..., ln 2 is 0.69314718055994530941...).
inline constexpr interval interval_pi{0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};
inline constexpr interval interval_half_pi{0x1.921fb54442d18p+0, 0x1.921fb54442d19p+0};
inline constexpr interval interval_log_2{0x1.62e42fefa39efp-1, 0x1.62e42fefa39f0p-1};

// The same constants as head + tail. The heads end in at least 20 zero bits, so that n * head is exact for |n| < 2^20.
inline constexpr double log_2_head = 0x1.62e42feep-1;
inline constexpr interval log_2_tail{0x1.a39ef35793c75p-33, 0x1.a39ef35793c77p-33};
inline constexpr double half_pi_head = 0x1.921fb544p+0;
inline constexpr interval half_pi_tail{0x1.0b4611a626330p-34, 0x1.0b4611a626332p-34};

/// (e^r - 1) / r for |r| <= 0.4: sum over k of r^k / (k + 1)!, k < 16. The rest is at most
/// 0.4^16 / 17! / (1 - 0.4 / 18) < 2e-21.
inline interval exp_quotient(interval r) {
  interval sum = 1.0;
  for (int k = 16; k >= 2; --k) sum = 1.0 + r * sum / static_cast<double>(k);
  return sum + interval(-1e-20, 1e-20);
}

/// e^x for a real number x.
inline interval exp_at(double x) {
  if (!(x > -746)) return is_nan(x) ? interval::whole() : interval(0.0, double_underflow);  // e^-746 < 2^-1074
  if (!(x < 710)) return {std::numeric_limits<double>::max(), infinity};                    // e^710 > 2^1024
  // e^x = 2^n e^r. Any integer n is right; the nearest one makes r small, which is tested.
  double const n = std::nearbyint(x * 1.4426950408889634);
  interval const r = (interval(x) - interval(n * log_2_head)) - n * log_2_tail;
  if (!(r.lower >= -0.4 && r.upper <= 0.4)) return {0.0, infinity};
  interval const factor = 1.0 + r * exp_quotient(r);
  auto const exponent = static_cast<std::int64_t>(n);
  double const below = scale_down(factor.lower, exponent);
  return {below > 0 ? below : 0.0, scale_up(factor.upper, exponent)};
}

/// e^x - 1 for a real number x, without cancellation near 0.
inline interval expm1_at(double x) {
  if (x >= -0.4 && x <= 0.4) return interval(x) * exp_quotient(x);
  return exp_at(x) - 1.0;
}

/// 2 artanh(s) = log((1 + s) / (1 - s)) for |s| <= 1/5: 2 s sum over k of s^2k / (2k + 1), k < 14. The rest of the sum
/// is at most 5^-28 / 29 / (1 - 1/25) < 1e-21.
inline interval two_artanh(interval s) {
  interval const t = square(s);
  interval sum = 1.0 / interval(27.0);
  for (int k = 12; k >= 0; --k) sum = 1.0 / interval(2.0 * k + 1.0) + t * sum;
  return 2.0 * s * (sum + interval(-1e-21, 1e-21));
}

/// log x for a real number x > 0; -infinity at 0.
inline interval log_at(double x) {
  if (!(x >= 0)) return interval::whole();
  if (x == 0) return {-infinity, -std::numeric_limits<double>::max()};
  if (!is_finite(x)) return {709.0, infinity};
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact, as is the doubling
  if (mantissa < 0.75) {
    mantissa *= 2;
    --exponent;
  }
  // mantissa in [3/4, 3/2), hence s in [-1/7, 1/5); mantissa - 1 is exact (Sterbenz).
  interval const s = interval(mantissa - 1.0) / (interval(mantissa) + 1.0);
  interval const log_of_mantissa = two_artanh(s);
  return exponent == 0 ? log_of_mantissa : static_cast<double>(exponent) * interval_log_2 + log_of_mantissa;
}

/// log(1 + x) for a real number x >= -1.
inline interval log1p_at(double x) {
  if (x > -0.25 && x < 0.4) return two_artanh(interval(x) / (interval(x) + 2.0));
  if (x > 1e20) return log_at(x) + interval(0.0, 1e-20);  // log(1 + x) - log x lies in [0, 1 / x]
  interval const one_more = interval(x) + 1.0;
  if (one_more.lower < 0) return {-infinity, log_at(one_more.upper).upper};
  return {log_at(one_more.lower).lower, log_at(one_more.upper).upper};
}

/// tanh x for a real number x >= 0: -d / (2 + d) with d = e^-2x - 1.
inline interval tanh_at(double x) {
  interval const d = expm1_at(-2.0 * x);
  return clamped(-d / (2.0 + d), 0.0, 1.0);
}

/// 1 / (1 + e^-x) for a real number x, in the form that keeps small values accurate.
inline interval sigmoid_at(double x) {
  if (x >= 0) return clamped(1.0 / (1.0 + exp_at(-x)), 0.5, 1.0);
  interval const e = exp_at(x);
  return clamped(e / (1.0 + e), 0.0, 0.5);
}

/// log(1 + e^x) for a real number x.
inline interval softplus_at(double x) {
  interval const e = exp_at(x > 0 ? -x : x);
  interval const rest{e.lower > 0 ? log1p_at(e.lower).lower : 0.0, log1p_at(e.upper).upper};
  return x > 0 ? x + rest : rest;
}

/// erf x for a real number x >= 0 by the series of positive terms (Abramowitz, Stegun 7.1.6)
/// 2 / sqrt(pi) e^-x^2 sum over n of t_n, t_0 = x, t_n = t_(n-1) 2 x^2 / (2n + 1).
/// The terms after t_n are at most t_n q / (1 - q) with q = 2 x^2 / (2n + 3).
inline interval erf_at(double x) {
  // 1 - erf x < e^-x^2 / (x sqrt(pi)) (7.1.13), below 3e-17 for x >= 6.
  if (!(x < 6)) return is_nan(x) ? interval(-1.0, 1.0) : interval(next_down(1.0), 1.0);
  // x (1 - x^2 / 3) <= sqrt(pi) / 2 erf x <= x; the stopping test below would underflow.
  if (x < 1e-9) return 2.0 / sqrt(interval_pi) * (x * interval(1.0 - 0x1p-53, 1.0));
  interval const twice_square = 2.0 * square(x);
  interval term = x;
  interval sum = x;
  for (int n = 1; n < 400; ++n) {
    term = term * twice_square / (2.0 * n + 1.0);
    sum += term;
    double const q = divide_up(twice_square.upper, 2.0 * n + 3.0);
    if (q < 0.5 && multiply_up(term.upper, q) <= 1e-17 * sum.lower) {
      sum += interval(0.0, divide_up(multiply_up(term.upper, q), subtract_down(1.0, q)));
      interval const factor{exp_at(-square(x).upper).lower, exp_at(-square(x).lower).upper};
      return clamped(2.0 / sqrt(interval_pi) * factor * sum, 0.0, 1.0);
    }
  }
  return {0.0, 1.0};
}

/// sin r for |r| <= 0.8: r (1 - r^2/(2 3) (1 - r^2/(4 5) (...))). The terms left out are at most
/// |r| 0.8^18 / 19! < 2e-19 |r|.
inline interval sin_series(interval r) {
  interval const t = square(r);
  interval sum = 1.0;
  for (int k = 16; k >= 2; k -= 2) sum = 1.0 - t * sum / (static_cast<double>(k) * (k + 1));
  return r * (sum + interval(-2e-19, 2e-19));
}

/// cos r for |r| <= 0.8; the terms left out are at most 0.8^18 / 18! < 3e-18.
inline interval cos_series(interval r) {
  interval const t = square(r);
  interval sum = 1.0;
  for (int k = 15; k >= 1; k -= 2) sum = 1.0 - t * sum / (static_cast<double>(k) * (k + 1));
  return sum + interval(-3e-18, 3e-18);
}

/// sin(x + quarter_turns pi / 2) for a real number x; [-1, 1] beyond |x| = 10^6.
inline interval sin_at(double x, int quarter_turns) {
  if (!(x > -1e6 && x < 1e6)) return {-1.0, 1.0};
  double const n = std::nearbyint(x * 0.6366197723675814);
  interval const r = (interval(x) - interval(n * half_pi_head)) - n * half_pi_tail;
  if (!(r.lower >= -0.8 && r.upper <= 0.8)) return {-1.0, 1.0};
  auto const quadrant = (static_cast<std::int64_t>(n) + quarter_turns) & 3;
  interval const value = (quadrant & 1) != 0 ? cos_series(r) : sin_series(r);
  return clamped((quadrant & 2) != 0 ? -value : value, -1.0, 1.0);
}

/// atan x for a real number 0 <= x <= 1. A trial y from anywhere, then atan x = y + atan w with
/// w = (x - tan y) / (1 + x tan y), because |atan x - y| < pi / 2; and atan w lies between 0 and w.
inline interval atan_at_most_one(double x) {
  double const y = std::atan(x);
  if (!(y >= 0 && y <= 1)) return {0.0, interval_half_pi.upper};
  interval const tangent = sin_at(y, 0) / sin_at(y, 1);
  interval const w = (x - tangent) / (1.0 + x * tangent);
  return clamped(y + hull(w, 0.0), 0.0, interval_half_pi.upper);
}

/// atan x for a real number x >= 0: pi / 2 - atan(1 / x) beyond 1.
inline interval atan_at(double x) {
  if (x <= 1) return atan_at_most_one(x);
  interval const inverse = clamped(1.0 / interval(x), 0.0, 1.0);
  return interval_half_pi - interval(atan_at_most_one(inverse.lower).lower, atan_at_most_one(inverse.upper).upper);
}

/// asinh x = log(x + sqrt(1 + x^2)) for a real number x >= 0, without cancellation near 0.
inline interval asinh_at(double x) {
  // asinh x - log 2x = log((1 + sqrt(1 + x^-2)) / 2) lies in [0, x^-2 / 4].
  if (x > 1e8) return log_at(x) + interval_log_2 + interval(0.0, 1e-16);
  interval const argument = x + square(x) / (1.0 + sqrt(1.0 + square(x)));
  return {log1p_at(argument.lower > 0 ? argument.lower : 0.0).lower, log1p_at(argument.upper).upper};
}

/// f increasing and odd, given on x >= 0.
template <class F>
interval odd_increasing(interval x, F const& f) {
  return {x.lower < 0 ? -f(-x.lower).upper : f(x.lower).lower, x.upper < 0 ? -f(-x.upper).lower : f(x.upper).upper};
}

/// sin(x + quarter_turns pi / 2): 1-Lipschitz, so the value at the middle and the half width enclose it.
inline interval sin_around(interval x, int quarter_turns) {
  if (!x.is_bounded()) return {-1.0, 1.0};
  if (x.is_point()) return sin_at(x.lower, quarter_turns);
  double const middle = x.middle();
  double const radius = max_up(subtract_up(x.upper, middle), subtract_up(middle, x.lower));
  return clamped(sin_at(middle, quarter_turns) + interval(-radius, radius), -1.0, 1.0);
}

}  // namespace detail

inline interval exp(interval x) { return {detail::exp_at(x.lower).lower, detail::exp_at(x.upper).upper}; }

/// The whole line if x holds a negative number.
inline interval log(interval x) {
  if (x.lower < 0) return interval::whole();
  return {detail::log_at(x.lower).lower, detail::log_at(x.upper).upper};
}

/// log(1 + x); the whole line if x holds a number below -1.
inline interval log1p(interval x) {
  if (x.lower < -1) return interval::whole();
  return {detail::log1p_at(x.lower).lower, detail::log1p_at(x.upper).upper};
}

inline interval tanh(interval x) { return detail::odd_increasing(x, detail::tanh_at); }
inline interval erf(interval x) { return detail::odd_increasing(x, detail::erf_at); }
inline interval atan(interval x) { return detail::odd_increasing(x, detail::atan_at); }
inline interval asinh(interval x) { return detail::odd_increasing(x, detail::asinh_at); }
inline interval sin(interval x) { return detail::sin_around(x, 0); }
inline interval cos(interval x) { return detail::sin_around(x, 1); }

/// 1 / (1 + e^-x).
inline interval sigmoid(interval x) { return {detail::sigmoid_at(x.lower).lower, detail::sigmoid_at(x.upper).upper}; }

/// log(1 + e^x).
inline interval softplus(interval x) {
  return {detail::softplus_at(x.lower).lower, detail::softplus_at(x.upper).upper};
}

/// 1 for x > 0, else 0.
constexpr interval heaviside(interval x) { return {x.lower > 0 ? 1.0 : 0.0, x.upper > 0 ? 1.0 : 0.0}; }
inline interval floor(interval x) { return {std::floor(x.lower), std::floor(x.upper)}; }
inline interval ceil(interval x) { return {std::ceil(x.lower), std::ceil(x.upper)}; }
/// To nearest, ties to even, as ONNX rounds.
inline interval rint(interval x) { return {std::rint(x.lower), std::rint(x.upper)}; }

/// x^exponent: any x for exponents that are small integers, positive x for others; else the whole line.
inline interval pow(interval x, double exponent) {
  if (exponent == std::trunc(exponent) && std::fabs(exponent) <= 64) {
    interval result = 1.0;
    auto const count = static_cast<int>(std::fabs(exponent));
    for (int i = 0; i + 1 < count; i += 2) result *= square(x);
    if (count % 2 != 0) result *= x;
    return exponent < 0 ? 1.0 / result : result;
  }
  if (!(x.lower > 0) || !is_finite(exponent)) return interval::whole();
  return exp(exponent * log(x));
}

}  // namespace sigmax::inline SIGMAX_ABI
