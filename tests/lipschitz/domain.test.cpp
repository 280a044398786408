// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/inside.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/range_pass.hpp>
#include <sigmax/lipschitz/rules.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return w;
}

std::vector<double> normals(std::size_t count, std::uint64_t seed) {
  random_sequence const numbers(seed);
  std::vector<double> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = numbers.normal(i);
  return result;
}

/// A network with every kind of rule there is for ranges: products, biases, sums, moves, activations.
network tangle(std::uint64_t seed) {
  network net({3, 4});
  node_id const a = net.add(rules::linear(weight::owning(random_matrix(6, 4, seed))), {0});
  node_id const b = net.add(rules::add_constant(normals(6, seed + 1)), {a});
  node_id const c = net.add(gelu(), {b});
  node_id const d = net.add(rules::rearrange({3, 2, 3}), {c});
  node_id const e =
      net.add(rules::rearrange({2, 9}, {0, 1, 2, 6, 7, 8, 12, 13, 14, 3, 4, 5, 9, 10, 11, 15, 16, 17}), {d});
  node_id const f = net.add(rules::scale(normals(9, seed + 2)), {e});
  net.add(rules::weighted_sum({0.5, interval(-2.0)}), {f, e});
  return net;
}

}  // namespace

TEST_CASE("a domain says what is wrong with it") {
  CHECK_THROWS_AS(input_domain::ball(-1), domain_error);
  CHECK_THROWS_AS(input_domain::ball(std::numeric_limits<double>::quiet_NaN()), domain_error);
  CHECK_THROWS_AS(input_domain::ball(1, {0, infinity}), numeric_error);
  CHECK_THROWS_AS(input_domain::box({0, 2}, {1, 1}), domain_error);
  CHECK_THROWS_AS(input_domain::box({0}, {1, 1}), domain_error);
  CHECK_THROWS_AS(input_domain::box({}, {}), domain_error);
  CHECK_THROWS_AS(certify(network({3}), {.domain = input_domain::ball(1, {1, 2})}), domain_error);
  CHECK(certify(network({3}), {.domain = input_domain::ball(1, {1, 2, 3})}).upper() == 1);
}

TEST_CASE("values of points of the domain lie in every range, in all norms and for balls and boxes") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    network const net = tangle(10 * seed);
    auto const centre = normals(12, seed);
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      for (bool const ball : {true, false}) {
        std::vector<double> lower = centre;
        std::vector<double> upper = centre;
        for (double& x : lower) x -= 0.3;
        for (double& x : upper) x += 0.5;
        auto const domain = ball ? input_domain::ball(0.4, centre) : input_domain::box(lower, upper);
        // The bounds as certify hands them on: the certificate's rows name them by node.
        auto const c = certify(net, {.norm = n, .domain = domain, .attack = false});
        std::vector<char> const used(static_cast<std::size_t>(net.size()), 1);
        lipschitz::detail::range_pass ranges(net, used, domain, n);
        for (std::size_t i = 1; i < used.size(); ++i) {
          auto const& node = net.nodes()[i];
          std::vector<tensor_shape> shapes;
          for (node_id const from : node.inputs) shapes.push_back(net[from].shape);
          rule_context context;
          context.ranges = ranges.of_inputs(i);
          double const log10 = c.layers()[i - 1].log10_lipschitz;
          ranges.advance(i, shapes, context, extended(std::pow(10.0, log10) * (1 + 1e-9)));
        }
        attack::evaluation_plan const plan(net);
        attack::evaluation<double> at(plan);
        attack::inside const inside(domain, 12, row_norm::of(n, net.input_shape()));
        random_sequence const numbers(seed + 100);
        for (std::uint64_t sample = 0; sample < 40; ++sample) {
          for (std::size_t i = 0; i < 12; ++i) at.input()[i] = centre[i] + numbers.normal(12 * sample + i);
          inside.project(at.input());
          REQUIRE(inside.contains(at.input()));
          at.run();
          for (std::size_t i = 0; i < used.size(); ++i) {
            auto const value = at.value(i);
            auto const& range = ranges[i];
            REQUIRE(range.box.size() == value.size());
            std::size_t const width = row_norm::row_width(net.nodes()[i].shape);
            for (std::size_t k = 0; k < value.size(); ++k) {
              CHECK(value[k] >= range.box[k].lower - 1e-12);
              CHECK(value[k] <= range.box[k].upper + 1e-12);
            }
            for (std::size_t k = 0; k < value.size(); k += width) {
              double length = 0;
              double distance = 0;
              for (std::size_t j = k; j < k + width; ++j) {
                length += value[j] * value[j];
                distance += std::pow(value[j] - range.centre[j].middle(), 2);
              }
              CHECK(std::sqrt(length) <= range.longest_row * (1 + 1e-12));
              CHECK(std::sqrt(distance) <= range.row_distance * (1 + 1e-12));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("the attack stays in the domain, and its proven quotient below the bound there") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    network const net = tangle(10 * seed);
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const domain = input_domain::ball(0.05, normals(12, seed));
      auto const c = certify(net, {.norm = n, .domain = domain});
      REQUIRE(c.lower()->proven);
      CHECK(c.lower()->value > 0);
      CHECK(c.lower()->value <= c.upper());
      attack::inside const inside(domain, 12, row_norm::of(n, net.input_shape()));
      CHECK(inside.contains(c.lower()->x));
      CHECK(inside.contains(c.lower()->y));
      CHECK(c.upper() <= certify(net, {.norm = n, .attack = false}).upper());
    }
  }
}

TEST_CASE("rms: a product of rows alone is scaled by the widths, heads that part and meet by their number") {
  // W = 2 I: rows keep their width.
  matrix<double> w(4, 4);
  for (index_t i = 0; i < 4; ++i) w(i, i) = 2;
  auto const in_rms = [](network const& net) { return certify(net, {.norm = norm::rms, .attack = false}).upper(); };
  CHECK(in_rms(network_of(linear(w), {3, 4})) == doctest::Approx(2).epsilon(1e-6));
  matrix<double> wide(16, 4);
  for (index_t i = 0; i < 4; ++i) wide(i, i) = 2;
  CHECK(in_rms(network_of(linear(wide), {3, 4})) == doctest::Approx(1).epsilon(1e-6));
  network split({3, 8});
  split.add(rules::rearrange({3, 4, 2}), {0});
  CHECK(in_rms(split) == 2);
  network merged({3, 4, 2});
  merged.add(rules::rearrange({3, 8}), {0});
  CHECK(in_rms(merged) == 1);
  // Transposing makes a row of one element of each row.
  network transposed({2, 3});
  transposed.add(rules::rearrange({3, 2}, {0, 3, 1, 4, 2, 5}), {0});
  CHECK(in_rms(transposed) == doctest::Approx(std::sqrt(3.0)).epsilon(1e-12));
  // Tight: the attack finds it.
  auto const found = certify(transposed, {.norm = norm::rms});
  CHECK(found.lower()->value >= std::sqrt(3.0) * (1 - 1e-6));
}

TEST_CASE("a ball of radius 0 is one point, where every bound is 0 or more and never NaN") {
  network const net = tangle(3);
  auto const c = certify(net, {.domain = input_domain::ball(0, normals(12, 5))});
  CHECK(c.is_finite());
  CHECK(c.upper() >= 0);
  CHECK(c.lower()->value == 0);
}
