// SPDX-License-Identifier: MIT
/// @file
/// The proven image of an interval under an odd polynomial.
#pragma once

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>
#include <sigmax/polynomial/sign_changes.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// a b for an interval b of numbers >= 0: two products where the general rule forms eight.
constexpr interval times_nonnegative(interval a, interval b) {
  return {multiply_down(a.lower, a.lower >= 0 ? b.lower : b.upper),
          multiply_up(a.upper, a.upper >= 0 ? b.upper : b.lower)};
}

/// Contains p(x), x >= 0.
constexpr interval value_at(odd_polynomial<> const& p, double x) {
  interval const y(multiply_down(x, x), multiply_up(x, x));
  interval sum(p[p.terms() - 1]);
  for (int k = p.terms() - 2; k >= 0; --k) sum = times_nonnegative(sum, y) + interval(p[k]);
  return times_nonnegative(sum, interval(x));
}

/// Contains p'(x) for all x in [a, b], 0 <= a <= b. p' is a polynomial in y = x^2 and lies in the convex hull of its
/// Bernstein coefficients on [a^2, b^2], computed here in intervals: of one sign wherever p' is and rounding lets it
/// show, unlike what Horner's rule makes of an interval.
constexpr interval derivative_on(odd_polynomial<> const& p, double a, double b) {
  constexpr double binomial[5][5] = {{1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}};
  int const n = p.terms() - 1;
  interval const y(multiply_down(a, a), multiply_up(a, a));
  interval const width(max_up(0, subtract_down(multiply_down(b, b), y.upper)), subtract_up(multiply_up(b, b), y.lower));
  interval c[odd_polynomial<>::max_terms];
  for (int k = 0; k <= n; ++k) c[k] = interval(multiply_down(p[k], 2 * k + 1), multiply_up(p[k], 2 * k + 1));
  for (int i = 0; i < n && a > 0; ++i) {  // from powers of x^2 to powers of x^2 - y
    for (int k = n - 1; k >= i; --k) c[k] += times_nonnegative(c[k + 1], y);
  }
  interval power(1);
  for (int k = 1; k <= n; ++k) {
    power = times_nonnegative(power, width);
    c[k] = times_nonnegative(
        c[k],
        k < n ? interval(divide_down(power.lower, binomial[n][k]), divide_up(power.upper, binomial[n][k])) : power);
  }
  for (int i = 1; i <= n; ++i) {  // b_j = sum_k binom(j, k) c_k
    for (int j = n; j >= i; --j) c[j] += c[j - 1];
  }
  interval result = c[0];
  for (int k = 1; k <= n; ++k) result = hull(result, c[k]);
  return result;
}

/// Where [a, b] is cut first: closely around each stationary point of p, so that p is monotone between the cuts.
/// Only guesses: what follows from them is proved elsewhere. Writes b and, descending, the cuts; returns their number.
constexpr int cuts(odd_polynomial<> const& p, double a, double b, double* descending) {
  double slope[odd_polynomial<>::max_terms] = {};
  for (int k = 0; k < p.terms(); ++k) slope[k] = (2 * k + 1) * p[k];
  double places[sign_changes_capacity] = {};
  int const found = p.terms() > 1 ? sign_changes(slope, p.terms() - 1, a * a, b * b, places) : 0;
  int count = 0;
  descending[count++] = b;
  for (int i = found - 1; i >= 0; --i) {
    double root = b;  // square root of places[i] in [a, b], from above
    for (int iteration = 0; iteration < 100; ++iteration) {
      double const next = 0.5 * (root + places[i] / root);
      if (!(next < root)) break;
      root = next;
    }
    for (double const cut : {root * (1 + 0x1p-30), root * (1 - 0x1p-30)}) {
      if (a < cut && cut < descending[count - 1]) descending[count++] = cut;
    }
  }
  return count;
}

/// `image` on [a, b], 0 <= a <= b < infinity.
constexpr interval image_of_nonnegative(odd_polynomial<> const& p, double a, double b, double tolerance) {
  constexpr int capacity = 64;
  double ends[capacity] = {};  // of the pieces, the next one last
  int pieces = cuts(p, a, b, ends);
  int budget = 1000;
  interval at_left = value_at(p, a);
  interval result = at_left;
  for (double left = a; pieces > 0;) {
    double const right = ends[pieces - 1];
    interval const at_right = value_at(p, right);
    interval const slope = derivative_on(p, left, right);
    interval values = hull(at_left, at_right);
    // With p' >= -e on the piece p(x) >= p(left) - e (x - left) and p(x) <= p(right) + e (right - x); with p' <= e the
    // same with the ends exchanged. Monotone pieces have e = 0.
    double const e = min_up(max_up(-slope.lower, 0), max_up(slope.upper, 0));
    double const excess = multiply_up(e, subtract_up(right, left));
    double const middle = 0.5 * (left + right);
    // At 0, where p is exactly 0, only monotone pieces are good enough: signs are to survive.
    bool const fine = excess <= (left > 0 ? tolerance + 4 * at_right.width() : 0.0);
    if (!fine && --budget > 0 && pieces < capacity && left < middle && middle < right) {
      ends[pieces++] = middle;
      continue;
    }
    if (excess > 0) values = {subtract_down(values.lower, excess), add_up(values.upper, excess)};
    result = hull(result, values);
    at_left = at_right;
    left = right;
    --pieces;
  }
  return result;
}

}  // namespace detail

/// An interval that contains p(x) for every x in `x`: proved, with the coefficients as stored taken as exact, and
/// within `tolerance` and rounding (a few units in the last place of the largest term) of the smallest such interval.
///
/// The interval is cut around the stationary points of p. Pieces on which p is proved to be monotone count with their
/// ends, on others the mean value theorem says how far beyond p can get: if too far they are halved. After 1000
/// halvings the rest is enclosed as it is: wider, still true. An unbounded `x` gives the whole line.
/// Cost: about 20 evaluations a stationary point. The proof assumes `arithmetic_environment_is_sound()`; a constant
/// expression needs no such assumption.
constexpr interval image(odd_polynomial<> const& p, interval x, double tolerance = 1e-12) {
  if (p.terms() == 0) return interval(0);
  if (!x.is_bounded()) return interval::whole();
  if (x.lower >= 0) return detail::image_of_nonnegative(p, x.lower, x.upper, tolerance);
  interval const below = -detail::image_of_nonnegative(p, x.upper < 0 ? -x.upper : 0.0, -x.lower, tolerance);
  return x.upper <= 0 ? below : hull(below, detail::image_of_nonnegative(p, 0, x.upper, tolerance));
}

}  // namespace sigmax::inline SIGMAX_ABI
