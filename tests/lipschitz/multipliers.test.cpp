// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/check/absolute_product.hpp>
#include <sigmax/lipschitz/check/dynamic_program.hpp>
#include <sigmax/lipschitz/check/fold.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/proven_multipliers.hpp>
#include <sigmax/lipschitz/search/propose_multipliers.hpp>

#include "lipschitz/slope_systems.hpp"
#include "support/singular_values.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

default_backend<double> const on{};
interval const relu_slopes(0, 1);

/// relu(x) - relu(x - 2), whose slope is 1 on (0, 2): W_1 = [1; 1], W_2 = [1, -1].
check::slope_system two_kinks() {
  check::slope_system system(1);
  std::vector<std::optional<check::dense_map>> first(1);
  first[0] = test::exact_map(2, 1, {1, 1});
  system.add_block(std::move(first), {relu_slopes, relu_slopes});
  std::vector<std::optional<check::dense_map>> last(2);
  last[1] = test::exact_map(1, 2, {1, -1});
  system.set_output(std::move(last), 1);
  return system;
}

double relative(double bound, double truth) { return bound / truth; }

}  // namespace

TEST_CASE("multipliers of one neuron prove its slope and nothing less") {
  check::slope_system system(1);
  std::vector<std::optional<check::dense_map>> first(1);
  first[0] = test::exact_map(1, 1, {3});
  system.add_block(std::move(first), {relu_slopes});
  std::vector<std::optional<check::dense_map>> last(2);
  last[1] = test::exact_map(1, 1, {2});
  system.set_output(std::move(last), 1);
  // x = 6 |slope <= 1|: F >= 36, attained at lambda = 2 * 4.
  CHECK(check::multipliers_prove(on, system, {{8.0}}, 36 * (1 + 1e-9)));
  CHECK_FALSE(check::multipliers_prove(on, system, {{8.0}}, 36 * (1 - 1e-9)));
  CHECK_FALSE(check::multipliers_prove(on, system, {{4.0}}, 1e6));  // infeasible: lambda <= ||W_2||^2
  CHECK_FALSE(check::multipliers_prove(on, system, {{3.0}}, 1e6));
}

TEST_CASE("group 18: what are no multipliers proves nothing") {
  auto const system = two_kinks();
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (double const bad : {0.0, -1.0, nan, infinity, 1e-300, 1e300}) {
    CHECK_FALSE(check::multipliers_prove(on, system, {{4.0, bad}}, 100.0));
    CHECK_FALSE(check::multipliers_prove(on, system, {{4.0, 4.0}}, bad));
  }
  CHECK_FALSE(check::multipliers_prove(on, system, {}, 100.0));
  CHECK_FALSE(check::multipliers_prove(on, system, {{4.0}}, 100.0));
  CHECK_FALSE(check::multipliers_prove(on, system, {{4.0, 4.0}, {4.0}}, 100.0));
  CHECK(check::multipliers_prove(on, system, {{4.0, 4.0}}, 100.0));
}

TEST_CASE("group 18: neurons of one layer are not coupled: relu(x) - relu(x - 2) keeps its slope of 1") {
  auto const system = two_kinks();
  auto const start = search::closed_form(on, system);
  auto const found = search::best_multipliers(on, system, start, 1e9);
  double const bound = check::multiplier_bound_near(on, system, found.multipliers, found.squared_bound).bound.value();
  CHECK(bound >= 1);
  CHECK(bound <= 2);
  // No multipliers at all prove less.
  random_sequence const numbers(7);
  for (std::uint64_t k = 0; k < 2000; ++k) {
    double const a = std::exp(8 * numbers.normal(2 * k));
    double const b = std::exp(8 * numbers.normal(2 * k + 1));
    CHECK_FALSE(check::multipliers_prove(on, system, {{a, b}}, 0.999));
  }
}

