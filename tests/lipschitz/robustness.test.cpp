// SPDX-License-Identifier: MIT
// Certified radii: strict about ties, numbers by hand, and no perturbation below the radius changes the class.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/robustness.hpp>
#include <sigmax/lipschitz/rules.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

using outcome = robust_prediction::outcome;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

matrix<double> matrix_of(index_t rows, index_t cols, std::vector<double> const& values) {
  matrix<double> w(rows, cols);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = values[static_cast<std::size_t>(i)];
  return w;
}

matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

/// Constants of a network that is the identity on K logits: L = 1.
pairwise_constants of_identity(index_t classes, norm::any n = norm::l2) {
  return pairwise_constants::of_logits(certify(network({classes}), {.norm = n, .attack = false}));
}

robust_prediction radius_of(std::vector<double> const& logits, pairwise_constants const& constants,
                            std::vector<double> const& errors = {}) {
  return certified_radius(std::span<double const>(logits), constants, std::span<double const>(errors));
}

/// 5 -> 7 -> 3 with a smooth layer, small enough to be attacked hard.
network small_network(std::uint64_t seed) {
  return network_of(sequential(linear(random_matrix(7, 5, seed)), gelu(), linear(random_matrix(6, 7, seed + 1)), relu(),
                               linear(random_matrix(3, 6, seed + 2), std::vector<double>{0.1, -0.2, 0.3})),
                    {1, 5});
}

/// The class in double, and the smallest lead over another logit.
struct seen {
  index_t best;
  double lead;
};

seen look(std::span<double const> logits) {
  auto const top = std::max_element(logits.begin(), logits.end());
  double lead = infinity;
  for (auto it = logits.begin(); it != logits.end(); ++it) {
    if (it != top) lead = std::min(lead, *top - *it);
  }
  return {top - logits.begin(), lead};
}

}  // namespace

TEST_CASE("group 22: ties, equal logits, infinite and NaN logits are not certified") {
  auto const constants = of_identity(3);
  CHECK(radius_of({1, 1, 1}, constants).found == outcome::tie);
  CHECK(radius_of({0, 0, 0}, constants).found == outcome::tie);
  CHECK(radius_of({2, 2, 1}, constants).found == outcome::tie);
  CHECK(radius_of({1, 2, 2}, constants).found == outcome::tie);
  for (double const odd : {infinity, -infinity, not_a_number}) {
    for (std::size_t where = 0; where < 3; ++where) {
      std::vector<double> logits{1, 2, 3};
      logits[where] = odd;
      auto const found = radius_of(logits, constants);
      CHECK(found.found == outcome::not_finite);
      CHECK(found.radius == 0);
      CHECK(found.predicted == -1);
      CHECK_FALSE(found.holds_for(0));
    }
  }
  CHECK_FALSE(radius_of({infinity, infinity, infinity}, constants).holds_for(0));
  CHECK_FALSE(radius_of({-infinity, -infinity, -infinity}, constants).holds_for(0));
  auto const good = radius_of({1, 1, std::nextafter(1.0, 2.0)}, constants);
  CHECK(good.found == outcome::certified);
  CHECK(good.predicted == 2);
  CHECK(good.radius > 0);
  CHECK(good.radius <= 0x1p-52 / std::sqrt(2.0));
  CHECK(reason_of(radius_of({1, 1, 1}, constants)).find("above all others") != std::string::npos);
}

TEST_CASE("radii by hand: margin over sqrt(2) L, 2 L, sqrt(2 K) L, strictly above epsilon") {
  // Logits 3, 1, 0: the margin is 2.
  auto const l2 = radius_of({3, 1, 0}, of_identity(3));
  CHECK(l2.predicted == 0);
  CHECK(l2.rival == 1);
  CHECK(l2.margin <= 2);
  CHECK(l2.radius < std::sqrt(2.0));
  CHECK(l2.radius >= std::sqrt(2.0) * (1 - 1e-14));
  auto const linf = radius_of({3, 1, 0}, of_identity(3, norm::linf));
  CHECK(linf.radius < 1);
  CHECK(linf.radius >= 1 - 1e-14);
  CHECK_FALSE(linf.holds_for(1));
  CHECK(linf.holds_for(1 - 1e-13));
  CHECK_FALSE(linf.holds_for(-1));
  CHECK_FALSE(linf.holds_for(not_a_number));
  auto const rms = radius_of({3, 1, 0}, of_identity(3, norm::rms));
  CHECK(rms.radius < 2 / std::sqrt(6.0));
  CHECK(rms.radius >= 2 / std::sqrt(6.0) * (1 - 1e-14));
}

