// SPDX-License-Identifier: MIT
/// @file
/// What an attack on a network found: a lower bound of its Lipschitz constant and the pair of points that shows it.
#pragma once

#include <vector>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// A lower bound of sup ||f(x) - f(y)|| / ||x - y||.
struct lower_bound {
  /// Where `proven`: <= the quotient of the pair (x, y), re-evaluated in interval arithmetic, hence <= every true upper
  /// bound. Else 0.
  double value = 0;
  bool proven = false;
  /// The largest quotient seen in floating point. May be wrong on either side; 0 if nothing could be evaluated.
  double estimate = 0;
  /// The witness of `value`, flat; empty if there is none.
  std::vector<double> x;
  std::vector<double> y;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
