// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

using namespace sigmax;
using lipschitz::dual;
using lipschitz::rules::activation;
using rules_list = std::vector<activation>;

namespace {

template <class T>
T value_at(activation const& rule, T x) {
  T y;
  std::span<T const> const inputs[] = {{&x, 1}};
  rule.evaluate<T>(inputs, {}, {&y, 1});
  return y;
}

double slope_at(activation const& rule, double x) { return value_at(rule, dual(x, 1.0)).derivative; }

/// Every entry with its default parameters, and those with parameters at other values.
rules_list all_rules() {
  rules_list result;
  for (auto const& entry : lipschitz::rules::activation_table()) result.emplace_back(entry);
  using namespace lipschitz;
  for (double const a : {-3.0, -0.5, 0.0, 0.3, 1.0, 2.5}) {
    for (auto const& rule : {leaky_relu(a), prelu(a), elu(a), celu(a), selu(a, 1.5), selu(1.5, a),
                             hard_sigmoid(a, 0.25), softplus(a), swish(a), thresholded_relu(a), shrink(a, a),
                             shrink(0.3, a), clip(std::min(a, 1.0), 2.0), lipschitz::pow(a)}) {
      result.push_back(rule);
    }
  }
  for (double const a : {-2.0, -1.0, 2.0, 3.0, 4.0, 5.0}) result.push_back(lipschitz::pow(a));
  return result;
}

/// Where formulas change, for any of the rules.
std::vector<double> kinks() {
  std::vector<double> result;
  for (double const x : {0.0, 3.0, 0.5, 0.3, 1.0, 2.0, 2.5, 1.25, 3.75, 0.25, 1.5, 4.0}) {
    result.push_back(x);
    result.push_back(-x);
  }
  return result;
}

double ulp_up(double x, int steps) {
  for (int i = 0; i < std::abs(steps); ++i) x = std::nextafter(x, steps > 0 ? infinity : -infinity);
  return x;
}

/// A random interval: of any width, some around kinks or with an end next to one.
interval random_interval(random_sequence const& numbers, std::uint64_t i, std::vector<double> const& special) {
  double const a = 4 * numbers.normal(4 * i);
  double const width = std::pow(10.0, 6 * numbers.uniform(4 * i + 1) - 5);
  double const kink = special[static_cast<std::size_t>(numbers.uniform(4 * i + 2) * 1e6) % special.size()];
  int const near = static_cast<int>(3 * numbers.uniform(4 * i + 3)) - 1;
  switch (i % 5) {
    case 0:
      return {ulp_up(kink, near), ulp_up(kink, near) + width};
    case 1:
      return {ulp_up(kink, near) - width, ulp_up(kink, near)};
    case 2:
      return {ulp_up(kink, -1), ulp_up(kink, 1)};
    default:
      return {a, a + width};
  }
}

}  // namespace

TEST_CASE("group 19: no quotient of two points of an interval leaves the enclosure of its slopes") {
  auto const special = kinks();
  random_sequence const numbers(31);
  for (auto const& rule : all_rules()) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    CAPTURE(rule.parameters()[0]);
    CAPTURE(rule.parameters()[1]);
    std::uint64_t outside = 0;
    interval worst;
    double at_a = 0;
    double at_b = 0;
    for (std::uint64_t i = 0; i < 2500; ++i) {
      interval const x = random_interval(numbers, i, special);
      interval const slopes = rule.slopes(0, x);
      CHECK_FALSE((is_nan(slopes.lower) || is_nan(slopes.upper)));
      for (std::uint64_t k = 0; k < 40; ++k) {
        double a = x.lower + (x.upper - x.lower) * numbers.uniform(1000000 + 80 * i + 2 * k);
        double b = x.lower + (x.upper - x.lower) * numbers.uniform(1000001 + 80 * i + 2 * k);
        if (k == 0) a = x.lower;
        if (k == 1) b = x.upper;
        if (k == 2) a = x.lower, b = x.upper;
        if (k == 3) a = x.lower, b = ulp_up(a, 1);
        if (a == b || !x.contains(a) || !x.contains(b)) continue;
        double const rise = value_at(rule, a) - value_at(rule, b);
        double const run = a - b;
        if (!is_finite(rise)) continue;
        // The values are rounded: as much as an error of 4 units in each can move the quotient is forgiven.
        double const noise =
            4e-15 * (std::fabs(value_at(rule, a)) + std::fabs(value_at(rule, b)) + std::fabs(a) + std::fabs(b) + 1) /
            std::fabs(run);
        double const quotient = rise / run;
        if (quotient < slopes.lower - noise - 1e-12 * std::fabs(slopes.lower) ||
            quotient > slopes.upper + noise + 1e-12 * std::fabs(slopes.upper)) {
          ++outside;
          worst = x;
          at_a = a;
          at_b = b;
        }
      }
    }
    CAPTURE(worst.lower);
    CAPTURE(worst.upper);
    CAPTURE(at_a);
    CAPTURE(at_b);
    CHECK(outside == 0);
  }
}

