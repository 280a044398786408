// SPDX-License-Identifier: MIT
/// @file
/// Learning rates as functions of the step, counted from 0.
#pragma once

#include <cmath>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

/// Small aggregates that are called with the number of steps taken so far:
///
///     learning_rate::cosine const rate{.peak = 0.02, .warmup_steps = 100, .total_steps = 2000};
///     opt.set_learning_rate(rate(opt.steps()));
///
/// Those with `warmup_steps` rise linearly from `initial` at step 0 to `peak` at step warmup_steps, as optax's do. What
/// comes after the last step of a schedule keeps its final value.
namespace sigmax::inline SIGMAX_ABI::learning_rate {

/// The same at every step.
struct constant {
  double peak = 1e-3;

  constexpr double operator()(index_t) const { return peak; }
};

/// From `initial` to `peak` on a line, then constant.
struct linear_warmup {
  double peak = 1e-3;
  index_t warmup_steps = 0;
  double initial = 0;

  constexpr double operator()(index_t step) const {
    if (step >= warmup_steps) return peak;
    double const share = step > 0 ? static_cast<double>(step) / static_cast<double>(warmup_steps) : 0.0;
    return initial + share * (peak - initial);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::learning_rate

namespace sigmax::inline SIGMAX_ABI::detail {

/// (step - begin) / (end - begin), kept in [0, 1]; 1 where the interval is empty.
constexpr double share_of_steps(index_t step, index_t begin, index_t end) {
  if (step >= end) return 1;
  return step > begin ? static_cast<double>(step - begin) / static_cast<double>(end - begin) : 0.0;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail

namespace sigmax::inline SIGMAX_ABI::learning_rate {

/// Warmup, then on a line from `peak` at warmup_steps to `final` at total_steps. Without a warmup and with final = 0
/// this is peak (S - s) / S, which arXiv 2507.13338 uses everywhere.
struct linear_decay {
  double peak = 1e-3;
  index_t warmup_steps = 0;
  index_t total_steps = 1000;
  double final = 0;
  double initial = 0;

  constexpr double operator()(index_t step) const {
    if (step < warmup_steps) return linear_warmup{peak, warmup_steps, initial}(step);
    return peak + detail::share_of_steps(step, warmup_steps, total_steps) * (final - peak);
  }
};

/// Warmup, then final + (peak - final) (1 + cos(pi x)) / 2, x from 0 at warmup_steps to 1 at total_steps.
struct cosine {
  double peak = 1e-3;
  index_t warmup_steps = 0;
  index_t total_steps = 1000;
  double final = 0;
  double initial = 0;

  double operator()(index_t step) const {
    if (step < warmup_steps) return linear_warmup{peak, warmup_steps, initial}(step);
    double const share = detail::share_of_steps(step, warmup_steps, total_steps);
    if (share == 1) return final;
    return final + (peak - final) * 0.5 * (1 + std::cos(3.14159265358979323846 * share));
  }
};

/// Warmup, then constant, then on a line from `peak` to `final` over the last decay_steps of total_steps. The NanoGPT
/// runs of arXiv 2507.13338 have decay_steps = 0.4 total_steps and final = 0.1 peak.
struct warmup_stable_decay {
  double peak = 1e-3;
  index_t warmup_steps = 0;
  index_t decay_steps = 400;
  index_t total_steps = 1000;
  double final = 0;
  double initial = 0;

  constexpr double operator()(index_t step) const {
    if (step < warmup_steps) return linear_warmup{peak, warmup_steps, initial}(step);
    index_t const stable_until = total_steps - decay_steps;
    index_t const decay_begins = stable_until > warmup_steps ? stable_until : warmup_steps;
    return peak + detail::share_of_steps(step, decay_begins, total_steps) * (final - peak);
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::learning_rate
