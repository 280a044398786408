// SPDX-License-Identifier: MIT
// Whole-network certificates on what has broken other certifiers: activations, structure, multipliers, local slopes.
// tests/README.md says where all groups are.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/search/eclipse.hpp>
#include <sigmax/lipschitz/search/multiplier_objective.hpp>
#include <sigmax/lipschitz/search/multiplier_search.hpp>
#include <sigmax/lipschitz/search/propose_multipliers.hpp>

#include "lipschitz/slope_systems.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

default_backend<double> const on{};

matrix<double> matrix_of(index_t rows, index_t cols, std::vector<double> const& values) {
  matrix<double> w(rows, cols);
  std::copy(values.begin(), values.end(), w.data());
  return w;
}

}  // namespace

TEST_CASE("group 12: the attack finds the steepest slope of an activation, and the bound is not below it") {
  struct extremal {
    any_rule rule;
    double at;
    double slope;
  };
  for (auto const& [rule, at, slope] :
       {extremal{gelu(), 1.4142135623730951, 1.128904145185154},
        extremal{gelu_tanh(), 1.4185040087908284, 1.12899306865877},
        extremal{silu(), 2.3993572805154677, 1.09983932012886}, extremal{selu(), 0.0, 1.7580993408},
        extremal{hard_swish(), 3.0, 1.5}, extremal{mish(), 1.4905711794854285, 1.08849816125172}}) {
    for (double const a : {0.25, -3.0, 1e4}) {
      std::string const name = rule.operator_name();
      CAPTURE(name);
      CAPTURE(a);
      network net({1});
      net.add(rule, {net.add(rules::add_constant({at}), {net.add(rules::scale({a}), {0})})});
      for (input_domain const& domain : {input_domain(), input_domain::ball(1e-3 / std::fabs(a))}) {
        auto const c = certify(net, {.domain = domain});
        REQUIRE(c.lower()->proven);
        CHECK(c.lower()->value <= c.upper());
        CHECK(c.upper() >= std::fabs(a) * slope * (1 - 1e-9));
        CHECK(c.upper() <= std::fabs(a) * slope * (1 + 1e-5));
        // Far from 1 the attack's distances are too large for one side of a kink.
        if (domain.is_bounded() && std::fabs(a) < 10) CHECK(c.lower()->value >= std::fabs(a) * slope * (1 - 2e-3));
      }
    }
  }
}

TEST_CASE(
    "group 16: parts that are put together in another order have norm 1, repeated elements the root of how often") {
  network net({6});
  node_id const front = net.add(rules::rearrange({2}, {0, 1}, "slice"), {0});
  node_id const middle = net.add(rules::rearrange({3}, {2, 3, 4}, "slice"), {0});
  node_id const back = net.add(rules::rearrange({1}, {5}, "slice"), {0});
  net.add(rules::concatenate(3, 0), {middle, back, front});
  auto const permuted = certify(net);
  CHECK(permuted.upper() >= 1);
  CHECK(permuted.upper() <= 1 + 1e-6);
  CHECK(certify(net, {.norm = norm::linf}).upper() == 1);
  for (index_t const times : {1, 2, 5}) {
    network repeated({3});
    std::vector<index_t> map(static_cast<std::size_t>(times), 1);
    map.push_back(0);
    repeated.add(rules::rearrange({times + 1}, map, "gather"), {0});
    auto const c = certify(repeated);
    CHECK(c.upper() >= std::sqrt(static_cast<double>(times)) * (1 - 1e-15));
    CHECK(c.upper() <= std::sqrt(static_cast<double>(times)) * (1 + 1e-6));
    CHECK(c.lower()->value <= c.upper());
    CHECK(certify(repeated, {.norm = norm::linf}).upper() == 1);
  }
  // x - x may have any bound, x + x none below 2, and both with a detour.
  network detour({2});
  node_id const there = detour.add(rules::scale({2.0}), {0});
  node_id const again = detour.add(rules::scale({0.5}), {there});
  detour.add(rules::weighted_sum({1.0, 1.0}), {0, again});
  CHECK(certify(detour).upper() >= 2);
  CHECK(certify(detour).upper() <= 2 * (1 + 1e-6));
  node_id const sum = detour.output();
  detour.add(rules::weighted_sum({1.0, -2.0}), {sum, 0});
  CHECK(certify(detour).upper() >= 0);
}

