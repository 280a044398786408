// SPDX-License-Identifier: MIT
/// @file
/// The generator of schedules: greedily composed best approximations of 1.
#pragma once

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/image.hpp>
#include <sigmax/polynomial/minimax_polynomial.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>

namespace sigmax::inline SIGMAX_ABI {

struct minimax_options {
  /// Of every step: 3, 5, 7 or 9. Nine costs what seven costs; with 16-bit matrices stay at five.
  int degree = 5;
  /// Every step but the last is p(x / (1 + safety)), and the next one knows of it: singular values that rounding has
  /// pushed above the interval by that factor do no harm. 0.01 to 0.05 with 16-bit matrices. In [0, 1].
  double safety = 0;
  /// Steps are made for [max(l, cushion u), u] and centred again on [l, u]: p(x) / x never becomes small inside, which
  /// is what backward stability asks for. 0.02 for optimizers, 0.1 to 0.3 for accurate polar factors. In [0, 0.9].
  double cushion = 0;
};

namespace detail {

/// The singular values left to deal with, [lower, upper], and the step that is best for them.
class greedy_minimax {
 public:
  constexpr greedy_minimax(double l, minimax_options const& options) : options_(options), lower_(l) {
    if (options.degree != 3 && options.degree != 5 && options.degree != 7 && options.degree != 9) {
      raise<domain_error>({"minimax_schedule: degree is ", options.degree, "; it must be 3, 5, 7 or 9"});
    }
    if (!(l > 0 && l <= 1)) raise<domain_error>({"minimax_schedule: l is ", l, "; it must lie in (0, 1]"});
    if (!(options.safety >= 0 && options.safety <= 1)) {
      raise<domain_error>({"minimax_schedule: safety is ", options.safety, "; it must lie in [0, 1]"});
    }
    if (!(options.cushion >= 0 && options.cushion <= 0.9)) {
      raise<domain_error>({"minimax_schedule: cushion is ", options.cushion, "; it must lie in [0, 0.9]"});
    }
  }

  /// The next step if it is the last, and its error on [lower, upper].
  constexpr minimax_fit last() const {
    double const inner = max_up(lower_ + hair(), options_.cushion * upper_);
    minimax_fit fit = minimax_polynomial(options_.degree, inner, upper_);
    if (inner > lower_) {
      fit.polynomial = fit.polynomial.scaled(2 / (fit.polynomial(lower_) + 1 + fit.error));
      fit.error = 1 - fit.polynomial(lower_);
    }
    return fit;
  }

  /// The steps that come next are of another degree.
  constexpr void continue_with(int degree) { options_.degree = degree; }

  /// Turns that step into one that others follow, and looks at what it leaves to them.
  constexpr odd_polynomial<> follow(odd_polynomial<> const& last) {
    odd_polynomial<> const step = last.scaled(1, 1 + options_.safety);
    double const image = step(lower_);
    lower_ = image < 1 ? image : 2 - image;
    upper_ = 2 - lower_;
    upper_ += hair();
    return step;
  }

 private:
  /// While the interval is long the minima of p come as near to 0 as p(l), and at its upper end p is steep (13 for
  /// degree 5, 41 for degree 9) and maps to the upper end of the next: rounding, here and in the stored coefficients,
  /// would take values below p(l), and above the interval, from step to step further. Steps are therefore made for an
  /// interval that is longer at both ends by some five times the rounding errors, 2^-48 4^q (coefficients reach 5^q).
  /// Measured: E is larger by less than 1e-12 for it, 4e-12 for degree 9.
  constexpr double hair() const {
    return lower_ < 0x1p-2 * upper_ ? 0x1p-48 * (1 << (options_.degree - 1)) * upper_ : 0.0;
  }

