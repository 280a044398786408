// SPDX-License-Identifier: MIT
/// @file
/// The odd polynomial nearest to 1 on an interval: what every step of the fastest schedules is.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>
#include <sigmax/polynomial/sign_changes.hpp>
#include <sigmax/polynomial/taylor_polynomials.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// A best approximation and what it misses.
struct minimax_fit {
  odd_polynomial<> polynomial;
  /// max |1 - p(x)| on the interval, of the exact best approximation.
  double error = 0;
};

namespace detail {

/// sqrt(x) for 0 <= x <= 1 by Newton's iteration from above, to a unit in the last place.
constexpr double square_root_below_one(double x) {
  double root = 1;
  for (int iteration = 0; x > 0 && iteration < 1000; ++iteration) {
    double const next = 0.5 * (root + x / root);
    if (!(next < root)) break;
    root = next;
  }
  return x > 0 ? root : 0.0;
}

/// sum_{k > q} binom(2k, k) 4^-k z^k = 1/x - (the Taylor polynomial of degree q in z), z = 1 - x^2 < 1/2, to a few
/// units in the last place however small z is.
constexpr double taylor_remainder(int q, double z) {
  double term = 1;
  for (int k = 0; k <= q; ++k) term = term * z * (2 * k + 1) / (2 * k + 2);
  double sum = term;
  for (int k = q + 1; term > 0x1p-56 * sum; ++k) {
    term = term * z * (2 * k + 1) / (2 * k + 2);
    sum += term;
  }
  return sum;
}

/// Remez's exchange for p(x) = x r(x^2) on [1 - gap, 1], r of degree q.
///
/// s in [-1, 1] is the linear image of y = x^2, and r is kept in powers of s, for q <= 4 as well conditioned as
/// Chebyshev polynomials; powers of x would be dependent to rounding on short intervals. On those (gap < 1/4) only the
/// difference of r to the Taylor polynomial at 1 is solved for, so that nothing cancels and errors far below the
/// roundoff keep their digits.
class remez {
 public:
  constexpr remez(int q, double lower, double gap)
      : q_(q), narrow_(gap < 0.25), lower_(lower), span_(gap * (1 + lower)) {
    constexpr double cosines[5][6] = {
        {},
        {0, 0.5, 1},
        {0, 0.25, 0.75, 1},
        {0, 0.14644660940672624, 0.5, 0.85355339059327376, 1},
        {0, 0.09549150281252629, 0.34549150281252630, 0.65450849718747370, 0.90450849718747371, 1}};
    // Chebyshev's points in x to begin with.
    for (int i = 0; i <= q_ + 1; ++i) {
      double const t = cosines[q_][i];
      point_[i] = 2 * t * (2 * lower + gap * t) / (1 + lower) - 1;
    }
  }

  /// Until the points stand still: four to seven exchanges, because the error of each is the square of the last one's.
  constexpr double solve() {
    double error = level();
    for (int iteration = 0; iteration < 60; ++iteration) {
      double const moved = exchange();
      error = level();
      if (!(moved > 0x1p-27)) break;
    }
    return error;
  }

  /// p with coefficients in powers of x.
  constexpr odd_polynomial<> polynomial() const {
    double const scale = 2 / span_;
    double const shift = -1 - scale * lower_ * lower_;
    double c[5] = {};  // Horner: c <- c (scale y + shift) + r_k
    for (int k = q_; k >= 0; --k) {
      for (int j = q_; j > 0; --j) c[j] = c[j] * shift + c[j - 1] * scale;
      c[0] = c[0] * shift + r_[k];
    }
    odd_polynomial<> result;
    for (int k = 0; k <= q_; ++k) result.append(narrow_ ? taylor_polynomials[q_][k] + c[k] : c[k]);
    return result;
  }

 private:
  constexpr double x_at(int i) const {
    if (i == 0) return lower_;
    if (i == q_ + 1) return 1;
    return square_root_below_one(narrow_ ? 1 - span_ * (1 - point_[i]) / 2
                                         : lower_ * lower_ + span_ * (1 + point_[i]) / 2);
  }

