// SPDX-License-Identifier: MIT
// What a composition costs and where its segments begin.

#include <limits>
#include <sstream>

#include <doctest/doctest.h>

#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/plan.hpp>

using namespace sigmax;

namespace {

polynomial_plan plan(index_t aspect, polynomial_schedule const& schedule, plan_options const& options = {}) {
  return plan_polynomial(64, 64 * aspect, schedule, options);
}

polynomial_schedule const* const presets[] = {
    &schedules::muon,           &schedules::you,      &schedules::you_1024, &schedules::polar_express,
    &schedules::modded_nanogpt, &schedules::deepseek, &schedules::cubic5,   &schedules::cubic,
    &schedules::quintic,        &schedules::hard_cap};

}  // namespace

// The examples below the table of polynomials.md 4.1: standard form, one restart, none.
TEST_CASE("five quintics cost what the table says") {
  struct row {
    index_t aspect;
    double standard, one_restart, none;
  };
  for (auto const& expected : {row{1, 20, 20, 20}, {2, 35, 26, 23}, {4, 65, 38, 29}, {8, 125, 62, 41}}) {
    index_t const aspect = expected.aspect;
    CAPTURE(aspect);
    auto const automatic = plan(aspect, schedules::muon);
    CHECK(automatic.standard_units == expected.standard);
    CHECK(automatic.units == expected.none);
    CHECK(automatic.segments == (aspect == 1 ? 5 : 1));  // at a = 1 Gram form saves nothing, and standard form is taken
    CHECK(plan(aspect, schedules::muon, {.form = polynomial_form::standard}).units == expected.standard);
    CHECK(plan(aspect, schedules::muon, {.form = polynomial_form::gram}).units == expected.none);
    CHECK(plan(aspect, schedules::muon, {.form = polynomial_form::gram}).segments == 1);
    // 3.4445^3 = 40.9: a segment of three steps, then two.
    auto const restarted = plan(aspect, schedules::muon, {.gram_error = 41.0 * 41 * 0x1p-24});
    CHECK(restarted.units == expected.one_restart);
    if (aspect > 1) CHECK(restarted.segments == 2);
    CHECK(restarted.flops() == expected.one_restart * 64 * 64 * 64);
  }
}

// 4.1: (3 + p) T + 3 (segments) (a - 1), p symmetric products besides A for degrees 3, 5, 7, 9; (3 a + p) T in
// standard form.
TEST_CASE("every degree costs its formula") {
  for (int const degree : {3, 5, 7, 9}) {
    double const p = degree == 3 ? 0 : degree == 5 ? 1 : 2;
    auto const schedule = schedules::classical(degree, 6);
    for (index_t const a : {1, 2, 5}) {
      CAPTURE(degree);
      CAPTURE(a);
      auto const gram = plan(a, schedule, {.form = polynomial_form::gram});
      CHECK(gram.units == (3 + p) * 6 + 3 * static_cast<double>(a - 1));
      CHECK(gram.standard_units == (3 * static_cast<double>(a) + p) * 6);
      auto const restarted = plan(a, schedule, {.gram_error = 1e-5});
      CHECK(restarted.units == (restarted.segments == 6
                                    ? gram.standard_units
                                    : (3 + p) * 6 + 3 * restarted.segments * static_cast<double>(a - 1)));
    }
  }
}

TEST_CASE("a segment ends before rounding in it would exceed gram_error, and not earlier") {
  for (auto const* schedule : presets) {
    for (double const error : {0.5, 0.1, 1e-2, 1e-4, 1e-6, 1e-9}) {
      for (double const u : {0x1p-24, 0x1p-53, 0x1p-11}) {
        INFO(std::string(schedule->name()), ", error ", error, ", u ", u);
        auto const p = plan(16, *schedule, {.gram_error = error, .unit_roundoff = u});
        CHECK(p.starts_segment[0]);
        int segments = 0;
        double slope = 0;
        for (int t = 0; t < p.steps; ++t) {
          double const own = (*schedule)[t][0];
          bool const first = p.starts_segment[t];
          segments += first;
          bool const would_fit = t > 0 && u * (slope * own) * (slope * own) <= error;
          CHECK(first == !would_fit);
          slope = first ? own : slope * own;
        }
        CHECK(p.segments == segments);
        CHECK(p.units <= p.standard_units);
      }
    }
  }
}

TEST_CASE("shapes") {
  auto const wide = plan_polynomial(10, 35, schedules::you);
  auto const tall = plan_polynomial(35, 10, schedules::you);
  CHECK(wide.units == tall.units);
  CHECK(tall.short_side == 10);
  CHECK(tall.long_side == 35);
  CHECK(plan_polynomial(0, 5, schedules::you).flops() == 0);
  auto const nothing = plan_polynomial(4, 5, polynomial_schedule{});
  CHECK(nothing.steps == 0);
  CHECK(nothing.segments == 0);
  CHECK(nothing.units == 0);
  CHECK_THROWS_AS(plan_polynomial(-1, 5, schedules::you), shape_error);
  CHECK_THROWS_AS(plan_polynomial(1, -5, schedules::you), shape_error);
  double const not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (double const wrong : {0.0, -1.0, not_a_number}) {
    CHECK_THROWS_AS(plan_polynomial(4, 5, schedules::you, {.gram_error = wrong}), domain_error);
    CHECK_THROWS_AS(plan_polynomial(4, 5, schedules::you, {.unit_roundoff = wrong}), domain_error);
  }
}

TEST_CASE("a plan prints as one line") {
  auto const text = [](polynomial_plan const& p) {
    std::ostringstream out;
    out << p;
    return out.str();
  };
  CHECK(text(plan_polynomial(64, 256, schedules::muon)) ==
        "64 x 256: 5 steps in Gram form, X X^T before step 1; 29 units of m^3 FLOPs (standard form: 65), 7.60218e+06 "
        "FLOPs");
  CHECK(text(plan_polynomial(128, 64, schedules::muon, {.gram_error = 41.0 * 41 * 0x1p-24})) ==
        "64 x 128: 5 steps in Gram form, X X^T before step 1, 4; 26 units of m^3 FLOPs (standard form: 35), "
        "6.81574e+06 FLOPs");
  CHECK(text(plan_polynomial(10, 10, schedules::muon)) ==
        "10 x 10: 5 steps in standard form; 20 units of m^3 FLOPs (standard form: 20), 20000 FLOPs");
}
