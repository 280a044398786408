// SPDX-License-Identifier: MIT
/// @file
/// Polynomials that are close to 1 from some singular value on.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/polynomial/minimax.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// steps <- the minimax quintics with |1 - p| <= error on [lower, 1] and p >= 0 on [0, 1], the first one of x / width.
/// @return their number. A step multiplies what rounding adds at the upper end of its interval by 13; the safety factor
/// keeps that from adding up over the steps, and the cushion keeps the minima of each away from 0, where rounding could
/// change signs.
template <real T>
int sign_steps(double lower, double error, T width, odd_polynomial<T>* steps) {
  auto const schedule = minimax_schedule_to(lower, error, {.safety = 1e-5, .cushion = 0.01});
  for (int t = 0; t < schedule.size(); ++t) steps[t] = schedule[t].template cast<T>();
  steps[0] = steps[0].scaled(T(1), width);
  return schedule.size();
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
