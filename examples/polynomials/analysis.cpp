// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <queue>
#include <string>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/range.hpp>
#include <sigmax/spectral/plan.hpp>

#include "analysis.hpp"

namespace polynomials_program {

namespace {

using sigmax::interval;
using sigmax::polynomial_schedule;

/// p([a, b]), proven, and as sharp as double allows.
interval image(polynomial_schedule const& schedule, double a, double b) {
  return sigmax::range(schedule, a, b, 0x1p-50);
}

bool within(interval values, double least, double greatest) {
  return values.lower >= least && values.upper <= greatest;
}

/// Why the schedule reverses singular directions, or might; empty if it is proved that it does not.
std::string sign_problem(candidate const& what, double upper) {
  polynomial_schedule named(what.name.c_str(), {});
  for (auto const& step : what.schedule) named.append(step);
  try {
    sigmax::require_sign_preserving(named, 0, upper);
    return "";
  } catch (sigmax::error const& e) {
    return e.what();
  }
}

/// >= max |1 - p| on [a, b].
double error_to_one(polynomial_schedule const& schedule, double a, double b) {
  interval const values = image(schedule, a, b);
  return sigmax::max_up(sigmax::subtract_up(1, values.lower), sigmax::subtract_up(values.upper, 1));
}

struct piece {
  double left;
  double right;
  double bound;
  friend bool operator<(piece const& a, piece const& b) { return a.bound < b.bound; }
};

/// >= max |min(1, x) - p(x)| on [a, b]. The error is bounded piece by piece, and the piece with the largest bound is
/// halved until no bound is more than a relative 1e-4 above an error that was seen, or 4000 times: true in any case,
/// and sharp for errors above some 1e-3 of the interval.
double error_to_cap(polynomial_schedule const& schedule, double a, double b) {
  auto const bounded = [&](double left, double right) {
    interval const values = image(schedule, left, right);
    return piece{left, right,
                 sigmax::max_up(sigmax::subtract_up(aimed_at(target::cap, right), values.lower),
                                sigmax::subtract_up(values.upper, aimed_at(target::cap, left)))};
  };
  auto const seen_at = [&](double x) { return std::fabs(aimed_at(target::cap, x) - schedule(x)); };
  double seen = std::max(seen_at(a), seen_at(b));
  std::priority_queue<piece> pieces;
  pieces.push(bounded(a, b));
  for (int splits = 0; splits < 4000 && pieces.top().bound > (1 + 1e-4) * seen; ++splits) {
    piece const worst = pieces.top();
    double const middle = 0.5 * (worst.left + worst.right);
    if (!(worst.left < middle && middle < worst.right)) break;
    pieces.pop();
    pieces.push(bounded(worst.left, middle));
    pieces.push(bounded(middle, worst.right));
    seen = std::max(seen, seen_at(middle));
  }
  return pieces.top().bound;
}

/// The least s, to a relative 1e-6, for which p([s, upper]) is proved to lie in [1 - band, 1 + band].
std::optional<double> reach_of(polynomial_schedule const& schedule, double band, double upper) {
  auto const lands = [&](double s) { return within(image(schedule, s, upper), 1 - band, 1 + band); };
  if (!lands(upper)) return std::nullopt;
  double good = upper;
  double bad = upper * 1e-40;
  if (lands(bad)) return bad;
  while (good > bad * (1 + 1e-6)) {
    double const middle = bad * std::sqrt(good / bad);
    (lands(middle) ? good : bad) = middle;
  }
  return good;
}

/// The largest u, to a relative 1e-9 and at most 2^40, for which p([1, u]) is proved to lie in [0.2, 1.8].
std::optional<double> largest_input(polynomial_schedule const& schedule) {
  auto const stays = [&](double u) { return within(image(schedule, 1, u), 0.2, 1.8); };
  if (!stays(1)) return std::nullopt;
  double good = 1;
  while (good < 0x1p40 && stays(2 * good)) good *= 2;
  double bad = 2 * good;
  while (bad - good > 1e-9 * good) {
    double const middle = 0.5 * (good + bad);
    (stays(middle) ? good : bad) = middle;
  }
  return good;
}

interval sampled_range(polynomial_schedule const& schedule, double lower, double upper) {
  interval result(schedule(lower));
  for (int i = 1; i < analysis::samples; ++i) {
    double const x = lower * std::pow(upper / lower, static_cast<double>(i) / (analysis::samples - 1));
    result = hull(result, interval(schedule(std::min(x, upper))));
  }
  return result;
}

cost cost_of(polynomial_schedule const& schedule, int aspect) {
  constexpr sigmax::index_t m = 1024;
  auto const planned = sigmax::plan_polynomial(m, aspect * m, schedule);
  auto const gram = sigmax::plan_polynomial(m, aspect * m, schedule, {.form = sigmax::polynomial_form::gram});
  return {aspect, planned.standard_units, gram.units, planned.units, planned.segments};
}

}  // namespace

analysis analyse(candidate const& what, double lower, double upper) {
  auto const& schedule = what.schedule;
  analysis result{.what = what, .lower = lower, .upper = upper};
  result.refusal = sign_problem(what, upper);
  result.range = image(schedule, lower, upper);
  // Proved a line above; by itself the image of tiny numbers is known to 1e-15 only.
  if (result.refusal.empty()) result.range.lower = std::max(result.range.lower, 0.0);
  for (double const from : {lower, 1e-3, 1e-2, 1e-1}) {
    if (from < lower || from >= upper || (from == lower && !result.errors.empty())) continue;
    auto const error = what.aim == target::cap ? error_to_cap : error_to_one;
    result.errors.push_back({from, error(schedule, from, upper)});
  }
  if (what.aim == target::one) {
    for (auto& each : result.reaches) each.from = reach_of(schedule, each.band, upper);
  }
  result.u_max = largest_input(schedule);
  result.sampled = sampled_range(schedule, lower, upper);
  for (int const aspect : {1, 4}) result.costs.push_back(cost_of(schedule, aspect));
  return result;
}

}  // namespace polynomials_program
