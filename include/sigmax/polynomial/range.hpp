// SPDX-License-Identifier: MIT
/// @file
/// What a schedule does to an interval of singular values, proved.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/image.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// The image of x under the first `steps` steps.
constexpr interval image_of_steps(polynomial_schedule const& schedule, int steps, interval x, double tolerance) {
  for (int t = 0; t < steps; ++t) x = image(schedule[t], x, tolerance);
  return x;
}

}  // namespace detail

/// [a, b] with a <= p(x) <= b for every x in [lower, upper], p the composition of the steps with their stored
/// coefficients taken as exact; proved by interval arithmetic.
///
/// Sharp: the image of an interval under a continuous function is an interval, so the images of the single steps
/// compose without loss. Each is enclosed to within `tolerance` and rounding, which the slopes of later steps multiply:
/// the presets come out to 1e-9 and better. Bounded work; what it does not resolve makes the answer wider, never wrong.
/// Fails closed: the whole line where nothing can be proved in this arithmetic environment, or p overflows.
/// Cost: some 100 evaluations a step; no memory. A constant expression.
/// @throws domain_error unless lower <= upper are finite.
template <std::same_as<polynomial_schedule> Schedule>
constexpr interval range(Schedule const& schedule, double lower, double upper, double tolerance = 1e-12) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Schedule);
  if (!(is_finite(lower) && is_finite(upper) && lower <= upper)) {
    detail::raise<domain_error>({"range: the interval is [", lower, ", ", upper, "]; it must be finite and not empty"});
  }
  if (!std::is_constant_evaluated() && !arithmetic_environment_is_sound()) return interval::whole();
  return detail::image_of_steps(schedule, schedule.size(), interval(lower, upper), tolerance);
}

/// Returns if it is proved that no step takes a singular value that started in [lower, upper] below 0. A matrix
/// function with p(sigma) < 0 turns that singular direction round: an optimizer would step uphill.
///
/// @throws domain_error that names the schedule, the first step that goes below 0 and where: the place is proved, as is
/// that nothing before it in [lower, upper] does. Where neither can be proved (p touches 0 to rounding) it says so.
/// domain_error unless 0 <= lower <= upper are finite, numeric_error if nothing can be proved in this arithmetic
/// environment.
template <std::same_as<polynomial_schedule> Schedule>
void require_sign_preserving(Schedule const& schedule, double lower, double upper) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Schedule);
  if (!(is_finite(upper) && 0 <= lower && lower <= upper)) {
    detail::raise<domain_error>({"require_sign_preserving: the interval is [", lower, ", ", upper,
                                 "]; it must be finite with 0 <= lower <= upper"});
  }
  if (!arithmetic_environment_is_sound()) {
    detail::raise<numeric_error>(
        {"require_sign_preserving: the arithmetic environment is not IEEE round-to-nearest "
         "with subnormals; nothing can be proved"});
  }
  int steps = 1;
  while (steps <= schedule.size() &&
         detail::image_of_steps(schedule, steps, interval(lower, upper), 1e-12).lower >= 0) {
    ++steps;
  }
  if (steps > schedule.size()) return;
  // Halve [left, upper] until the first piece that is not proved to stay above 0 is short; its end is the witness.
  auto const falls = [&](double x) { return detail::image_of_steps(schedule, steps, interval(x), 1e-12).upper < 0; };
  double left = lower;
  double right = upper;
  while (right - left > 1e-9 * upper) {
    double const middle = 0.5 * (left + right);
    bool const stays = detail::image_of_steps(schedule, steps, interval(left, middle), 1e-12).lower >= 0;
    (stays ? left : right) = middle;
  }
  double const place = falls(left) ? left : right;
  if (falls(place)) {
    detail::raise<domain_error>({"schedule ", schedule.name(), " reverses singular directions: step ", steps, " of ",
                                 schedule.size(), " falls below 0 at the singular value ", place, ", in the interval [",
                                 lower, ", ", upper, "]"});
  }
  detail::raise<domain_error>({"schedule ", schedule.name(),
                               " cannot be proved to keep the sign of singular values: step ", steps, " of ",
                               schedule.size(), " takes those near ", place, " to 0 or below"});
}

}  // namespace sigmax::inline SIGMAX_ABI
