// SPDX-License-Identifier: MIT
/// @file
/// Closed intervals of reals with outward rounded arithmetic.
///
/// Guarantee, for every operation f here: if x_i lies in the argument X_i, then f(x_1, ...) lies in f(X_1, ...).
/// An infinite end means "no bound on this side"; the members of an interval are real numbers. What is undefined or
/// cannot be decided (NaN, division by an interval that holds zero, roots of negative numbers) is the whole line.
///
/// Proof: each end is computed by a function of rounding.hpp that rounds to the stated side, from the ends at which
/// the operation, monotone in each argument, attains its extremes (Moore, Kearfott, Cloud 2009, section 2.3).
#pragma once

#include <cmath>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// The set of x with lower <= x <= upper.
struct interval {
  double lower = 0;
  double upper = 0;

  constexpr interval() = default;
  /// The point itself; NaN becomes the whole line.
  constexpr interval(double point)
      : lower(is_nan(point) ? -infinity : point), upper(is_nan(point) ? infinity : point) {}
  /// [lower, upper]; the whole line if an end is NaN or the ends are crossed.
  constexpr interval(double lower_end, double upper_end) : lower(lower_end), upper(upper_end) {
    if (is_nan(lower_end) || is_nan(upper_end) || lower_end > upper_end) {
      lower = -infinity;
      upper = infinity;
    }
  }

  /// All real numbers.
  static constexpr interval whole() { return {-infinity, infinity}; }

  constexpr bool contains(double x) const { return lower <= x && x <= upper; }
  constexpr bool is_point() const { return lower == upper; }
  constexpr bool is_bounded() const { return is_finite(lower) && is_finite(upper); }
  /// upper - lower, rounded upwards.
  constexpr double width() const { return is_point() ? 0.0 : subtract_up(upper, lower); }
  /// A finite number in or next to the interval. No guarantee.
  constexpr double middle() const {
    if (!is_bounded()) return is_finite(lower) ? lower : is_finite(upper) ? upper : 0.0;
    return 0.5 * lower + 0.5 * upper;
  }
  /// >= |x| for every member x.
  constexpr double magnitude() const { return max_up(-lower, upper); }
  /// <= |x| for every member x.
  constexpr double mignitude() const { return lower > 0 ? lower : upper < 0 ? -upper : 0.0; }

  friend constexpr bool operator==(interval a, interval b) { return a.lower == b.lower && a.upper == b.upper; }

  friend constexpr interval operator-(interval a) { return {-a.upper, -a.lower}; }
  friend constexpr interval operator+(interval a, interval b) {
    return {add_down(a.lower, b.lower), add_up(a.upper, b.upper)};
  }
  friend constexpr interval operator-(interval a, interval b) {
    return {subtract_down(a.lower, b.upper), subtract_up(a.upper, b.lower)};
  }
  friend constexpr interval operator*(interval a, interval b) {
    if (a.lower >= 0 && b.lower >= 0) return {multiply_down(a.lower, b.lower), multiply_up(a.upper, b.upper)};
    if (a.is_point()) return a.lower < 0 ? -(b.times_positive(-a.lower)) : b.times_positive(a.lower);
    if (b.is_point()) return b.lower < 0 ? -(a.times_positive(-b.lower)) : a.times_positive(b.lower);
    double const below = least(least(multiply_down(a.lower, b.lower), multiply_down(a.lower, b.upper)),
                               least(multiply_down(a.upper, b.lower), multiply_down(a.upper, b.upper)));
    double const above = max_up(max_up(multiply_up(a.lower, b.lower), multiply_up(a.lower, b.upper)),
                                max_up(multiply_up(a.upper, b.lower), multiply_up(a.upper, b.upper)));
    return {below, above};
  }
  /// The whole line if b holds zero.
  friend constexpr interval operator/(interval a, interval b) {
    if (!(b.lower > 0) && !(b.upper < 0)) return whole();
    if (b.upper < 0) {
      a = -a;
      b = -b;
    }
    return {divide_down(a.lower, a.lower >= 0 ? b.upper : b.lower),
            divide_up(a.upper, a.upper >= 0 ? b.lower : b.upper)};
  }

  constexpr interval& operator+=(interval b) { return *this = *this + b; }
  constexpr interval& operator-=(interval b) { return *this = *this - b; }
  constexpr interval& operator*=(interval b) { return *this = *this * b; }
  constexpr interval& operator/=(interval b) { return *this = *this / b; }

 private:
  static constexpr double least(double a, double b) { return -max_up(-a, -b); }
  constexpr interval times_positive(double factor) const {
    return {multiply_down(lower, factor), multiply_up(upper, factor)};
  }
};

/// The least interval that holds both.
constexpr interval hull(interval a, interval b) {
  return {a.lower < b.lower ? a.lower : b.lower, a.upper > b.upper ? a.upper : b.upper};
}

/// The part of `a` in [lower, upper], for a quantity known by other means to lie there.
constexpr interval clamped(interval a, double lower, double upper) {
  double const below = a.lower > lower ? a.lower : lower;
  double const above = a.upper < upper ? a.upper : upper;
  return below <= above ? interval(below, above) : interval(lower, upper);
}

constexpr interval max(interval a, interval b) {
  return {a.lower > b.lower ? a.lower : b.lower, a.upper > b.upper ? a.upper : b.upper};
}

constexpr interval min(interval a, interval b) {
  return {a.lower < b.lower ? a.lower : b.lower, a.upper < b.upper ? a.upper : b.upper};
}

constexpr interval abs(interval a) { return {a.mignitude(), a.magnitude()}; }

/// The whole line if a holds a negative number.
inline interval sqrt(interval a) {
  if (a.lower < 0) return interval::whole();
  return {sqrt_down(a.lower), sqrt_up(a.upper)};
}

/// {x^2 : x in a}: never negative, unlike a * a for an interval that holds zero.
constexpr interval square(interval a) {
  return {multiply_down(a.mignitude(), a.mignitude()), multiply_up(a.magnitude(), a.magnitude())};
}

}  // namespace sigmax::inline SIGMAX_ABI