  minimax_options options_;
  double lower_;
  double upper_ = 1;
};

/// The schedule with its statement proved for [l, upper]: intervals are carried through the steps, those from [0, l]
/// beside the others.
constexpr polynomial_schedule proved(polynomial_schedule const& schedule, double l, double upper) {
  interval reached(l, upper);
  interval below(0, l);
  for (auto const& step : schedule) {
    reached = image(step, reached, 0x1p-50);
    below = image(step, below, 0x1p-50);
  }
  double const least = below.lower < 0 && below.lower < reached.lower ? below.lower : reached.lower;
  double const error = max_up(subtract_up(1, least), subtract_up(max_up(reached.upper, below.upper), 1));
  return schedule.stating(l, upper, subtract_down(1, error), add_up(1, error));
}

}  // namespace detail

/// The greedy schedule of `steps` odd polynomials that takes [l, 1] closest to 1; without safety and cushion the best
/// composition there is. Singular values are scaled by an upper bound of the largest, so that they lie in [0, 1].
///
/// States lower() = l; upper() = 1 + safety if there is more than one step, else 1; least() = 1 - E and greatest() =
/// 1 + E, proved for the coefficients as stored: p([l, upper]) lies in [1 - E, 1 + E] and p([0, upper]) in [0, 1 + E].
/// (Proved as a constant expression or where `arithmetic_environment_is_sound()`.)
/// Cost: some 1e4 operations a step (10 to 40 microseconds), no memory. A constant expression; within the default
/// limits of clang 14 up to 32 steps of degree 5 and 16 of degree 9.
/// @throws domain_error for degree not 3, 5, 7, 9; l not in (0, 1]; steps not in [1, 32]; safety not in [0, 1]; cushion
/// not in [0, 0.9].
constexpr polynomial_schedule minimax_schedule(double l, int steps, minimax_options const& options = {}) {
  if (steps < 1 || steps > polynomial_schedule::capacity) {
    detail::raise<domain_error>({"minimax_schedule: steps is ", steps, "; it must lie in [1, 32]"});
  }
  detail::greedy_minimax greedy(l, options);
  polynomial_schedule schedule("minimax", {});
  while (schedule.size() < steps - 1) schedule.append(greedy.follow(greedy.last().polynomial));
  schedule.append(greedy.last().polynomial);
  return detail::proved(schedule, l, steps > 1 ? 1 + options.safety : 1);
}

/// The same with the number of steps in the type's place: minimax_schedule<6>(1e-3).
template <int Steps>
constexpr polynomial_schedule minimax_schedule(double l, minimax_options const& options = {}) {
  static_assert(1 <= Steps && Steps <= polynomial_schedule::capacity, "sigmax: a schedule has 1 to 32 steps");
  return minimax_schedule(l, Steps, options);
}

/// The least number of steps whose error on [l, 1], in exact arithmetic, is at most `tolerance`. (Rounded coefficients
/// add some 1e-15.)
/// @throws domain_error as minimax_schedule, for tolerance <= 0, and if 32 steps are not enough: with a large safety
/// factor the error stays above a limit.
constexpr int steps_for(double l, double tolerance, minimax_options const& options = {}) {
  if (!(tolerance > 0)) detail::raise<domain_error>({"steps_for: tolerance is ", tolerance, "; it must be above 0"});
  detail::greedy_minimax greedy(l, options);
  for (int steps = 1; steps <= polynomial_schedule::capacity; ++steps) {
    minimax_fit const last = greedy.last();
    if (last.error <= tolerance) return steps;
    greedy.follow(last.polynomial);
  }
  detail::raise<domain_error>({"steps_for: tolerance ", tolerance, " from l = ", l,
                               " takes more than 32 steps of degree ", options.degree, " with safety ", options.safety,
                               " and cushion ", options.cushion});
}

/// The shortest greedy schedule with error <= tolerance on [l, 1]. @throws domain_error as steps_for.
constexpr polynomial_schedule minimax_schedule_to(double l, double tolerance, minimax_options const& options = {}) {
  return minimax_schedule(l, steps_for(l, tolerance, options), options);
}

}  // namespace sigmax::inline SIGMAX_ABI
