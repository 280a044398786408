// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/range.hpp>
#include <sigmax/polynomial/schedules.hpp>

using sigmax::interval;
using sigmax::odd_polynomial;
using sigmax::polynomial_schedule;
using sigmax::range;

namespace presets = sigmax::schedules;

namespace {

constexpr polynomial_schedule const* all_presets[] = {&presets::muon,
                                                      &presets::you,
                                                      &presets::you_1024,
                                                      &presets::polar_express,
                                                      &presets::polar_express_5,
                                                      &presets::polar_express_raw,
                                                      &presets::polar_express_raw_5,
                                                      &presets::modded_nanogpt,
                                                      &presets::deepseek,
                                                      &presets::cans,
                                                      &presets::cesista,
                                                      &presets::cubic5,
                                                      &presets::cubic,
                                                      &presets::quintic,
                                                      &presets::hard_cap};

polynomial_schedule first(polynomial_schedule const& schedule, int steps, double contraction = 1) {
  polynomial_schedule result(schedule.name(), {});
  for (int t = 0; t < steps; ++t) result.append(schedule[t].scaled(1, contraction));
  return result;
}

polynomial_schedule repeated(odd_polynomial<> const& step, int times) {
  polynomial_schedule result("repeated", {});
  for (int t = 0; t < times; ++t) result.append(step);
  return result;
}

polynomial_schedule rounded(polynomial_schedule const& schedule, double unit) {
  polynomial_schedule result(schedule.name(), {});
  for (auto const& step : schedule) {
    odd_polynomial<> p;
    for (int k = 0; k < step.terms(); ++k) p.append(std::round(step[k] / unit) * unit);
    result.append(p);
  }
  return result;
}

}  // namespace

TEST_CASE("presets state what is proved of them, and no more than a ten-thousandth less") {
  for (auto const* schedule : all_presets) {
    CAPTURE(schedule->name());
    CHECK(schedule->lower() == (schedule == &presets::hard_cap ? 1.0 : 1e-3));
    CHECK(schedule->upper() >= 1);
    interval const image = range(*schedule, schedule->lower(), schedule->upper(), 1e-15);
    interval const from_zero = range(*schedule, 0, schedule->upper(), 1e-15);
    CHECK(schedule->least() <= image.lower);
    CHECK(image.lower <= schedule->least() + 1e-4);
    CHECK(from_zero.lower >= 0);
    CHECK(from_zero.upper <= schedule->greatest());
    CHECK(schedule->greatest() <= from_zero.upper + 1e-4);
    CHECK(image.upper <= schedule->greatest());
  }
  // What the table of the reference says of Lipschitz bookkeeping.
  CHECK(presets::you_1024.greatest() < 1);
  CHECK(presets::you.greatest() == doctest::Approx(1.14502).epsilon(1e-5));
}

TEST_CASE("slope, range on [1e-3, 1] and reach above 1 are those of the reference") {
  struct row {
    polynomial_schedule schedule;
    double slope, u_max, lower, upper;
  };
  odd_polynomial<> const jordan{3.4445, -4.7750, 2.0315};
  odd_polynomial<> const soft{2, -1.5, 0.5};
  polynomial_schedule const aol_genetic(
      "S17",
      {{4.6051, -9.6552, 5.6769}, {4.7505, -6.0861, 2.1790}, {2.7763, -2.3190, 0.5523}, {2.4231, -2.2861, 0.8193}});
  row const rows[] = {
      {presets::classical(3, 5), 7.594, 1.719, 0.0076, 1.0000},
      {presets::cubic, 437.9, 1.732, 0.4165, 1.0000},
      {presets::classical(5, 5), 23.17, 1.528, 0.0232, 1.0000},
      {presets::quintic, 537, 1.528, 0.4987, 1.0000},
      {presets::classical(7, 5), 50.09, 1.588, 0.0501, 1.0000},
      {repeated(soft, 5), 32, 1.415, 0.0320, 1.0018},
      {repeated(soft, 10), 1024, 1.414, 0.8071, 1.0018},
      {presets::muon, 484.9, 1.264, 0.4705, 1.2024},
      {repeated(jordan, 6), 1670, 1.264, 0.6818, 1.2024},
      {repeated(jordan, 10), 2.351e+05, 1.264, 0.6818, 1.1344},
      {presets::deepseek, 7.926e+04, 1.264, 1.0000, 1.0005},
      {presets::you, 492.7, 1.325, 0.4750, 1.1450},
      {presets::you_1024, 1137, 1.083, 0.8663, 0.9993},
      {presets::cesista, 198.2, 1.008, 0.1968, 1.1007},
      {presets::polar_express_raw_5, 1026, 1.000, 0.8764, 1.1236},
      {first(presets::polar_express_raw, 6), 1941, 1.000, 0.9988, 1.0012},
      {presets::polar_express_raw, 6822, 1.000, 1.0000, 1.0000},
      {presets::polar_express_5, 976.3, 1.011, 0.8462, 1.1236},
      {presets::polar_express, 6363, 1.011, 1.0000, 1.0000},
      {presets::modded_nanogpt, 989.5, 1.022, 0.8589, 1.1411},
      {first(presets::polar_express_raw, 5, 1.05), 803.9, 1.055, 0.7290, 1.1236},
      {sigmax::minimax_schedule(1e-4, 12, {.safety = 0.01, .cushion = 0.02}), 2.844e+05, 1.011, 1.0000, 1.0000},
      // The reference measured CANS with the four digits of Emerging-Optimizers. All digits: [0.8866, 1.1134].
      {rounded(presets::cans, 1e-4), 1049, 1.000, 0.8844, 1.1198},
      {presets::cans, 1049, 1.000, 0.8866, 1.1134},
      {presets::cubic5, 119.3, 1.003, 0.1191, 1.3000},
      {aol_genetic, 147.2, 1.104, 0.1466, 1.0500},
  };
  for (auto const& row : rows) {
    CAPTURE(row.schedule.name());
    CAPTURE(row.slope);
    interval const values = range(row.schedule, 1e-3, 1);
    CHECK(std::fabs(values.lower - row.lower) <= 0.51e-4);
    CHECK(std::fabs(values.upper - row.upper) <= 0.51e-4);
    CHECK(row.schedule.slope() == doctest::Approx(row.slope).epsilon(6e-4));
    // u_max: the largest input that stays in [0.2, 1.8].
    interval const inside = range(row.schedule, 0.95, row.u_max - 6e-4);
    CHECK(inside.lower >= 0.2);
    CHECK(inside.upper <= 1.8);
    interval const outside = range(row.schedule, 0.95, row.u_max + 6e-4);
    CHECK((outside.lower < 0.2 || outside.upper > 1.8));
  }
}

