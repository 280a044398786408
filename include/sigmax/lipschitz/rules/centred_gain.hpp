// SPDX-License-Identifier: MIT
/// @file
/// The norm of a diagonal matrix on vectors of mean zero.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// >= ||diag(gain) (I - 1 1'/d)||_2, less than the largest |gain| where that is attained once: the Lipschitz constant
/// of layer normalisation is this over the square root of its epsilon.
///
/// Proof: the square is the maximum of sum_i d_i v_i^2, d_i = gain_i^2, over v with 1'v = 0, |v| = 1. Let d_1 be the
/// largest and d_i < t < d_1 for all others. With v_1 = -sum_(i>1) v_i, the maximum is at most t iff
///   (d_1 - t) (sum_(i>1) v_i)^2 <= sum_(i>1) (t - d_i) v_i^2 for all v_2, ...,
/// which by Cauchy-Schwarz holds iff (d_1 - t) sum_(i>1) 1 / (t - d_i) <= 1. The left side decreases in t; bisection
/// proposes a t, outward arithmetic checks it.
/// @complexity 60 d operations.
template <class = void>
double largest_centred_gain(std::span<double const> gain) {
  if (gain.size() <= 1) return gain.empty() ? 1.0 : 0.0;
  std::size_t top = 0;
  for (std::size_t i = 1; i < gain.size(); ++i) {
    if (std::fabs(gain[i]) > std::fabs(gain[top])) top = i;
  }
  double const largest = std::fabs(gain[top]);
  double second = 0;
  for (std::size_t i = 0; i < gain.size(); ++i) {
    if (i != top) second = std::max(second, std::fabs(gain[i]));
  }
  // Squares near the ends of double's range would over- or underflow in the check; the plain bound is as good there.
  if (!(second < largest) || !(largest < 1e150) || !(largest > 1e-150)) return largest;

  auto const at_most = [&](double t) {
    double sum = 0;
    for (std::size_t i = 0; i < gain.size(); ++i) {
      if (i == top) continue;
      double const below = subtract_down(t, multiply_up(gain[i], gain[i]));
      if (!(below > 0)) return false;
      sum = add_up(sum, divide_up(1.0, below));
    }
    return multiply_up(subtract_up(multiply_up(largest, largest), t), sum) <= 1;
  };
  double low = second * second;
  double high = multiply_up(largest, largest);
  for (int step = 0; step < 56; ++step) {
    double const middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) break;
    (at_most(middle) ? high : low) = middle;
  }
  return std::min(largest, sqrt_up(high));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
