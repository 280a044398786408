// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <sigmax/bound/interval.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/polynomial/schedules.hpp>

using sigmax::odd_polynomial;
using sigmax::polynomial_schedule;

static_assert(odd_polynomial<>{2, -3, 4}(0.5) == 2 * 0.5 - 3 * 0.125 + 4 * 0.03125);
static_assert(odd_polynomial<>{2, -3, 4}(-0.5) == -odd_polynomial<>{2, -3, 4}(0.5));
static_assert(odd_polynomial<>{2, -3, 4}.derivative(0.5) == 2 - 9 * 0.25 + 20 * 0.0625);
static_assert(odd_polynomial<>().terms() == 0 && odd_polynomial<>().degree() == 0 && odd_polynomial<>()(3.0) == 0);
static_assert(odd_polynomial<>{2, -3, 4}.degree() == 5 && odd_polynomial<>{2, -3, 4}[3] == 0);
static_assert(odd_polynomial<>{2, -3, 4}.scaled(3, 2)(1.0) == 3 * odd_polynomial<>{2, -3, 4}(0.5));
static_assert(odd_polynomial<>{2, -3, 4}.cast<float>()[1] == -3.0f);
static_assert(polynomial_schedule().empty() && polynomial_schedule()(0.25) == 0.25 &&
              polynomial_schedule().slope() == 1);
static_assert(polynomial_schedule("two", {{2.0, -1.0}, {3.0}})(0.5) == 3 * (2 * 0.5 - 0.125));
static_assert(polynomial_schedule("one", {{2.0, -1.0}}).size() == 1);
static_assert(polynomial_schedule("two", {{2.0, -1.0}, {3.0}}).slope() == 6);

TEST_CASE("an odd polynomial evaluates in any scalar, intervals included") {
  odd_polynomial<> const p{3.4445, -4.7750, 2.0315};
  for (double x = -1.2; x <= 1.2; x += 0.01) {
    sigmax::interval const y = p(sigmax::interval(x));
    auto const exact = static_cast<double>(p(static_cast<long double>(x)));
    CHECK(y.lower <= exact);
    CHECK(exact <= y.upper);
    CHECK(y.width() <= 1e-14);
    double const h = 1e-6;
    CHECK(p.derivative(x) == doctest::Approx((p(x + h) - p(x - h)) / (2 * h)).epsilon(1e-7));
  }
}

TEST_CASE("too many terms and steps are refused") {
  CHECK_THROWS_AS((odd_polynomial<>{1, 2, 3, 4, 5, 6}), sigmax::domain_error);
  odd_polynomial<> p{1, 2, 3, 4, 5};
  CHECK_THROWS_AS(p.append(6), sigmax::domain_error);
  polynomial_schedule schedule;
  for (int t = 0; t < polynomial_schedule::capacity; ++t) schedule.append(p);
  CHECK_THROWS_AS(schedule.append(p), sigmax::domain_error);
}

TEST_CASE("a statement changes nothing but the statement") {
  auto const said = sigmax::schedules::muon.stating(0.5, 0.75, -1, 3);
  CHECK(said.lower() == 0.5);
  CHECK(said.upper() == 0.75);
  CHECK(said.least() == -1);
  CHECK(said.greatest() == 3);
  REQUIRE(said.size() == sigmax::schedules::muon.size());
  for (int t = 0; t < said.size(); ++t) {
    for (int k = 0; k < 5; ++k) CHECK(said[t][k] == sigmax::schedules::muon[t][k]);
  }
}
