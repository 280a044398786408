// SPDX-License-Identifier: MIT
/// @file
/// The vectors an attack needs in a norm: lengths, the direction of steepest ascent, the dual of a difference, and the
/// proven quotient of a pair.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/row_norm.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::attack {

/// ||v|| without overflow, not rounded to any side. Infinite or NaN elements give infinity.
inline double length(std::span<double const> v, row_norm norm) {
  double largest = 0;
  for (double const x : v) {
    if (!is_finite(x)) return infinity;
    largest = std::fabs(x) > largest ? std::fabs(x) : largest;
  }
  if (norm.width == 1 || largest == 0) return largest;
  double longest = 0;
  for (std::size_t first = 0; first < v.size(); first += norm.width) {
    double sum = 0;
    for (double const x : v.subspan(first, norm.width)) sum += (x / largest) * (x / largest);
    longest = sum > longest ? sum : longest;
  }
  return largest * std::sqrt(longest / static_cast<double>(norm.divisor));
}

/// v = the vector of norm 1 along which the linear function g grows most: each row of g at full length, zero rows left
/// zero (of single elements: their signs). False, and v is left alone, if g is zero or not finite.
inline bool steepest(std::span<double const> g, row_norm norm, std::span<double> v) {
  double const size = length(g, norm);
  if (!(size > 0) || !is_finite(size)) return false;
  double const allowed = std::sqrt(static_cast<double>(norm.divisor));
  for (std::size_t first = 0; first < g.size(); first += norm.width) {
    auto const row = g.subspan(first, norm.width);
    auto const target = v.subspan(first, norm.width);
    if (norm.width == 1) {
      target[0] = row[0] < 0 ? -1.0 : 1.0;
      continue;
    }
    double const own = length(row, {norm.width, 1});
    for (std::size_t i = 0; i < row.size(); ++i) target[i] = own > 0 ? allowed * (row[i] / own) : 0.0;
  }
  return true;
}

/// u += the gradient of the norm at d: that of its longest row.
inline void add_gradient_of_norm(std::span<double const> d, row_norm norm, std::span<double> u) {
  double const size = length(d, norm);
  if (!(size > 0) || !is_finite(size)) return;
  std::size_t longest = 0;
  double largest = -1;
  for (std::size_t first = 0; first < d.size(); first += norm.width) {
    double const own = length(d.subspan(first, norm.width), norm);
    if (own > largest) {
      largest = own;
      longest = first;
    }
  }
  for (std::size_t i = longest; i < longest + norm.width; ++i) {
    u[i] += d[i] / (size * static_cast<double>(norm.divisor));
  }
}

/// >= ||v|| for every v in the intervals.
inline double length_up(std::span<interval const> v, row_norm norm) {
  double longest = 0;
  for (std::size_t first = 0; first < v.size(); first += norm.width) {
    double sum = 0;
    for (interval const x : v.subspan(first, norm.width)) {
      double const step = x.magnitude();
      if (norm.width == 1) {
        longest = max_up(longest, step);
      } else {
        sum = add_up(sum, multiply_up(step, step));
      }
    }
    longest = max_up(longest, norm.width == 1 ? 0.0 : sum);
  }
  return norm.width == 1 ? longest : sqrt_up(divide_up(longest, static_cast<double>(norm.divisor)));
}

/// <= ||v|| for every v in the intervals.
inline double length_down(std::span<interval const> v, row_norm norm) {
  double longest = 0;
  for (std::size_t first = 0; first < v.size(); first += norm.width) {
    double sum = 0;
    for (interval const x : v.subspan(first, norm.width)) {
      double const step = x.mignitude();
      if (!(step > 0)) continue;
      double const more = norm.width == 1 ? step : add_down(sum, multiply_down(step, step));
      sum = more > sum ? more : sum;
    }
    longest = sum > longest ? sum : longest;
  }
  return norm.width == 1 ? longest : sqrt_down(divide_down(longest, static_cast<double>(norm.divisor)));
}

/// <= ||f(x) - f(y)|| / ||x - y|| for every f(x) in fx and f(y) in fy; 0 if x = y.
/// Proof: the numerator is bounded from below by the least absolute values of the differences of the intervals, the
/// denominator from above, both in outward arithmetic; sums of squares and maxima are monotone in them.
inline double proven_quotient(std::span<double const> x, std::span<double const> y, std::span<interval const> fx,
                              std::span<interval const> fy, row_norm in, row_norm out) {
  std::vector<interval> difference(x.size() < fx.size() ? fx.size() : x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    difference[i] = x[i] == y[i] ? interval(0.0) : interval(x[i]) - interval(y[i]);
  }
  double const above = length_up(std::span<interval const>(difference).first(x.size()), in);
  for (std::size_t i = 0; i < fx.size(); ++i) difference[i] = fx[i] - fy[i];
  double const below = length_down(std::span<interval const>(difference).first(fx.size()), out);
  double const quotient = divide_down(below, above);
  return quotient > 0 && is_finite(quotient) ? quotient : 0.0;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::attack