TEST_CASE("group 28: no method proves less than the largest norm of all patterns of slopes") {
  std::vector<std::vector<interval>> const kinds{
      {{0, 1}}, {{-1, 1}}, {{-0.125, 1.125}}, {{0.25, 1}}, {{0, 1}, {1, 1}, {0, 0}, {0.5, 0.5}, {-0.5, 0.25}}};
  std::vector<int> histogram(8, 0);
  int unsound = 0;
  int infinite = 0;
  int cases = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    random_sequence const numbers(seed);
    auto const pick = [&](std::uint64_t k, std::uint64_t most) {
      return 1 + static_cast<index_t>(numbers.bits(k) % most);
    };
    std::vector<index_t> widths{pick(0, 4)};
    auto const blocks = pick(1, 3);
    for (index_t k = 0; k < blocks; ++k) widths.push_back(pick(2 + static_cast<std::uint64_t>(k), blocks == 3 ? 2 : 3));
    widths.push_back(pick(9, 3));
    auto const system = test::random_system(widths, seed, seed % 3 == 0, kinds[seed % kinds.size()]);
    double const truth = test::largest_norm(system);
    double const slack = 1 - 1e-13;  // of the reference, which is computed in double
    auto const small = check::folded(on, system);
    auto const start = search::closed_form(on, small);
    auto const found = search::best_multipliers(on, small, start, 2e6);
    double const multipliers =
        small.blocks() == 0
            ? infinity
            : check::multiplier_bound_near(on, small, found.multipliers, found.squared_bound).bound.value();
    double const program = check::dynamic_program_bound<norm::l2_t>(on, system).value();
    double const folded = check::dynamic_program_bound<norm::l2_t>(on, small).value();
    double const absolute = check::absolute_product_bound<norm::l2_t>(system).value();
    for (double const bound : {multipliers, program, folded, absolute}) unsound += !(bound >= truth * slack);
    double const in_linf = test::largest_norm(system, true);
    unsound += !(check::dynamic_program_bound<norm::linf_t>(on, small).value() >= in_linf * slack);
    unsound += !(check::absolute_product_bound<norm::linf_t>(small).value() >= in_linf * slack);
    if (truth < 1e-6 || small.blocks() == 0) continue;
    ++cases;
    if (!is_finite(multipliers)) {
      ++infinite;
      continue;
    }
    double const ratio = relative(multipliers, truth);
    ++histogram[std::min<std::size_t>(7, static_cast<std::size_t>((ratio - 1) / 0.05))];
  }
  CHECK(unsound == 0);
  CHECK(infinite <= cases / 100);
  std::string text;
  for (int const count : histogram) text += " " + std::to_string(count);
  MESSAGE("bound / largest norm by steps of 0.05 from 1:", text, ", nothing proved: ", infinite);
  CHECK(histogram[0] > cases / 2);
}

TEST_CASE("group 18: multipliers of anybody prove only what is true") {
  int proved = 0;
  int unsound = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    auto const system = test::random_system({2, 2, 2, 2}, seed, seed % 2 == 0, {relu_slopes, {-0.5, 1}});
    double const truth = test::largest_norm(system);
    auto const start = search::closed_form(on, system);
    if (start.multipliers.empty()) continue;
    random_sequence const numbers(seed + 5000);
    for (std::uint64_t k = 0; k < 5; ++k) {
      auto wild = start.multipliers;
      std::uint64_t at = 0;
      for (auto& block : wild) {
        for (double& m : block) m *= std::exp(static_cast<double>(k) * 0.3 * numbers.normal(10 * k + at++));
      }
      for (double const factor : {0.5, 0.99, 1.0, 1.5, 4.0}) {
        double const squared = factor * start.squared_bound;
        bool const claim = check::multipliers_prove(on, system, wild, squared);
        proved += claim;
        unsound += claim && !(std::sqrt(squared) >= truth * (1 - 1e-13));
      }
    }
  }
  CHECK(unsound == 0);
  CHECK(proved > 500);
}

TEST_CASE("group 17: the residual x - 2 W^T relu(W x) / ||W||^2 is proved to be nearly 1-Lipschitz") {
  // Meunier et al. (2022): its true constant is 1, the sum of the norms is 3.
  auto const w = test::random_map(6, 4, 3);
  double const norm = oracle::largest_singular_value(test::dense(w.elements));
  check::slope_system system(4);
  std::vector<std::optional<check::dense_map>> first(1);
  first[0] = w;
  system.add_block(std::move(first), std::vector<interval>(6, relu_slopes));
  check::dense_map back{matrix<double>(4, 6)};
  check::dense_map identity{matrix<double>(4, 4)};
  for (index_t i = 0; i < 4; ++i) {
    identity.elements(i, i) = 1;
    for (index_t j = 0; j < 6; ++j) back.elements(i, j) = -2 * w.elements(j, i) / (norm * norm);
  }
  std::vector<std::optional<check::dense_map>> last(2);
  last[0] = identity;
  last[1] = back;
  system.set_output(std::move(last), 4);
  auto const found = search::best_multipliers(on, system, search::closed_form(on, system), 1e9);
  double const bound = check::multiplier_bound_near(on, system, found.multipliers, found.squared_bound).bound.value();
  CHECK(bound >= 1 - 1e-12);
  CHECK(bound <= 1 + 1e-4);
  CHECK(check::dynamic_program_bound<norm::l2_t>(on, system).value() <= 2 + 1e-6);
}

TEST_CASE("a map that is known up to an error is bounded with it") {
  for (double const error : {0.0, 0.01, 0.1}) {
    check::slope_system wide(1);
    std::vector<std::optional<check::dense_map>> first(1);
    first[0] = test::exact_map(2, 1, {1, 1});
    first[0]->error = first[0]->row_error = error;
    wide.add_block(std::move(first), {relu_slopes, relu_slopes});
    std::vector<std::optional<check::dense_map>> last(2);
    last[1] = test::exact_map(1, 2, {1, -1});
    wide.set_output(std::move(last), 1);
    // The map may be (1 + error, 1).
    double const truth = 1 + error;
    CHECK(check::dynamic_program_bound<norm::l2_t>(on, wide).value() >= truth);
    CHECK(check::dynamic_program_bound<norm::linf_t>(on, wide).value() >= truth);
    CHECK(check::absolute_product_bound<norm::l2_t>(wide).value() >= truth);
    CHECK_FALSE(check::multipliers_prove(on, wide, {{2.0, 2.0}}, truth * truth * (1 - 1e-9)));
  }
}