TEST_CASE("group 18: multipliers a ten thousandth beyond feasibility prove nothing, however large the bound") {
  int tested = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    auto const system = test::random_system({3, 4, 3, 2}, seed, seed % 3 == 0, {{0, 1}, {-0.5, 1}});
    auto const start = search::closed_form(on, system);
    if (start.multipliers.empty()) continue;
    search::multiplier_objective<default_backend<double>> objective(on, system);
    auto const first = search::detail::flat_logarithms(start.multipliers);
    random_sequence const numbers(seed);
    // Along a random direction (logarithms), to where the multipliers cease to be feasible.
    std::vector<double> direction(first.size());
    for (std::size_t n = 0; n < direction.size(); ++n) direction[n] = numbers.normal(n);
    auto const at = [&](double t) {
      auto theta = first;
      for (std::size_t n = 0; n < theta.size(); ++n) theta[n] += t * direction[n];
      return theta;
    };
    double inside = 0;
    double outside = 20;
    if (is_finite(objective.value(at(outside)))) continue;
    for (int step = 0; step < 60; ++step) {
      double const middle = 0.5 * (inside + outside);
      (is_finite(objective.value(at(middle))) ? inside : outside) = middle;
    }
    ++tested;
    auto const beyond = search::detail::unflattened(at(outside + 1e-4), system);
    double const truth = test::largest_norm(system);
    for (double const squared : {1.0, 1e3, 1e9, 1e30, 1e100, 1e200}) {
      CHECK_FALSE(check::multipliers_prove(on, system, beyond, squared));
      // And a proof on this side of the border is one.
      auto const near = search::detail::unflattened(at(inside - 1e-4), system);
      if (check::multipliers_prove(on, system, near, squared)) CHECK(std::sqrt(squared) >= truth * (1 - 1e-12));
    }
  }
  CHECK(tested > 20);
}

TEST_CASE("group 18: random multipliers prove nothing, or something true") {
  int proved = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto const system = test::random_system({2, 3, 2, 2}, seed, seed % 2 == 0, {{0, 1}});
    double const truth = test::largest_norm(system);
    random_sequence const numbers(seed + 1000);
    std::uint64_t at = 0;
    check::slope_multipliers wild(system.blocks());
    for (std::size_t k = 1; k <= system.blocks(); ++k) {
      for (index_t n = 0; n < system.width(k); ++n) wild[k - 1].push_back(std::exp(4 * numbers.normal(at++)));
    }
    for (double const factor : {0.25, 0.999, 1.5, 10.0, 1e6}) {
      double const squared = factor * truth * truth;
      bool const claim = check::multipliers_prove(on, system, wild, squared);
      proved += claim ? 1 : 0;
      if (factor < 1) CHECK_FALSE(claim);
    }
  }
  CHECK(proved > 0);
}

TEST_CASE("group 19: a neuron that is active by less than one unit in the last place counts") {
  random_sequence const numbers(4);
  int below = 0;
  for (std::uint64_t k = 0; k < 300; ++k) {
    // Of 30 bits each: products have 60, sums of three 62, exact in long double and not in double.
    auto const drawn = [&](std::uint64_t which) {
      return std::floor(0x1p29 * (1 + numbers.uniform(10 * k + which))) * 0x1p-29;
    };
    std::vector<double> w(3);
    std::vector<double> corner(3);
    long double exact = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      w[i] = drawn(i);
      corner[i] = drawn(3 + i);
      exact += static_cast<long double>(w[i]) * static_cast<long double>(corner[i]);
    }
    double const rounded = static_cast<double>(exact);
    network net({3});
    node_id const z = net.add(rules::linear(weight::owning(matrix_of(1, 3, w))), {0});
    // The largest argument of relu on the box is exact - bias.
    bool const active = static_cast<long double>(rounded) < exact;
    net.add(relu(), {net.add(rules::add_constant({-rounded}), {z})});
    double const sum = w[0] + w[1] + w[2];
    auto const c = certify(net, {.norm = norm::linf, .domain = input_domain::box({0, 0, 0}, corner)});
    if (active) CHECK(c.upper() >= sum * (1 - 1e-15));
    below += active ? 1 : 0;
    CHECK(c.upper() <= sum * (1 + 1e-14));
    // One unit further it is dead or alive beyond doubt.
    for (bool const alive : {false, true}) {
      network moved({3});
      node_id const y = moved.add(rules::linear(weight::owning(matrix_of(1, 3, w))), {0});
      double const bias = alive ? rounded * (1 - 1e-13) : rounded * (1 + 1e-13);
      moved.add(relu(), {moved.add(rules::add_constant({-bias}), {y})});
      double const bound =
          certify(moved, {.norm = norm::linf, .domain = input_domain::box({0, 0, 0}, corner), .attack = false}).upper();
      CHECK((alive ? bound >= sum * (1 - 1e-15) : bound == 0));
    }
  }
  CHECK(below > 50);
  // Exactly at the kink, in every method.
  network kink({2});
  node_id const z = kink.add(rules::linear(weight::owning(matrix_of(2, 2, {1, 1, 1, -1}))), {0});
  kink.add(rules::linear(weight::owning(matrix_of(1, 2, {1, 1}))), {kink.add(relu(), {z})});
  for (double const radius : {0.0, 5e-324, 1e-300, 1.0}) {
    auto const c = certify(kink, {.domain = input_domain::ball(radius, {0, 0})});
    if (radius > 0) CHECK(c.upper() >= 2 * (1 - 1e-12));  // both active: slope (2, 0)
    CHECK_FALSE(is_nan(c.upper()));
  }
}
