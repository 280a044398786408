// SPDX-License-Identifier: MIT
/// @file
/// The vectors an attack needs in a norm: lengths, the direction of steepest ascent, the dual of a difference, and the
/// proven quotient of a pair.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::attack {

/// ||v||_2 without overflow, or max |v_i|. Not rounded to any side. Infinite or NaN elements give infinity.
inline double length(std::span<double const> v, bool euclidean) {
  double largest = 0;
  for (double const x : v) {
    if (!is_finite(x)) return infinity;
    largest = std::fabs(x) > largest ? std::fabs(x) : largest;
  }
  if (!euclidean || largest == 0) return largest;
  double sum = 0;
  for (double const x : v) sum += (x / largest) * (x / largest);
  return largest * std::sqrt(sum);
}

/// v = the unit vector along which the linear function g grows most: g / ||g||_2, or the signs of g.
/// False, and v is left alone, if g is zero or not finite.
inline bool steepest(std::span<double const> g, bool euclidean, std::span<double> v) {
  double const size = length(g, euclidean);
  if (!(size > 0) || !is_finite(size)) return false;
  for (std::size_t i = 0; i < g.size(); ++i) v[i] = euclidean ? g[i] / size : (g[i] < 0 ? -1.0 : 1.0);
  return true;
}

/// u += the gradient of the norm at d: d / ||d||_2, or the sign of the largest element.
inline void add_gradient_of_norm(std::span<double const> d, bool euclidean, std::span<double> u) {
  double const size = length(d, euclidean);
  if (!(size > 0) || !is_finite(size)) return;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (euclidean) u[i] += d[i] / size;
    if (std::fabs(d[i]) > std::fabs(d[largest])) largest = i;
  }
  if (!euclidean) u[largest] += d[largest] < 0 ? -1.0 : 1.0;
}

/// <= ||f(x) - f(y)|| / ||x - y|| for every f(x) in fx and f(y) in fy; 0 if x = y.
/// Proof: the numerator is bounded from below by the least absolute values of the differences of the intervals, the
/// denominator from above, both in outward arithmetic; sums of squares and maxima are monotone in them.
inline double proven_quotient(std::span<double const> x, std::span<double const> y, std::span<interval const> fx,
                              std::span<interval const> fy, bool euclidean) {
  double above = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const step = (interval(x[i]) - interval(y[i])).magnitude();
    if (x[i] == y[i]) continue;
    above = euclidean ? add_up(above, multiply_up(step, step)) : max_up(above, step);
  }
  double below = 0;
  for (std::size_t i = 0; i < fx.size(); ++i) {
    double const step = (fx[i] - fy[i]).mignitude();
    if (!euclidean) {
      below = step > below ? step : below;
    } else if (step > 0) {
      double const more = add_down(below, multiply_down(step, step));
      below = more > below ? more : below;
    }
  }
  if (euclidean) {
    above = sqrt_up(above);
    below = sqrt_down(below);
  }
  double const quotient = divide_down(below, above);
  return quotient > 0 && is_finite(quotient) ? quotient : 0.0;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::attack
