// SPDX-License-Identifier: MIT
#include <cfenv>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/polynomial/image.hpp>
#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/range.hpp>
#include <sigmax/polynomial/schedules.hpp>

using sigmax::image;
using sigmax::infinity;
using sigmax::interval;
using sigmax::odd_polynomial;
using sigmax::polynomial_schedule;
using sigmax::range;

namespace {

std::string refusal(auto const& call) {
  try {
    call();
  } catch (sigmax::error const& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

// A constant expression: a schedule of one's own can be proved where it is written.
constexpr interval jordan = range(sigmax::schedules::muon, 1e-3, 1);
static_assert(0.4705 < jordan.lower && jordan.upper < 1.2024);

/// The set that Emerging-Optimizers calls aol.
constexpr polynomial_schedule aol("aol", {{4.0098, -7.0585, 2.4635},
                                          {3.4585, -5.5479, 2.5959},
                                          {2.7573, -3.2939, 1.4254},
                                          {2.7215, -3.0494, 1.3169}});

}  // namespace

TEST_CASE("the image contains every value and is reached at both ends") {
  sigmax::random_sequence const numbers(17);
  std::uint64_t next = 0;
  auto const uniform = [&](double a, double b) { return a + (b - a) * numbers.uniform(next++); };
  for (int trial = 0; trial < 2000; ++trial) {
    CAPTURE(trial);
    odd_polynomial<> p;
    int const terms = 1 + trial % 5;
    for (int k = 0; k < terms; ++k) p.append(uniform(-3, 3));
    double a = uniform(-1.5, 1.5);
    double b = uniform(-1.5, 1.5);
    if (a > b) std::swap(a, b);
    if (trial % 7 == 0) b = a + 1e-9 * (b - a);
    interval const values = image(p, interval(a, b));
    long double least = HUGE_VALL;
    long double greatest = -HUGE_VALL;
    long double steepest = 0;
    int const points = 400;
    for (int i = 0; i <= points; ++i) {
      long double const x = a + (static_cast<long double>(b) - a) * i / points;
      least = std::fmin(least, p(x));
      greatest = std::fmax(greatest, p(x));
      steepest = std::fmax(steepest, std::fabs(p.derivative(x)));
    }
    CHECK(values.lower <= static_cast<double>(least));
    CHECK(values.upper >= static_cast<double>(greatest));
    // Between grid points p moves by no more than this; |p''| <= 3 (6 1.5 + ... + 72 1.5^7) < 6000.
    double const h = (b - a) / points;
    double const between = 6000 * h * h + 2e-12;
    CHECK(values.lower >= static_cast<double>(least) - between);
    CHECK(values.upper <= static_cast<double>(greatest) + between);
  }
}

TEST_CASE("single images that are known exactly") {
  auto const image = [](odd_polynomial<> const& p, interval x) { return sigmax::image(p, x, 1e-15); };
  auto const close = [](interval x, double lower, double upper) {
    double const rounding = 4e-14 * std::fmax(1, x.magnitude());  // sum |c_k| <= 20, ten roundings of it outwards
    return x.lower <= lower && upper <= x.upper && lower - x.lower <= rounding && x.upper - upper <= rounding;
  };
  odd_polynomial<> const cubic{1.5, -0.5};
  CHECK(close(image(cubic, {0, 1.5}), 0, 1));
  CHECK(close(image(cubic, {-1.5, 1.5}), -1, 1));
  CHECK(close(image(cubic, {-0.25, 3}), -9, 1));
  CHECK(close(image(cubic, {0.5, 0.5}), 0.6875, 0.6875));
  CHECK(close(image(cubic, {-0.5, -0.5}), -0.6875, -0.6875));
  CHECK(close(image(cubic, {-0.0, 0.0}), 0, 0));
  // Stationary points of even order, where p' touches 0.
  CHECK(close(image({1.875, -1.25, 0.375}, {0, 1}), 0, 1));
  CHECK(close(image({1.875, -1.25, 0.375}, {0.5, 2}), 1.875 / 2 - 1.25 / 8 + 0.375 / 32, 3.75 - 10 + 12));
  CHECK(close(image({315.0 / 128, -420.0 / 128, 378.0 / 128, -180.0 / 128, 35.0 / 128}, {-1, 1}), -1, 1));
  CHECK(close(image({2}, {-1, 3}), -2, 6));
  CHECK(close(image({0, 0, 1}, {-1, 2}), -1, 32));
  CHECK(image(odd_polynomial<>(), {-1, 2}) == interval(0));
  // Trailing zeros.
  CHECK(close(image({1.5, -0.5, 0, 0, 0}, {0, 1.5}), 0, 1));
  // Ends far from 1.
  CHECK(close(image({1}, {1e-300, 1e-200}), 1e-300, 1e-200));
  CHECK(image({1.5, -0.5}, {0, 1e80}).lower <= -0.5e240 * (1 - 1e-15));
  CHECK(image({1.5, -0.5}, {0, 1e80}).lower >= -0.5e240 * (1 + 1e-15));
}

TEST_CASE("what cannot be resolved stays an enclosure") {
  interval const whole = interval::whole();
  CHECK(image({1.5, -0.5}, whole) == whole);
  CHECK(image({1.5, -0.5}, {0, infinity}) == whole);
  CHECK(image({1.5, -0.5}, interval(std::nan(""))) == whole);
  interval const overflowed = image({1.5, -0.5}, {-1e200, 1e200});
  CHECK(overflowed.lower == -infinity);
  CHECK(overflowed.upper == infinity);
  interval const poisoned = image({1.0, std::nan(""), 1.0}, {0, 1});
  CHECK(poisoned.lower == -infinity);
  CHECK(poisoned.upper == infinity);
  // Coefficients so large that rounding hides the stationary points.
  odd_polynomial<> const rough{1e18, -1e18, 1.0};
  interval const values = image(rough, {0.9999999, 1.0000001});
  for (double x = 0.9999999; x <= 1.0000001; x += 1e-9) {
    CHECK(values.contains(static_cast<double>(rough(static_cast<long double>(x)))));
  }
  CHECK(values.width() < 1e12);
}

TEST_CASE("nothing is proved in an arithmetic that rounds otherwise") {
  auto const rounding = std::fegetround();
  std::fesetround(FE_UPWARD);
  interval const values = range(sigmax::schedules::muon, 1e-3, 1);
  std::string const message = refusal([] { sigmax::require_sign_preserving(sigmax::schedules::muon, 0, 1); });
  std::fesetround(rounding);
  CHECK(values == interval::whole());
  CHECK(contains(message, "arithmetic environment"));
}

TEST_CASE("the range of a composition is that of its sampled values") {
  for (auto const* schedule : {&sigmax::schedules::muon, &sigmax::schedules::you, &sigmax::schedules::deepseek,
                               &sigmax::schedules::cubic5, &sigmax::schedules::hard_cap, &aol}) {
    CAPTURE(schedule->name());
    for (auto const& [a, b] : {std::pair{0.0, 1.0}, {1e-3, 1.0}, {0.02, 0.3}, {0.7, 0.9}, {-1.0, 0.5}, {0.3, 0.3}}) {
      interval const values = range(*schedule, a, b);
      double least = HUGE_VAL;
      double greatest = -HUGE_VAL;
      int const points = 200000;
      for (int i = 0; i <= points; ++i) {
        double const x = a + (b - a) * i / points;
        least = std::fmin(least, (*schedule)(x));
        greatest = std::fmax(greatest, (*schedule)(x));
      }
      CHECK(values.lower <= least + 1e-12);
      CHECK(values.upper >= greatest - 1e-12);
      // Slopes reach 8e4 (deepseek at 0), where a maximum is met within half a grid step.
      CHECK(values.lower >= least - 2e-4);
      CHECK(values.upper <= greatest + 2e-4);
    }
  }
  CHECK(range(polynomial_schedule(), -0.25, 0.5) == interval(-0.25, 0.5));
  // A tolerance only says how much wider it may be.
  interval const tight = range(sigmax::schedules::you, 1e-3, 1, 1e-15);
  interval const coarse = range(sigmax::schedules::you, 1e-3, 1, 1e-3);
  CHECK(coarse.lower <= tight.lower);
  CHECK(coarse.upper >= tight.upper);
  CHECK(tight.width() <= range(sigmax::schedules::you, 1e-3, 1).width());
}

TEST_CASE("a schedule that turns singular directions round is refused with the place") {
  // S18 of the reference: its first polynomial is negative from 0.8837 on, and p(1) = -0.9935.
  CHECK(aol(1.0) == doctest::Approx(-0.9935).epsilon(1e-4));
  interval const values = range(aol, 1e-3, 1);
  CHECK(values.lower == doctest::Approx(-1.0844).epsilon(1e-4));
  std::string const message = refusal([] { sigmax::require_sign_preserving(aol, 0, 1); });
  CAPTURE(message);
  CHECK(contains(message,
                 "schedule aol reverses singular directions: step 1 of 4 falls below 0 at the singular value 0.88369"));
  CHECK(contains(message, "in the interval [0, 1]"));
  CHECK_THROWS_AS(sigmax::require_sign_preserving(aol, 0, 1), sigmax::domain_error);
  CHECK(refusal([] { sigmax::require_sign_preserving(aol, 0, 0.8836); }) == "");
  CHECK(contains(refusal([] { sigmax::require_sign_preserving(aol, 0.95, 1); }),
                 "at the singular value 0.95, in the interval [0.95, 1]"));
  // Later steps are found as well.
  polynomial_schedule const late("late", {{2.0}, {2.0}, {1.5, -0.5}});
  CHECK(contains(refusal([&] { sigmax::require_sign_preserving(late, 0, 1); }),
                 "step 3 of 3 falls below 0 at the singular value 0.433"));
  polynomial_schedule const touching("touching", {{2.25, -3, 1}});  // x (1.5 - x^2)^2
  CHECK(contains(refusal([&] { sigmax::require_sign_preserving(touching, 0, 1.5); }),
                 "cannot be proved to keep the sign of singular values: step 1 of 1"));
  CHECK(refusal([&] { sigmax::require_sign_preserving(touching, 0, 1); }) == "");
  polynomial_schedule const backwards("backwards", {{-1.0}});
  CHECK(contains(refusal([&] { sigmax::require_sign_preserving(backwards, 0, 1); }), "reverses"));

  namespace presets = sigmax::schedules;
  for (auto const* schedule :
       {&presets::muon, &presets::you, &presets::you_1024, &presets::polar_express, &presets::polar_express_5,
        &presets::polar_express_raw, &presets::polar_express_raw_5, &presets::modded_nanogpt, &presets::deepseek,
        &presets::cans, &presets::cesista, &presets::cubic5, &presets::cubic, &presets::quintic, &presets::hard_cap}) {
    CAPTURE(schedule->name());
    CHECK(refusal([&] { sigmax::require_sign_preserving(*schedule, 0, schedule->upper()); }) == "");
  }
  for (int const degree : {3, 5, 7, 9}) {
    auto const schedule = sigmax::minimax_schedule(1e-10, 20, {.degree = degree});
    CHECK(refusal([&] { sigmax::require_sign_preserving(schedule, 0, 1); }) == "");
  }
}

TEST_CASE("intervals that are none are named") {
  auto const& muon = sigmax::schedules::muon;
  CHECK(contains(refusal([&] { range(muon, 1, 0.5); }), "range: the interval is [1, 0.5]"));
  CHECK(contains(refusal([&] { range(muon, 0, infinity); }), "inf"));
  CHECK(contains(refusal([&] { range(muon, std::nan(""), 1); }), "nan"));
  CHECK(contains(refusal([&] { sigmax::require_sign_preserving(muon, -1, 1); }), "the interval is [-1, 1]"));
  CHECK(contains(refusal([&] { sigmax::require_sign_preserving(muon, 0, infinity); }), "inf"));
}
