// SPDX-License-Identifier: MIT
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/falsify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

template <class T = double>
matrix<T> random_matrix(index_t rows, index_t cols, std::uint64_t seed, double scale = 1) {
  matrix<T> w(rows, cols);
  random_sequence const numbers(seed);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = T(scale * numbers.normal(static_cast<std::uint64_t>(i)));
  return w;
}

/// A small random graph: linear maps, biases, activations, scales, permutations and sums of equal shapes.
network random_network(std::uint64_t seed) {
  random_sequence const numbers(seed);
  std::uint64_t next = 0;
  auto const pick = [&](std::uint64_t count) { return numbers.bits(next++) % count; };
  auto const activations = rules::activation_table();
  network net({static_cast<index_t>(1 + pick(6))});
  auto const count = 2 + pick(8);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const from = static_cast<node_id>(pick(static_cast<std::uint64_t>(net.size())));
    index_t const width = net[from].shape.back();
    switch (pick(6)) {
      case 0:
      case 1:
        net.add(rules::linear(weight::owning(random_matrix(static_cast<index_t>(1 + pick(6)), width, seed + i)),
                              pick(3) == 0 ? -0.5 : 1.0),
                {from});
        break;
      case 2: {
        rules::activation rule(activations[pick(activations.size())]);
        net.add(is_finite(rule.constant()) ? rule : relu(), {from});
        break;
      }
      case 3:
        net.add(rules::add_constant(std::vector<double>(static_cast<std::size_t>(width), numbers.normal(next++))),
                {from});
        break;
      case 4:
        net.add(rules::scale({numbers.normal(next++)}), {from});
        break;
      default: {
        node_id other = from;
        for (node_id id = 0; id < net.size(); ++id) {
          if (net[id].shape == net[from].shape) other = id;
        }
        net.add(rules::weighted_sum({1.0, interval(1.0) - interval(0.3)}), {from, other});
      }
    }
  }
  return net;
}

}  // namespace

TEST_CASE("500 random networks: a proven lower bound never exceeds the upper one") {
  attack_options const quick{.points = 6, .iterations = 8, .seed = 3, .work = 1e6};
  int proven = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    auto const net = random_network(1000 * seed);
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
      auto const c = certify(net, {.norm = n, .attack_settings = quick});
      REQUIRE(c.lower());
      CHECK(c.lower()->value <= c.upper());
      CHECK(c.lower()->value <= c.lower()->estimate * (1 + 1e-3) + 1e-9);
      proven += c.lower()->value > 0 ? 1 : 0;
    }
  }
  CHECK(proven > 900);
}

TEST_CASE("single linear layers are found to within a tenth, in both norms") {
  struct extents {
    index_t rows;
    index_t cols;
  };
  for (auto const& size :
       {extents{1, 1}, extents{1, 9}, extents{9, 1}, extents{5, 8}, extents{40, 30}, extents{300, 20}}) {
    for (double const scale : {1.0, 1e-6, 1e6}) {
      CAPTURE(size.rows);
      CAPTURE(size.cols);
      auto const w = random_matrix<float>(size.rows, size.cols, 5, scale);
      for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
        auto const c = certify(linear(w), {.norm = n});
        CHECK(c.lower()->proven);
        CHECK(c.lower()->value <= c.upper());
        CHECK(c.lower()->value >= 0.9 * c.upper());
      }
    }
  }
}

TEST_CASE("the attack climbs to the steepest place of an activation") {
  matrix<double> one(1, 1);
  one(0, 0) = 1;
  for (auto const& f : {gelu(), gelu_tanh(), silu(), mish(), hard_swish(), selu()}) {
    auto const c = certify(sequential(linear(one), f, linear(one)));
    CHECK(c.lower()->value >= 0.99 * c.upper());
    CHECK(c.lower()->value <= c.upper());
  }
}

TEST_CASE("equal seeds give equal attacks, and the witness shows the value") {
  auto const w = random_matrix(6, 6, 1);
  auto const v = random_matrix(3, 6, 2);
  auto const net = network_of(sequential(linear(w), tanh(), linear(v)));
  auto const a = falsify(net, norm::l2);
  auto const b = falsify(net, norm::l2);
  CHECK(a.value == b.value);
  CHECK(a.x == b.x);
  CHECK(a.proven);
  REQUIRE(a.x.size() == 6);
  attack::evaluation_plan const plan(net);
  attack::evaluation<double> at_x(plan);
  attack::evaluation<double> at_y(plan);
  double far = 0;
  double near = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    at_x.input()[i] = a.x[i];
    at_y.input()[i] = a.y[i];
    near += (a.x[i] - a.y[i]) * (a.x[i] - a.y[i]);
  }
  auto const fx = at_x.run();
  auto const fy = at_y.run();
  for (std::size_t i = 0; i < fx.size(); ++i) far += (fx[i] - fy[i]) * (fx[i] - fy[i]);
  CHECK(std::sqrt(far / near) == doctest::Approx(a.value).epsilon(1e-6));
}

TEST_CASE("networks that cannot be evaluated give no lower bound") {
  auto const opaque = network_of(bounded(trust<norm::spectral>(1, "reason")), {4});
  auto const nothing = falsify(opaque, norm::l2);
  CHECK_FALSE(nothing.proven);
  CHECK(nothing.value == 0);
  CHECK(nothing.estimate == 0);
  CHECK(falsify(network({0}), norm::l2).value == 0);
  CHECK(falsify(network_of(lipschitz::log(), {3}), norm::linf).value >= 0);
}

TEST_CASE("the default attack of a 784-256-256-10 network is fast") {
  auto const w1 = random_matrix<float>(256, 784, 1, 1.0 / 28);
  auto const w2 = random_matrix<float>(256, 256, 2, 1.0 / 16);
  auto const w3 = random_matrix<float>(10, 256, 3, 1.0 / 16);
  auto const net = network_of(sequential(linear(w1), relu(), linear(w2), gelu(), linear(w3)));
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf)}) {
    auto const start = std::chrono::steady_clock::now();
    auto const found = falsify(net, n);
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
    CHECK(found.proven);
    CHECK(found.value > 0.5);
    MESSAGE(std::string(n.name()) << ": lower bound " << found.value << " in " << seconds.count() << " s");
  }
}