TEST_CASE("errors of the logits are taken off the margin") {
  auto const constants = of_identity(2, norm::linf);
  CHECK(radius_of({3, 1}, constants, {0.25, 0.5}).radius <= 0.625);
  CHECK(radius_of({3, 1}, constants, {0.25, 0.5}).radius >= 0.625 - 1e-14);
  CHECK(radius_of({3, 1}, constants, {1, 1}).found == outcome::tie);
  for (double const odd : {-1.0, infinity, not_a_number}) {
    CHECK(radius_of({3, 1}, constants, {odd, 0}).found == outcome::not_finite);
  }
  CHECK_THROWS_AS(radius_of({3, 1}, constants, {1}), shape_error);
  CHECK_THROWS_AS(radius_of({3, 1, 2}, constants), shape_error);
}

TEST_CASE("constants without a bound, of constants and beyond double say so") {
  auto const none = pairwise_constants::of_logits(certify(network_of(lipschitz::exp(), {2}), {.attack = false}));
  CHECK(radius_of({3, 1}, none).found == outcome::no_bound);
  CHECK(radius_of({3, 1}, none).radius == 0);
  auto const fixed = pairwise_constants::of_logits(certify(network_of(scale(0.0), {2}), {.attack = false}));
  CHECK(radius_of({3, 1}, fixed).radius == infinity);
  CHECK(radius_of({3, 1}, fixed).holds_for(1e300));
  CHECK(radius_of({1, 1}, fixed).found == outcome::tie);
  network huge({2});
  for (int i = 0; i < 5; ++i) huge.add(rules::scale({1e300}), {huge.output()});
  auto const beyond = pairwise_constants::of_logits(certify(huge, {.attack = false}));
  CHECK(beyond.largest().log10_up() > 1500);
  CHECK(radius_of({3, 1}, beyond).found == outcome::too_small);
  network tiny({2});
  for (int i = 0; i < 5; ++i) tiny.add(rules::scale({1e-300}), {tiny.output()});
  auto const below = pairwise_constants::of_logits(certify(tiny, {.attack = false}));
  CHECK(radius_of({3, 1}, below).radius == std::numeric_limits<double>::max());
  // One class cannot change.
  CHECK(radius_of({3}, of_identity(1)).radius == infinity);
  CHECK(radius_of({not_a_number}, of_identity(1)).found == outcome::not_finite);
}

TEST_CASE("rows of the last layer: L_body ||w_i - w_j||, in every norm, by hand") {
  // Body 2 I, rows (3, 4), (0, 0), (0, 4).
  auto const net =
      network_of(sequential(scale(2.0), linear(matrix_of(3, 2, {3, 4, 0, 0, 0, 4}), std::vector<double>(3))), {1, 2});
  auto const check = [](extended const& found, double exact) {
    CHECK(found.to_double_up() >= exact);
    CHECK(found.to_double_up() <= exact * (1 + 1e-13));
  };
  auto const l2 = pairs_by_last_layer(net, {.norm = norm::l2});
  check(l2(0, 1), 10);
  check(l2(1, 0), 10);
  check(l2(0, 2), 6);
  check(l2(1, 2), 8);
  CHECK(l2.method() == "rows of the last layer");
  auto const linf = pairs_by_last_layer(net, {.norm = norm::linf});
  check(linf(0, 1), 14);
  check(linf(0, 2), 6);
  check(linf(2, 1), 8);
  auto const rms = pairs_by_last_layer(net, {.norm = norm::rms});
  check(rms(0, 1), 10 * std::sqrt(2.0));
  // Equal rows never part: the difference is 0, proved.
  auto const same = pairs_by_last_layer(network_of(linear(matrix_of(2, 2, {3, 4, 3, 4}))));
  CHECK(same(0, 1).is_zero());
  // Rows that differ by less than a square of a double.
  auto const near = pairs_by_last_layer(network_of(linear(matrix_of(2, 1, {1e-170, 0}))));
  CHECK_FALSE(near(0, 1).is_zero());
  CHECK(near(0, 1).to_double_up() >= 1e-170);
  // A last layer that is none: the constant of all logits.
  auto const smooth = pairs_by_last_layer(network_of(sequential(linear(matrix_of(2, 2, {1, 0, 0, 1})), relu())));
  CHECK(smooth.method() == "one constant of all logits");
  CHECK(smooth(0, 1).to_double_up() >= std::sqrt(2.0));
}

