// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/range.hpp>
#include <sigmax/polynomial/schedules.hpp>

using sigmax::minimax_options;
using sigmax::minimax_polynomial;
using sigmax::minimax_schedule;
using sigmax::odd_polynomial;
using sigmax::polynomial_schedule;

namespace {

constexpr double distance(double a, double b) { return a > b ? a - b : b - a; }

/// max |a - b| / max(1, |b|) over the coefficients of step t.
constexpr double difference(polynomial_schedule const& a, polynomial_schedule const& b, int t) {
  double largest = 0;
  for (int k = 0; k < odd_polynomial<>::max_terms; ++k) {
    double const size = distance(b[t][k], 0) > 1 ? distance(b[t][k], 0) : 1;
    double const relative = distance(a[t][k], b[t][k]) / size;
    largest = relative > largest ? relative : largest;
  }
  return largest;
}

constexpr double difference(polynomial_schedule const& a, polynomial_schedule const& b) {
  double largest = a.size() == b.size() ? 0 : 1;
  for (int t = 0; t < b.size(); ++t) largest = difference(a, b, t) > largest ? difference(a, b, t) : largest;
  return largest;
}

constexpr auto polar_express = minimax_schedule<8>(1e-3, {.cushion = 0.02407327424182761});
constexpr auto modded_nanogpt = minimax_schedule<5>(1e-3, {.safety = 0.02, .cushion = 0.02});
constexpr auto cans = minimax_schedule<7>(1e-3);

// The rows of Polar Express from a solution with 80 digits (Remez in mpmath).
constexpr polynomial_schedule polar_express_exact(
    "exact", {{8.2872120181456265052, -23.595886519098827876, 17.300387312530924962},
              {4.1070591115422011507, -2.9478499167379089505, 0.54484310829265985385},
              {3.948690853482293445, -2.9089021159629470064, 0.55181913943701311516},
              {3.3184196573706010948, -2.488488024314873891, 0.51004894012371998596},
              {2.3006520199548177102, -1.6689039845747501091, 0.41880731195256735952},
              {1.8913014077873985141, -1.2679958271945881105, 0.376804089485248963},
              {1.8750014808442193169, -1.2500016453814815012, 0.37500016453818626858},
              {1.875, -1.25, 0.375}});
constexpr polynomial_schedule cans_exact("exact",
                                         {{8.4703288038480688618, -25.108074706661869997, 18.629275599118009144},
                                          {4.1828341832939419354, -3.1087011098892410209, 0.58060668135004902434},
                                          {3.9618572789615991975, -2.9540637463593785246, 0.56297611795389639297},
                                          {3.2865862170279599001, -2.4647201345312820352, 0.50735769386145483318},
                                          {2.2737499944340392719, -1.6446603679080695148, 0.41619092749788634247},
                                          {1.8887161973518292343, -1.2651572253386010208, 0.37651892555749073359},
                                          {1.8750008858550684895, -1.2500009842830571581, 0.37500009842831935669}});
static_assert(difference(polar_express, polar_express_exact) < 1e-12);
static_assert(difference(cans, cans_exact) < 1e-12);

// The published tables. Row 7 of Polar Express was published with the rounding errors of its generator: it is 1.5e-11
// off the exact solution, which ours meets to 1e-15 in that row.
constexpr double off_by(int t) { return difference(polar_express, sigmax::schedules::polar_express_raw, t); }
static_assert(off_by(0) < 1e-11 && off_by(1) < 1e-11 && off_by(2) < 1e-11 && off_by(3) < 1e-11 && off_by(4) < 1e-11 &&
              off_by(5) < 1e-11 && off_by(7) < 1e-11);
static_assert(off_by(6) > 1.4e-11 && off_by(6) < 1.5e-11);
static_assert(difference(modded_nanogpt, sigmax::schedules::modded_nanogpt) < 1e-11);
static_assert(difference(minimax_schedule<5>(1e-3), sigmax::schedules::cans) < 1e-11);
constexpr polynomial_schedule cans_published_tail("cans, rows 6 and 7",
                                                  {{1.888716197351829, -1.265157225338601, 0.376518925557491},
                                                   {1.875000885855069, -1.250000984283057, 0.375000098428319}});
static_assert(difference(polynomial_schedule("tail", {cans[5], cans[6]}), cans_published_tail) < 1e-11);

// Everything is a constant expression, long schedules of the highest degree included.
static_assert(minimax_schedule<16>(1e-12, {.degree = 9}).greatest() < 1 + 1e-13);
static_assert(minimax_schedule<32>(1e-12, {.degree = 3}).greatest() < 1 + 2e-7);
static_assert(minimax_schedule<32>(1e-12).greatest() < 1 + 1e-13);
static_assert(sigmax::steps_for(1e-3, 0.01) == 6);
static_assert(sigmax::minimax_schedule_to(1e-3, 0.3).size() == 5);

/// max |1 - p(x)| on a grid of [lower, upper] that is even and geometric, in long double.
template <class P>
double measured_error(P const& p, double lower, double upper, int points = 20000) {
  long double largest = 0;
  for (int i = 0; i <= points; ++i) {
    long double const t = static_cast<long double>(i) / points;
    for (long double const x :
         {lower + (static_cast<long double>(upper) - lower) * t,
          static_cast<long double>(lower) * std::pow(static_cast<long double>(upper) / lower, t)}) {
      largest = std::fmax(largest, std::fabs(1 - p(x)));
    }
  }
  return static_cast<double>(largest);
}

std::string message_of(auto const& call) {
  try {
    call();
  } catch (sigmax::domain_error const& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the error of a step has the digits of a solution with 60 digits, however small it is") {
  struct row {
    int degree;
    double lower, error;
  };
  for (auto const& v : {row{3, 1e-08, 0.99999994803847738274}, {3, 0.001, 0.99481990303156045772},
                        {3, 0.1, 0.60723012727148410789},      {3, 0.5, 0.085954624355641591699},
                        {3, 0.9, 0.0020791616942935768672},    {3, 0.9999, 1.8751875153653682768e-9},
                        {5, 1e-08, 0.99999991485698168067},    {5, 0.001, 0.99152969630420800835},
                        {5, 0.1, 0.45341690543373958025},      {5, 0.5, 0.024046637126156427308},
                        {5, 0.9, 0.000091204106776848140713},  {5, 0.9999, 7.8136719986049784011e-14},
                        {7, 1e-08, 0.99999988139427502719},    {7, 0.001, 0.98822522416131463244},
                        {7, 0.1, 0.34228563168477366902},      {7, 0.5, 0.0070406571625375551066},
                        {7, 0.9, 4.2005605387158113866e-6},    {7, 0.9999, 3.4186524322833531958e-18},
                        {9, 1e-08, 0.99999984782750882111},    {9, 0.001, 0.98492413340272864594},
                        {9, 0.1, 0.26090947328372065694},      {9, 0.5, 0.0021177187271549152403},
                        {9, 0.9, 1.9898603476569053725e-7},    {9, 0.9999, 1.5384705181376528051e-22}}) {
    CAPTURE(v.degree);
    CAPTURE(v.lower);
    CHECK(minimax_polynomial(v.degree, v.lower, 1).error == doctest::Approx(v.error).epsilon(3e-13));
  }
}

TEST_CASE("the error of a step is the largest error measured") {
  for (int const degree : {3, 5, 7, 9}) {
    for (double const lower : {1e-15, 1e-12, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.74, 0.76, 0.9, 0.99, 0.9999,
                               1 - 1e-6, 1 - 1e-9, 1 - 1e-12}) {
      CAPTURE(degree);
      CAPTURE(lower);
      auto const fit = minimax_polynomial(degree, lower, 1);
      CHECK(std::fabs(measured_error(fit.polynomial, lower, 1) - fit.error) <= 1e-12);
      // Relative to what is left: where p comes from.
      CHECK(fit.polynomial(lower) == doctest::Approx(1 - fit.error).epsilon(lower < 0.01 ? 1e-13 / lower : 1e-12));
      // The best polynomial of an interval twice as wide is the same, stretched.
      auto const wide = minimax_polynomial(degree, 2 * lower, 2);
      for (int k = 0; k < wide.polynomial.terms(); ++k) {
        CHECK(wide.polynomial[k] * std::pow(2.0, 2 * k + 1) == doctest::Approx(fit.polynomial[k]).epsilon(1e-12));
      }
    }
    auto const point = minimax_polynomial(degree, 3, 3);
    CHECK(point.error == 0);
    CHECK(point.polynomial(3.0) == doctest::Approx(1).epsilon(1e-15));
    CHECK(std::fabs(point.polynomial.derivative(3.0)) < 1e-15);
    auto const vast = minimax_polynomial(degree, 1e-300, 1);
    CHECK(vast.error == doctest::Approx(1));
    CHECK(vast.polynomial[0] / (degree == 3   ? 2 * 2.598
                                : degree == 5 ? 2 * 4.257
                                : degree == 7 ? 2 * 5.930
                                              : 2 * 7.609) ==
          doctest::Approx(1).epsilon(2e-4));
  }
}

TEST_CASE("the cubic is the closed form") {
  for (double const l : {1e-6, 0.01, 0.2, 0.5, 0.8, 0.95}) {
    for (double const u : {1.0, 1.7}) {
      double const e = std::sqrt((l * l + l * u + u * u) / 3);
      double const k = 2 / (2 * e * e * e + l * l * u + l * u * u);
      auto const fit = minimax_polynomial(3, l, u);
      CHECK(fit.polynomial[0] == doctest::Approx(k * 3 * e * e).epsilon(1e-14));
      CHECK(fit.polynomial[1] == doctest::Approx(-k).epsilon(1e-14));
      CHECK(std::fabs(fit.error - (2 * e * e * e - l * l * u - l * u * u) / (2 * e * e * e + l * l * u + l * u * u)) <
            1e-15);
    }
  }
}

TEST_CASE("steps_for reproduces the table of the reference") {
  struct row {
    int degree;
    double l;
    int steps[4];
  };
  constexpr double tolerances[] = {0.3, 0.01, 6e-8, 1e-16};
  for (auto const& v : {row{3, 1e-1, {3, 4, 6, 7}},
                        {3, 1e-2, {5, 7, 8, 10}},
                        {3, 1e-3, {7, 9, 11, 12}},
                        {3, 1e-4, {10, 12, 13, 14}},
                        {3, 1e-6, {15, 16, 18, 19}},
                        {3, 1e-8, {19, 21, 23, 24}},
                        {5, 1e-1, {2, 3, 4, 5}},
                        {5, 1e-2, {3, 5, 6, 6}},
                        {5, 1e-3, {5, 6, 7, 8}},
                        {5, 1e-4, {7, 8, 9, 10}},
                        {5, 1e-6, {10, 11, 12, 13}},
                        {5, 1e-8, {13, 14, 15, 16}},
                        {9, 1e-1, {1, 2, 3, 3}},
                        {9, 1e-2, {3, 3, 4, 5}},
                        {9, 1e-3, {4, 4, 5, 6}},
                        {9, 1e-4, {5, 6, 6, 7}},
                        {9, 1e-6, {7, 8, 9, 9}},
                        {9, 1e-8, {9, 10, 11, 11}}}) {
    for (int i = 0; i < 4; ++i) {
      CAPTURE(v.degree);
      CAPTURE(v.l);
      CAPTURE(tolerances[i]);
      CHECK(sigmax::steps_for(v.l, tolerances[i], {.degree = v.degree}) == v.steps[i]);
    }
  }
  // Quintics from 1e-3 after five, six and seven steps.
  CHECK(minimax_schedule(1e-3, 5).greatest() - 1 == doctest::Approx(0.113).epsilon(0.005));
  CHECK(minimax_schedule(1e-3, 5, {.cushion = 0.02407327424182761}).greatest() - 1 ==
        doctest::Approx(0.124).epsilon(0.005));
  CHECK(minimax_schedule(1e-3, 6).greatest() - 1 == doctest::Approx(9.2e-4).epsilon(0.005));
  CHECK(minimax_schedule(1e-3, 7).greatest() - 1 == doctest::Approx(4.8e-10).epsilon(0.005));
  // Four steps of degree 9, which cost less.
  CHECK(minimax_schedule(1e-3, 4, {.degree = 9}).greatest() - 1 == doctest::Approx(0.0099).epsilon(0.005));
}

TEST_CASE("the error of a schedule is that of a solution with 60 digits") {
  struct row {
    double l;
    int steps;
    minimax_options options;
    double error;
  };
  for (auto const& v : {row{1e-08, 12, {}, 0.522447259469753612},
                        {1e-08, 14, {}, 0.000598226248190178304},
                        {1e-12, 18, {}, 0.670846994715212661},
                        {1e-06, 7, {.degree = 9}, 0.0975476887181003302},
                        {1e-08, 10, {.degree = 9}, 0.000356384893998387241},
                        {1e-06, 15, {.degree = 3}, 0.0870574785855500208},
                        {1e-03, 5, {}, 0.113448457381577915},
                        {1e-03, 6, {}, 0.000916472188725703027},
                        {1e-03, 5, {.safety = 0.02, .cushion = 0.02}, 0.141127356473310563},
                        {1e-03, 5, {.safety = 0.01, .cushion = 0.02}, 0.130921948609245091},
                        {1e-04, 12, {.safety = 0.01, .cushion = 0.02}, 8.75e-18},
                        {1e-03, 4, {.degree = 9, .safety = 0.01, .cushion = 0.02}, 0.0138871547342654672},
                        {1e-03, 5, {.degree = 7, .safety = 0.05, .cushion = 0.1}, 0.00623668972833246277},
                        {1e-02, 4, {.degree = 3, .safety = 0.02, .cushion = 0.3}, 0.640082064650185237}}) {
    CAPTURE(v.l);
    CAPTURE(v.steps);
    CAPTURE(v.options.degree);
    double const stated = minimax_schedule(v.l, v.steps, v.options).greatest() - 1;
    CHECK(std::fabs(stated - v.error) <= (v.options.degree == 9 ? 4e-12 : 1e-12));  // the hair's breadth of minimax.hpp
  }
}

TEST_CASE("what a schedule states about itself is true and no wider than it has to be") {
  for (int const degree : {3, 5, 7, 9}) {
    for (double const l : {1e-15, 1e-12, 1e-8, 1e-6, 1e-3, 0.1, 0.5, 0.9, 0.9999}) {
      for (minimax_options const& options : {minimax_options{.degree = degree},
                                             {.degree = degree, .cushion = 0.1},
                                             {.degree = degree, .safety = 0.02},
                                             {.degree = degree, .safety = 0.05, .cushion = 0.3}}) {
        for (int const steps : {1, 2, 5, 9}) {
          CAPTURE(degree);
          CAPTURE(l);
          CAPTURE(options.safety);
          CAPTURE(options.cushion);
          CAPTURE(steps);
          auto const schedule = minimax_schedule(l, steps, options);
          double const error = schedule.greatest() - 1;
          CHECK(schedule.lower() == l);
          CHECK(schedule.upper() == (steps > 1 ? 1 + options.safety : 1));
          CHECK(schedule.least() == doctest::Approx(1 - error).epsilon(1e-15));
          // Proved again from scratch, on [0, upper] as well.
          auto const proved = sigmax::range(schedule, l, schedule.upper(), 1e-15);
          CHECK(proved.lower >= schedule.least() - 1e-13);
          CHECK(proved.upper <= schedule.greatest() + 1e-13);
          auto const from_zero = sigmax::range(schedule, 0, schedule.upper(), 1e-15);
          CHECK(from_zero.lower >= 0);
          CHECK(from_zero.upper <= schedule.greatest() + 1e-13);
          // Reached: p(l) = 1 - E.
          double const reached = measured_error(schedule, l, schedule.upper(), 300);
          CHECK(reached <= error);
          CHECK(error - reached <= 1e-12);
        }
      }
    }
  }
}

TEST_CASE("safety and cushion do what they are for") {
  auto const plain = minimax_schedule(1e-3, 5);
  auto const safe = minimax_schedule(1e-3, 5, {.safety = 0.05});
  // 1.04 leaves the basin of the plain schedule.
  CHECK(std::fabs(plain(1.04)) > 1.8);
  CHECK(std::fabs(safe(1.04) - 1) <= safe.greatest() - 1);
  // Without a cushion p(x) / x falls to a few l inside; with one it stays above a tenth of its largest value.
  for (int const degree : {3, 5, 7, 9}) {
    auto const lowest = [&](double cushion) {
      auto const step = minimax_schedule(1e-6, 1, {.degree = degree, .cushion = cushion})[0];
      double least = step[0];
      for (double x = 1e-3; x <= 1; x += 1e-4) least = std::fmin(least, step(x) / x);
      return least;
    };
    CHECK(lowest(0) < 1e-4);
    CHECK(lowest(0.2) > 0.3);
    // and it stays centred: p(l) and the maximum are as far from 1.
    auto const step = minimax_schedule(1e-2, 1, {.degree = degree, .cushion = 0.2});
    auto const reached = sigmax::range(step, 1e-2, 1);
    CHECK(std::fabs(reached.lower + reached.upper - 2) <= 2e-12);  // twice the tolerance of range
  }
}

TEST_CASE("the error never exceeds the published bound") {
  // Polar Express, theorem 4.3: (1 - l^2)^((q + 1)^T). E includes what rounding may do, up to 2.2e-14 here.
  for (int const degree : {3, 5, 7, 9}) {
    for (double const l : {0.01, 0.1, 0.3, 0.6, 0.9}) {
      for (int steps = 1; steps <= 5; ++steps) {
        double const bound = std::pow(1 - l * l, std::pow(0.5 * (degree + 1), steps));
        CHECK(minimax_schedule(l, steps, {.degree = degree}).greatest() - 1 <= bound + 3e-14);
      }
    }
  }
}

TEST_CASE("arguments outside the domain are named") {
  for (int const degree : {-5, 0, 1, 2, 4, 6, 8, 10, 11, 1000}) {
    CHECK(contains(message_of([&] { minimax_polynomial(degree, 0.1, 1); }),
                   ("degree is " + std::to_string(degree) + "; it must be 3, 5, 7 or 9").c_str()));
    CHECK(contains(message_of([&] { minimax_schedule(0.1, 3, {.degree = degree}); }), "degree is"));
    CHECK(contains(message_of([&] { sigmax::steps_for(0.1, 0.1, {.degree = degree}); }), "degree is"));
  }
  double const nan = std::nan("");
  for (double const l : {0.0, -0.5, 1.5, nan, HUGE_VAL}) {
    CHECK(contains(message_of([&] { minimax_schedule(l, 3); }), "l is "));
    CHECK(contains(message_of([&] { minimax_polynomial(5, l, 1); }), "the interval is ["));
  }
  CHECK(contains(message_of([&] { minimax_schedule(0.25, 3, {.safety = -0.1}); }),
                 "safety is -0.1; it must lie in [0, 1]"));
  CHECK(contains(message_of([&] { minimax_schedule(0.25, 3, {.safety = nan}); }), "safety is nan"));
  CHECK(contains(message_of([&] { minimax_schedule(0.25, 3, {.cushion = 1}); }),
                 "cushion is 1; it must lie in [0, 0.9]"));
  CHECK(contains(message_of([&] { minimax_schedule(0.25, 0); }), "steps is 0; it must lie in [1, 32]"));
  CHECK(contains(message_of([&] { minimax_schedule(0.25, 33); }), "steps is 33"));
  CHECK(contains(message_of([&] { sigmax::steps_for(0.25, 0); }), "tolerance is 0; it must be above 0"));
  CHECK(contains(message_of([&] { sigmax::steps_for(0.25, nan); }), "tolerance is nan"));
  CHECK(contains(message_of([&] { sigmax::steps_for(1e-300, 0.1); }), "more than 32 steps of degree 5"));
  // p(x / 2) of a fixed interval cannot come closer to 1 than this.
  CHECK(contains(message_of([&] { sigmax::minimax_schedule_to(0.5, 1e-6, {.safety = 1}); }), "more than 32 steps"));
}