TEST_CASE("enclosures of slopes are as narrow as dense sampling of the derivative, to 1e-6") {
  auto const special = kinks();
  random_sequence const numbers(32);
  for (auto const& rule : all_rules()) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    CAPTURE(rule.parameters()[0]);
    CAPTURE(rule.parameters()[1]);
    for (std::uint64_t i = 0; i < 400; ++i) {
      interval const x = random_interval(numbers, i, special);
      interval const slopes = rule.slopes(0, x);
      if (!slopes.is_bounded() || x.width() < 1e-9) continue;
      // The one decides in rounded arithmetic, on the safe side, whether an end lies on its kink; of the other the
      // sampled slope does.
      if ((name == "hard_sigmoid" || name == "hard_swish") && i % 5 < 3) continue;
      double least = infinity;
      double largest = -infinity;
      auto const see = [&](double at) {
        if (!x.contains(at)) return;
        double const slope = slope_at(rule, at);
        if (!is_finite(slope)) return;
        least = std::min(least, slope);
        largest = std::max(largest, slope);
      };
      see(x.lower);
      see(x.upper);
      for (int k = 1; k < 2000; ++k) see(x.lower + (x.upper - x.lower) * k / 2000.0);
      for (double const kink : special) {
        for (double const step : {1e-12, 1e-9}) {
          see(kink - step * (1 + std::fabs(kink)));
          see(kink + step * (1 + std::fabs(kink)));
        }
      }
      CAPTURE(x.lower);
      CAPTURE(x.upper);
      double const size = std::max(1e-3, slopes.magnitude());
      // A sampled maximum misses the true one by the square of the step at most.
      double const step = (x.upper - x.lower) / 2000;
      CHECK(slopes.upper <= largest + size * (1e-6 + 4 * step * step));
      CHECK(slopes.lower >= least - size * (1e-6 + 4 * step * step));
    }
  }
}

TEST_CASE("piecewise linear activations have exact slopes: inactive, active, or both") {
  using namespace lipschitz;
  auto const relu_over = [](double a, double b) { return relu().slopes(0, interval(a, b)); };
  double const tiny = std::numeric_limits<double>::denorm_min();
  CHECK(relu_over(-1, 0) == interval(0.0));
  CHECK(relu_over(-1, -0.0) == interval(0.0));
  CHECK(relu_over(-1, tiny) == interval(0.0, 1.0));
  CHECK(relu_over(0, 1) == interval(1.0));
  CHECK(relu_over(-tiny, 1) == interval(0.0, 1.0));
  CHECK(relu_over(-infinity, infinity) == interval(0.0, 1.0));
  CHECK(relu_over(0, infinity) == interval(1.0));
  CHECK(lipschitz::abs().slopes(0, {-1, 1}) == interval(-1.0, 1.0));
  CHECK(lipschitz::abs().slopes(0, {-1, 0}) == interval(-1.0));
  CHECK(clip(-1, 1).slopes(0, {-1, 1}) == interval(1.0));
  CHECK(clip(-1, 1).slopes(0, {1, 2}) == interval(0.0));
  CHECK(clip(-1, 1).slopes(0, {-1, std::nextafter(1.0, 2.0)}) == interval(0.0, 1.0));
  CHECK(leaky_relu(-2).slopes(0, {-1, 1}) == interval(-2.0, 1.0));
  CHECK(prelu(std::vector<double>{0.5, 3.0}).slopes(1, {-1, 1}) == interval(1.0, 3.0));
  CHECK(lipschitz::floor().slopes(0, {0.25, 0.75}) == interval(0.0));
  CHECK(lipschitz::floor().slopes(0, {0.25, 1}).upper == infinity);
  CHECK(lipschitz::round().slopes(0, {-0.5, 0.5}) == interval(0.0));
  CHECK(sign().slopes(0, {0, 1}).upper == infinity);
  CHECK(sign().slopes(0, {tiny, 1}) == interval(0.0));
}