TEST_CASE("pairs one by one are never above the rows of the last layer, nor below what an attack finds") {
  auto const net = small_network(3);
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const single = pairs_one_by_one(net, {.norm = n});
    auto const rows = pairs_by_last_layer(net, {.norm = n});
    auto const all = pairwise_constants::of_logits(certify(net, {.norm = n, .attack = false}));
    for (index_t i = 1; i < 3; ++i) {
      for (index_t j = 0; j < i; ++j) {
        CHECK_FALSE(rows(i, j) < single(i, j));
        CHECK_FALSE(all(i, j) < rows(i, j));
        network pair = net;
        matrix<double> difference(1, 3);
        difference(0, i) = 1;
        difference(0, j) = -1;
        pair.add(rules::linear(weight::owning(std::move(difference))), {pair.output()});
        auto const found = falsify(pair, n);
        CHECK(found.value > 0);
        CHECK(found.value <= single(i, j).to_double_up());
      }
    }
  }
}

TEST_CASE("no perturbation below the certified radius changes the class: random and gradient attacks") {
  int certified = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    auto const net = small_network(10 * seed);
    attack::evaluation_plan const plan(net);
    attack::evaluation<double> at(plan);
    attack::gradient<double> slope(plan);
    random_sequence const numbers(seed);
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const constants = pairs_by_last_layer(net, {.norm = n});
      auto const in = row_norm::of(n, net.input_shape());
      for (std::uint64_t sample = 0; sample < 4; ++sample) {
        std::vector<double> x(5);
        for (std::size_t i = 0; i < 5; ++i) x[i] = 3 * numbers.normal(5 * sample + i);
        auto const found = certified_radius(net, std::span<double const>(x), constants);
        if (found.found != outcome::certified) continue;
        ++certified;
        REQUIRE(is_finite(found.radius));
        std::vector<double> y(5);
        std::vector<double> direction(5);
        double least = infinity;
        for (std::uint64_t attempt = 0; attempt < 200; ++attempt) {
          if (attempt < 150) {
            for (std::size_t i = 0; i < 5; ++i) direction[i] = numbers.normal(1000 * (sample + 1) + 5 * attempt + i);
            double const size = attack::length(direction, in);
            for (double& each : direction) each /= size;
          } else {
            // Downhill from where the last step ended, for the lead over each rival in turn.
            std::copy(y.begin(), y.end(), at.input().begin());
            at.run();
            slope.clear();
            auto const rival = static_cast<std::size_t>((found.predicted + 1 + static_cast<index_t>(attempt % 2)) % 3);
            slope.seed()[rival] = 1;
            slope.seed()[static_cast<std::size_t>(found.predicted)] = -1;
            auto const uphill = slope.run(at);
            if (!attack::steepest(uphill, in, direction)) continue;
          }
          for (std::size_t i = 0; i < 5; ++i) y[i] = x[i] + found.radius * (1 - 1e-12) * direction[i];
          std::copy(y.begin(), y.end(), at.input().begin());
          auto const result = look(at.run());
          CHECK(result.best == found.predicted);
          least = std::min(least, result.lead);
        }
        CHECK(least > 0);
        CHECK(least < found.margin);
      }
    }
  }
  CHECK(certified > 80);
}

TEST_CASE("the certified radius of a linear classifier is its distance to the border") {
  // Rows (3, 4) and (0, 0): the border is where 3 x + 4 y = 0, the distance of (1, 1) is 7 / 5, in linf 7 / 7.
  auto const net = network_of(linear(matrix_of(2, 2, {3, 4, 0, 0})));
  std::vector<double> const x{1, 1};
  auto const l2 = certified_radius(net, std::span<double const>(x), pairs_by_last_layer(net));
  CHECK(l2.radius < 1.4);
  CHECK(l2.radius > 1.4 * (1 - 1e-12));
  auto const linf = certified_radius(net, std::span<double const>(x), pairs_by_last_layer(net, {.norm = norm::linf}));
  CHECK(linf.radius < 1);
  CHECK(linf.radius > 1 - 1e-12);
  std::vector<double> const short_x{1};
  CHECK_THROWS_AS(certified_radius(net, std::span<double const>(short_x), pairs_by_last_layer(net)), shape_error);
}

