// SPDX-License-Identifier: MIT
/// @file
/// Outward rounded scalar arithmetic in double and the gates that stand before every proof.
///
/// Every function here returns a number on the stated side of the exact result of its exact operands. It computes to
/// nearest and moves one unit in the last place outwards, which covers the half unit of rounding in the normal and in
/// the subnormal range alike; no rounding mode is ever changed. Whatever cannot be decided ends on the safe side: NaN
/// becomes +infinity in upper results and -infinity in lower ones.
///
/// The functions are kept out of line: they stand in scalar code between matrix kernels, where inlining dozens of them
/// costs users compile time and gains nothing.
///
/// Proof of the scheme: for a correctly rounded operation the exact result lies between the two floating-point
/// neighbours of the computed one (IEEE 754-2019, 4.3.1), and an overflow to +infinity is an upper bound already.
#pragma once

#include <bit>
#include <cfenv>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// False in a translation unit that was compiled with -ffast-math or one of its parts, or with excess precision.
/// Depends on a template argument so that it is tested where a certificate is instantiated, not where it is included.
template <class...>
inline constexpr bool strict_arithmetic = SIGMAX_STRICT_ARITHMETIC == 1 && FLT_EVAL_METHOD == 0;

/// Stops the compilation of a certificate under -ffast-math with one readable line.
#define SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(...)                                                                   \
  static_assert(::sigmax::strict_arithmetic<__VA_ARGS__>,                                                              \
                "sigmax: nothing can be proved in a file compiled with -ffast-math (or a part of it, or x87 excess "   \
                "precision); compile the file that makes certificates without it")

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// NaN by its bits: x != x is deleted by -ffinite-math-only.
constexpr bool is_nan(double x) {
  return (std::bit_cast<std::uint64_t>(x) & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

/// Neither NaN nor infinite, by its bits.
constexpr bool is_finite(double x) {
  return (std::bit_cast<std::uint64_t>(x) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

/// The least double above x; +infinity for +infinity and for NaN.
[[gnu::noinline]] constexpr double next_up(double x) {
  auto const bits = std::bit_cast<std::uint64_t>(x);
  if (is_nan(x) || bits == 0x7ff0000000000000u) return infinity;
  if ((bits & 0x7fffffffffffffffu) == 0) return std::numeric_limits<double>::denorm_min();
  return std::bit_cast<double>((bits >> 63) != 0 ? bits - 1 : bits + 1);
}

/// The greatest double below x; -infinity for -infinity and for NaN.
constexpr double next_down(double x) { return is_nan(x) ? -infinity : -next_up(-x); }

/// >= a + b. Adding zero is exact.
[[gnu::noinline]] constexpr double add_up(double a, double b) {
  if ((a == 0 || b == 0) && !is_nan(a) && !is_nan(b)) return a + b;
  return next_up(a + b);
}
/// <= a + b.
constexpr double add_down(double a, double b) { return -add_up(-a, -b); }
/// >= a - b.
constexpr double subtract_up(double a, double b) { return add_up(a, -b); }
/// <= a - b.
constexpr double subtract_down(double a, double b) { return add_down(a, -b); }
/// >= a b. A factor that is exactly zero makes the product exactly zero, even against +infinity: the callers multiply
/// bounds, and 0 times something finite but unknown is 0.
[[gnu::noinline]] constexpr double multiply_up(double a, double b) {
  if (is_nan(a) || is_nan(b)) return infinity;
  return a == 0 || b == 0 ? 0.0 : next_up(a * b);
}
/// <= a b, for finite or infinite factors; zero as in multiply_up.
[[gnu::noinline]] constexpr double multiply_down(double a, double b) {
  if (is_nan(a) || is_nan(b)) return -infinity;
  return a == 0 || b == 0 ? 0.0 : next_down(a * b);
}
/// >= a / b for b > 0; +infinity for any other b.
[[gnu::noinline]] constexpr double divide_up(double a, double b) {
  return b > 0 ? (a == 0 ? 0.0 : next_up(a / b)) : infinity;
}
/// <= a / b for b > 0; -infinity for any other b.
[[gnu::noinline]] constexpr double divide_down(double a, double b) {
  return b > 0 ? (a == 0 ? 0.0 : next_down(a / b)) : -infinity;
}
/// >= sqrt(a) for a >= 0 (IEEE square roots are correctly rounded); +infinity for NaN and negative a.
inline double sqrt_up(double a) { return a == 0 ? 0.0 : next_up(std::sqrt(a)); }
/// <= sqrt(a), never negative; 0 for NaN and negative a.
inline double sqrt_down(double a) { return a > 0 ? next_down(std::sqrt(a)) : 0.0; }

/// max that turns NaN into +infinity.
constexpr double max_up(double a, double b) {
  if (is_nan(a) || is_nan(b)) return infinity;
  return a < b ? b : a;
}
/// min of two upper bounds; a NaN among them is ignored as +infinity is.
constexpr double min_up(double a, double b) {
  if (is_nan(a)) return is_nan(b) ? infinity : b;
  return b < a ? b : a;
}

/// Unit roundoff of double, 2^-53, and its smallest subnormal, 2^-1074.
inline constexpr double double_roundoff = 0x1p-53;
inline constexpr double double_underflow = std::numeric_limits<double>::denorm_min();

/// gamma_n = n u / (1 - n u), rounded up; +infinity where n u >= 1. Higham, Accuracy and Stability of Numerical
/// Algorithms, 2nd ed., Lemma 3.1: a sum of n products in any order, with or without fused multiply-add, is off by at
/// most gamma_n times the sum of their absolute values (plus underflow).
[[gnu::noinline]] constexpr double gamma_up(double n, double u = double_roundoff) {
  double const nu = multiply_up(n, u);
  return nu < 1 ? divide_up(nu, subtract_down(1.0, nu)) : infinity;
}

/// >= x 2^exponent, for exponents of any size.
[[gnu::noinline]] inline double scale_up(double x, std::int64_t exponent) {
  if (is_nan(x)) return infinity;
  int const clamped = exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : static_cast<int>(exponent);
  double const scaled = std::ldexp(x, clamped);
  // ldexp is exact unless the result is subnormal or overflows.
  bool const exact = std::ldexp(scaled, -clamped) == x && is_finite(scaled);
  return exact ? scaled : next_up(scaled);
}

/// <= x 2^exponent; the largest double where that overflows.
inline double scale_down(double x, std::int64_t exponent) { return -scale_up(-x, exponent); }

namespace detail {

/// (a + b) - a as written. Under re-association it would be b.
[[gnu::noinline]] inline double add_and_subtract(double a, double b) { return (a + b) - a; }

/// True if divisions are divisions. With -freciprocal-math several quotients of one divisor become products with its
/// reciprocal, some of which are off by a unit in the last place: 5 / 49 times 49 is 5 only when divided.
[[gnu::noinline]] inline bool divides(double divisor, double const (&numbers)[4], double const (&quotients)[4]) {
  double const a = numbers[0] / divisor;
  double const b = numbers[1] / divisor;
  double const c = numbers[2] / divisor;
  double const d = numbers[3] / divisor;
  return a == quotients[0] && b == quotients[1] && c == quotients[2] && d == quotients[3];
}

}  // namespace detail

/// Tests at run time what the proofs assume of this thread: rounding to nearest, gradual underflow of float and double
/// in both directions (no flush-to-zero, no denormals-are-zero), no re-association, no reciprocals in place of divisions. A linked shared library that was
/// built with -ffast-math can switch the processor to flush-to-zero behind everybody's back; this sees it.
inline bool arithmetic_environment_is_sound() {
  double const volatile one = 1.0;
  double const volatile tiny = double_roundoff / 4;
  double const volatile above = one + tiny;
  double const volatile below = one - tiny;
  double const volatile negative = -one - tiny;
  double const volatile subnormal = double_underflow;
  double const volatile smallest_normal = std::numeric_limits<double>::min();
  float const volatile one_float = 1.0f;
  float const volatile subnormal_float = std::numeric_limits<float>::denorm_min();
  float const volatile smallest_normal_float = std::numeric_limits<float>::min();
  double const volatile kept_input = subnormal * 0x1p100;
  double const volatile kept_output = smallest_normal * 0.5;
  float const volatile kept_input_float = subnormal_float * 0x1p60f;
  float const volatile kept_output_float = smallest_normal_float * 0.5f;
  double const volatile forty_nine = 49.0;
  double const volatile widened = static_cast<double>(subnormal_float) * one_float;
  return std::fegetround() == FE_TONEAREST && above == 1.0 && below == 1.0 && negative == -1.0 && kept_input > 0 &&
         kept_output > 0 && kept_input_float > 0 && kept_output_float > 0 && widened > 0 &&
         detail::add_and_subtract(0x1p60, one) == 0.0 &&
         detail::divides(forty_nine, {5.0, 9.0, 11.0, 13.0}, {5.0 / 49.0, 9.0 / 49.0, 11.0 / 49.0, 13.0 / 49.0});
}

}  // namespace sigmax::inline SIGMAX_ABI