TEST_CASE("group 12: over all reals the slopes are the table's c and r") {
  using namespace lipschitz;
  struct expected {
    activation rule;
    double lower;
    double upper;
  };
  for (auto const& [rule, lower, upper] : {expected{relu(), 0, 1},
                                           expected{lipschitz::abs(), -1, 1},
                                           expected{lipschitz::identity(), 1, 1},
                                           expected{neg(), -1, -1},
                                           expected{clip(-1, 1), 0, 1},
                                           expected{leaky_relu(0.5), 0.5, 1},
                                           expected{leaky_relu(3), 1, 3},
                                           expected{prelu(-2), -2, 1},
                                           expected{elu(1), 0, 1},
                                           expected{elu(2), 0, 2},
                                           expected{celu(0.7), 0, 1},
                                           expected{selu(), 0, 1.758099346343},
                                           expected{softplus(-3), 0, 1},
                                           expected{log_sigmoid(), 0, 1},
                                           expected{softsign(), 0, 1},
                                           expected{lipschitz::tanh(), 0, 1},
                                           expected{sigmoid(), 0, 0.25},
                                           expected{hard_sigmoid(0.2, 0.5), 0, 0.2},
                                           expected{gelu(), -0.128904145185154786, 1.128904145185154786},
                                           expected{gelu_tanh(), -0.128993068658771765, 1.128993068658771765},
                                           expected{silu(), -0.099839320128866917, 1.099839320128866917},
                                           expected{swish(-2.5), -0.099839320128866917, 1.099839320128866917},
                                           expected{swish(0.0), 0.5, 0.5},
                                           expected{quick_gelu(), -0.099839320128866917, 1.099839320128866917},
                                           expected{mish(), -0.1125261224, 1.088498161251727861},
                                           expected{hard_swish(), -0.5, 1.5},
                                           expected{lipschitz::erf(), 0, 1.128379167095512574},
                                           expected{lipschitz::sin(), -1, 1},
                                           expected{lipschitz::cos(), -1, 1},
                                           expected{lipschitz::atan(), 0, 1},
                                           expected{lipschitz::asinh(), 0, 1},
                                           expected{thresholded_relu(0.0), 0, 1},
                                           expected{shrink(0.5, 0.5), 0, 1}}) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    interval const slopes = rule.slopes(0, interval::whole());
    double const digits = name == "mish" ? 1e-9 : 1e-12;
    CHECK(slopes.lower <= lower + 0.1 * digits * std::fabs(lower));
    CHECK(slopes.lower >= lower - digits);
    CHECK(slopes.upper >= upper - digits * 1e-2);
    CHECK(slopes.upper <= upper + digits);
  }
  for (auto const& entry : lipschitz::rules::activation_table()) CHECK((entry.slopes != nullptr));
}

TEST_CASE("locally Lipschitz activations have finite slopes exactly where they are") {
  using namespace lipschitz;
  auto const near = [](interval a, double lower, double upper) {
    return a.lower <= lower && a.upper >= upper && a.lower >= lower - 1e-12 && a.upper <= upper + 1e-12;
  };
  CHECK(near(square().slopes(0, {-1, 3}), -2, 6));
  CHECK(near(lipschitz::exp().slopes(0, {0, 1}), 1, std::exp(1.0)));
  CHECK(near(lipschitz::log().slopes(0, {0.5, 2}), 0.5, 2));
  CHECK(lipschitz::log().slopes(0, {0, 2}).upper == infinity);
  CHECK(lipschitz::log().slopes(0, {-1, 2}) == interval::whole());
  CHECK(near(lipschitz::sqrt().slopes(0, {0.25, 4}), 0.25, 1));
  CHECK(lipschitz::sqrt().slopes(0, {0, 4}).upper == infinity);
  CHECK(near(reciprocal().slopes(0, {-2, -0.5}), -4, -0.25));
  CHECK(reciprocal().slopes(0, {-1, 1}) == interval::whole());
  CHECK(near(lipschitz::pow(4).slopes(0, {-1, 2}), -4, 32));
  CHECK(near(lipschitz::pow(3).slopes(0, {-1, 2}), 0, 12));
  CHECK(near(lipschitz::pow(1.5).slopes(0, {0, 4}), 0, 3));
  CHECK(lipschitz::pow(0.5).slopes(0, {0, 4}).upper == infinity);
  CHECK(lipschitz::pow(1.5).slopes(0, {-1, 4}) == interval::whole());
  CHECK(lipschitz::pow(-1).slopes(0, {-1, 4}) == interval::whole());
  CHECK(near(lipschitz::pow(-1).slopes(0, {0.5, 2}), -4, -0.25));
  CHECK(square().slopes(0, interval::whole()).upper == infinity);
}