TEST_CASE("constants of a bounded domain: the radius ends at the border, outside nothing is certified") {
  auto const net = network_of(linear(matrix_of(2, 2, {3, 4, 0, 0})));
  std::vector<double> const x{1, 1};
  auto const of = [&](input_domain const& domain, norm::any n) {
    return certified_radius(net, std::span<double const>(x), pairs_by_last_layer(net, {.norm = n, .domain = domain}));
  };
  CHECK(of(input_domain::ball(0.5, {1, 1}), norm::l2).radius == 0.5);
  CHECK(of(input_domain::ball(0.5, {1, 0.75}), norm::l2).radius <= 0.25);
  CHECK(of(input_domain::ball(0.5, {1, 0.75}), norm::l2).radius >= 0.25 - 1e-14);
  CHECK(of(input_domain::ball(0.5, {3, 1}), norm::l2).found == outcome::outside_domain);
  CHECK(of(input_domain::box({0, 0.5}, {2, 9}), norm::linf).radius <= 0.5);
  CHECK(of(input_domain::box({0, 0.5}, {2, 9}), norm::linf).radius >= 0.5 - 1e-14);
  CHECK(of(input_domain::box({0, 0.5}, {2, 9}), norm::rms).radius <= 0.5 / std::sqrt(2.0));
  CHECK(of(input_domain::box({2, 0}, {3, 9}), norm::l2).found == outcome::outside_domain);
  // From logits alone nobody knows where the input is.
  auto const local = pairs_by_last_layer(net, {.domain = input_domain::ball(0.5)});
  CHECK(radius_of({3, 1}, local).found == outcome::outside_domain);
}

TEST_CASE("certified accuracy counts at every budget, in l2 and linf, and odd samples are no exception") {
  // Two classes by the sign of x: radius |x| in both norms.
  auto const net = network_of(linear(matrix_of(2, 1, {1, -1})));
  std::vector<double> const inputs{0.1, 0.2, 0.4, 0.8, -0.3, 0, not_a_number, infinity};
  std::vector<index_t> const labels{0, 0, 0, 1, 1, 0, 0, 0, 0, -1};
  std::vector<perturbation_budget> const budgets{
      {norm::l2, 0}, {norm::l2, 0.15}, {norm::l2, 0.2}, {norm::linf, 0.25}, {norm::linf, 1}};
  struct hearing {
    std::size_t samples = 0;
  } heard;
  certify_options options;
  options.progress = {&heard, [](void* self, char const* stage, std::size_t, std::size_t) {
                        if (std::string(stage) == "samples") ++static_cast<hearing*>(self)->samples;
                      }};
  auto const counts = certified_accuracy(net, {inputs, labels}, budgets, options);
  CHECK(heard.samples == 10);
  CHECK(counts.samples == 10);
  CHECK(counts.correct == 4);  // 0.1, 0.2, 0.4 and -0.3; 0.8 has the wrong label, 0 is a tie
  CHECK(counts.odd == 4);      // NaN, infinity, and two samples that are not there
  CHECK(counts.first_odd.find("sample 6 is not finite") != std::string::npos);
  REQUIRE(counts.budgets.size() == 5);
  CHECK(counts.budgets[0].certified == 4);
  CHECK(counts.budgets[1].certified == 3);
  CHECK(counts.budgets[2].certified == 2);  // 0.2 itself: not strictly above
  CHECK(counts.budgets[3].certified == 2);
  CHECK(counts.budgets[4].certified == 0);
  CHECK(counts.clean_accuracy() == doctest::Approx(0.4));
  CHECK(counts.certified_accuracy(1) == doctest::Approx(0.3));
  REQUIRE(counts.norms.size() == 2);
  CHECK(counts.mean_radius(0) == doctest::Approx(1.0 / 10));
  CHECK_THROWS_AS(certified_accuracy(net, {inputs, labels}, {{norm::l2, -1}}), domain_error);
  CHECK_THROWS_AS(certified_accuracy(net, {inputs, labels}, {{norm::l2, not_a_number}}), domain_error);
  CHECK(certified_accuracy(net, {{}, {}}, budgets).clean_accuracy() == 0);

  robustness_evaluation one(net, {{norm::l2, 0.1}});
  std::vector<double> const x{0.5};
  one.add(x, 0);
  REQUIRE(one.last().size() == 1);
  CHECK(one.last()[0].radius == doctest::Approx(0.5));
  one.add(x, 2);
  CHECK(one.last().empty());
  CHECK(one.counts().first_odd.find("label 2") != std::string::npos);
}