  /// Finds r and E with x_i r(s_i) + (-1)^i E = 1 in the q + 2 points: E by the divided difference of order q + 1,
  /// which annihilates r, then r by Newton's interpolation. Returns E.
  constexpr double level() {
    double x[6] = {};
    double value[6] = {};  // of 1/x - (what is not in r)
    double sum = 0;
    double alternating_sum = 0;
    for (int i = 0; i <= q_ + 1; ++i) {
      x[i] = x_at(i);
      value[i] = narrow_ ? taylor_remainder(q_, span_ * (1 - point_[i]) / 2) : 1 / x[i];
      double weight = 1;
      for (int j = 0; j <= q_ + 1; ++j) weight *= j != i ? point_[i] - point_[j] : 1;
      sum += value[i] / weight;
      alternating_sum += (i % 2 == 0 ? 1 : -1) / (x[i] * weight);
    }
    double const error = sum / alternating_sum;
    // The first point is the one left out: for tiny x_0 its equation says only that E is nearly 1.
    double difference[6] = {};
    for (int i = 1; i <= q_ + 1; ++i) difference[i] = value[i] - (i % 2 == 0 ? error : -error) / x[i];
    for (int order = 1; order <= q_; ++order) {
      for (int i = q_ + 1; i > order; --i) {
        difference[i] = (difference[i] - difference[i - 1]) / (point_[i] - point_[i - order]);
      }
    }
    for (int k = 0; k <= q_; ++k) r_[k] = 0;
    for (int i = q_ + 1; i >= 1; --i) {
      for (int k = q_; k > 0; --k) r_[k] = r_[k - 1] - point_[i] * r_[k];
      r_[0] = difference[i] - point_[i] * r_[0];
    }
    return error;
  }

  /// Moves the inner points to the q stationary points of p: with 1 - p of alternating sign in q + 2 points they exist,
  /// and p'(x) = r + 2 y dr/dy is a polynomial in s of degree q. Returns the largest move.
  constexpr double exchange() {
    double slope[5] = {};
    double const y_over_span = 2 + 4 * lower_ * lower_ / span_;  // 4 y / span = y_over_span + 2 s
    for (int k = 0; k <= q_; ++k) {
      slope[k] = r_[k] * (2 * k + 1) + (k < q_ ? y_over_span * (k + 1) * r_[k + 1] : 0);
    }
    if (narrow_) {  // p'(0) (1 - y)^q of the Taylor polynomial, 1 - y = span (1 - s) / 2
      double factor = taylor_polynomials[q_][0];
      for (int k = 0; k < q_; ++k) factor *= span_ / 2;
      for (int k = 0; k <= q_; ++k) {
        slope[k] += factor;
        factor = -factor * (q_ - k) / (k + 1);
      }
    }
    double places[sign_changes_capacity] = {};
    if (sign_changes(slope, q_, -1, 1, places) != q_) return 0;  // only where rounding drowns the alternation
    double largest = 0;
    for (int i = 0; i < q_; ++i) {
      double const move = places[i] > point_[i + 1] ? places[i] - point_[i + 1] : point_[i + 1] - places[i];
      largest = move > largest ? move : largest;
      point_[i + 1] = places[i];
    }
    return largest;
  }

  int q_;
  bool narrow_;
  double lower_;
  double span_;           // 1 - lower^2
  double point_[6] = {};  // s
  double r_[5] = {};
};

}  // namespace detail

/// The odd polynomial of the given degree (3, 5, 7 or 9) nearest to the constant 1 on [lower, upper], and its error
/// E = max |1 - p|. p equioscillates: p(lower) = 1 - E, then alternately 1 + E and 1 - E at its (degree - 1)/2 positive
/// stationary points, all in between, and at `upper`. Greedily composed, such polynomials are the best composition of
/// their number (Amsel et al., The Polar Express, arXiv 2505.16932, theorem 3.1).
///
/// Precondition: 0 < lower <= upper < infinity. Ratios from 1e-300 to 1 work; E keeps its relative precision for
/// intervals as short as a few roundoffs, where p is the Taylor polynomial (15/8, -10/8, 3/8) and its like.
/// Measured against solutions with 70 digits, not proved: coefficients are exact to 1e-15 relative to the largest
/// (degrees 7 and 9 with lower/upper from 0.5 to 0.75: 1e-14 and 1e-13). What stored coefficients do is proved by
/// `range`.
/// Cost: some 1e4 operations, no memory; a constant expression.
/// @throws domain_error naming degree or interval.
constexpr minimax_fit minimax_polynomial(int degree, double lower, double upper) {
  if (degree != 3 && degree != 5 && degree != 7 && degree != 9) {
    detail::raise<domain_error>({"minimax_polynomial: degree is ", degree, "; it must be 3, 5, 7 or 9"});
  }
  if (!(lower > 0 && lower <= upper && upper <= 1.7976931348623157e308)) {
    detail::raise<domain_error>(
        {"minimax_polynomial: the interval is [", lower, ", ", upper, "]; it must be finite with 0 < lower <= upper"});
  }
  int const q = (degree - 1) / 2;
  if (lower == upper) return {detail::taylor_polynomials[q].scaled(1, upper), 0};
  detail::remez exchange(q, lower / upper, (upper - lower) / upper);
  double const error = exchange.solve();
  return {exchange.polynomial().scaled(1, upper), error};
}

}  // namespace sigmax::inline SIGMAX_ABI