TEST_CASE("rows with a safety factor are the published ones") {
  constexpr double published[8][3] = {{8.205160414005574, -22.90193498705605, 16.460724910180314},
                                      {4.066395159942775, -2.8611540867551426, 0.5183995226694741},
                                      {3.9095949044379155, -2.823351735039516, 0.5250369769390025},
                                      {3.2855640171986153, -2.415301959635945, 0.48529406552790866},
                                      {2.277873287083977, -1.619821765265441, 0.39848078704168355},
                                      {1.8725756512746514, -1.2307042574884297, 0.35851616209511666},
                                      {1.856437109755889, -1.2132392819185351, 0.35679978941375945},
                                      {1.875, -1.25, 0.375}};
  CHECK(presets::polar_express.size() == 8);
  CHECK(presets::polar_express_5.size() == 5);
  for (int t = 0; t < 8; ++t) {
    for (int k = 0; k < 3; ++k) {
      CHECK(std::fabs(presets::polar_express[t][k] / published[t][k] - 1) <= 1e-15);
      if (t < 5) CHECK(presets::polar_express_5[t][k] == presets::polar_express[t][k]);
    }
  }
}

TEST_CASE("values at points are those of the paper") {
  double const points[] = {0.001, 0.01, 0.1, 0.5, 0.9, 1};
  double const six[] = {0.866304, 0.998782, 0.996136, 0.996171, 0.996275, 0.998412};
  double const five[] = {0.474982, 1.018025, 1.01905, 0.985869, 0.979914, 0.978346};
  double const jordan[] = {0.470544, 0.698917, 0.71212, 0.765439, 0.682011, 0.696436};
  for (int i = 0; i < 6; ++i) {
    CHECK(std::fabs(presets::you_1024(points[i]) - six[i]) <= 0.51e-6);
    CHECK(std::fabs(presets::you(points[i]) - five[i]) <= 0.51e-5);
    CHECK(std::fabs(presets::muon(points[i]) - jordan[i]) <= 0.51e-6);
  }
  for (auto const& [x, value] : {std::pair{.25, .241022},
                                 {.5, .497925},
                                 {.9, .900500},
                                 {1, .966074},
                                 {1.185, 1.010882},
                                 {1.5, 1.001313},
                                 {2, 1.001981},
                                 {3, 1.000902},
                                 {3.5, 1.010418}}) {
    CHECK(std::fabs(presets::hard_cap(x) - value) <= 0.51e-6);
  }
  CHECK(presets::hard_cap.slope() == doctest::Approx(0.951214).epsilon(1e-6));
  // max |p(x) - min(1, x)| = 0.0339 on [0, 3.5], at 1; the table breaks at 3.640.
  for (double x = 0; x <= 3.5; x += 1e-3) CHECK(std::fabs(presets::hard_cap(x) - std::fmin(1, x)) <= 0.03395);
  CHECK(1 - presets::hard_cap(1.0) == doctest::Approx(0.0339).epsilon(2e-3));
  CHECK(presets::hard_cap(3.639) > 0.3);
  CHECK(presets::hard_cap(3.641) < 0.3);
  CHECK(std::fabs(presets::hard_cap(3.5491) - 0.95) <= 1e-3);
  CHECK(presets::hard_cap(3.6696) > 0);
  CHECK(presets::hard_cap(3.6698) < 0);
}

TEST_CASE("classical iterations keep [0, 1] and 1") {
  for (int const degree : {3, 5, 7, 9}) {
    auto const schedule = presets::classical(degree, 6);
    CHECK(schedule.size() == 6);
    CHECK(schedule[0].degree() == degree);
    CHECK(schedule(1.0) == 1);
    CHECK(schedule.least() == 0);
    CHECK(schedule.greatest() == 1);
    interval const values = range(schedule, 0, 1, 1e-15);
    CHECK(values.lower == 0);
    CHECK(values.upper <= 1 + 1e-13);
    // Error e becomes (q + 1)-th order: 1 - p(1 - e) = C e^(q+1) + ...
    double const e = 1e-3;
    double const error = 1 - presets::classical(degree, 1)(1 - e);
    double const order = 0.5 * (degree + 1);
    CHECK(error <= 8 * std::pow(e, order) * 1.01 + 1e-15);
  }
  CHECK(presets::classical(5, 0).empty());
  CHECK_THROWS_WITH_AS(presets::classical(4, 5), "schedules::classical: degree is 4; it must be 3, 5, 7 or 9",
                       sigmax::domain_error);
  CHECK_THROWS_WITH_AS(presets::classical(5, 33), "schedules::classical: steps is 33; it must lie in [0, 32]",
                       sigmax::domain_error);
}
