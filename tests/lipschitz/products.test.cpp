// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/rewrite.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "rule_oracle.hpp"

using namespace sigmax::test;
using extreme = rules::extremum::operation;

namespace {

/// W x of a given width, W random.
rules::linear random_linear(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return rules::linear(weight::owning(std::move(w)));
}

/// a(x) * b(x) with two linear maps and one activation.
network gated(any_rule const& gate) {
  network net({2, 3});
  node_id const a = net.add(random_linear(4, 3, 1), {0});
  node_id const b = net.add(random_linear(4, 3, 2), {0});
  node_id const g = net.add(gate, {a});
  net.add(rules::hadamard(), {g, b});
  return net;
}

}  // namespace

TEST_CASE("products and extremes: intervals and gradients agree with the rules") {
  for (rule_case const& c :
       {rule_case{rules::hadamard(), {{2, 3}, {2, 3}}}, rule_case{rules::extremum(extreme::maximum), {{5}, {5}}},
        rule_case{rules::extremum(extreme::minimum, 3), {{4}, {4}, {4}}}}) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_evaluation(c);
  }
}

TEST_CASE(
    "extremes: sampled pairs never exceed the sum, the root of squares or the maximum they are said to add up to") {
  for (auto const how : {extreme::maximum, extreme::minimum}) {
    rule_case const c{rules::extremum(how, 3), {{4, 2}, {4, 2}, {4, 2}}};
    check_pairs<norm::l2_t>(c);
    check_pairs<norm::linf_t>(c);
    check_pairs<norm::rms_t>(c);
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      std::vector<std::vector<double>> x;
      std::vector<std::vector<double>> y;
      double squares = 0;
      double largest = 0;
      for (std::uint64_t k = 0; k < 3; ++k) {
        x.push_back(normals(8, 10 * seed + k));
        y.push_back(normals(8, 10 * seed + k + 5));
        squares += std::pow(distance(x[k], y[k], row_norm::of(norm::l2, {4, 2})), 2);
        largest = std::max(largest, distance(x[k], y[k], row_norm::of(norm::linf, {4, 2})));
      }
      CHECK(distance(value_of(c, x), value_of(c, y), row_norm::of(norm::l2, {4, 2})) <=
            std::sqrt(squares) * (1 + 1e-12));
      CHECK(distance(value_of(c, x), value_of(c, y), row_norm::of(norm::linf, {4, 2})) <= largest * (1 + 1e-12));
    }
  }
  network net({3});
  node_id const n = net.add(neg(), {0});
  net.add(rules::extremum(extreme::maximum), {0, n});
  CHECK(certify(net, {.norm = norm::linf}).upper() == 1);  // |x|
  CHECK(certify(net, {.norm = norm::l2}).upper() <= std::sqrt(2.0) * (1 + 1e-14));
}

TEST_CASE("gated units are bounded on balls and boxes in all norms, and refused without a domain") {
  for (any_rule const& gate : {any_rule(sigmoid()), any_rule(gelu()), any_rule(rules::identity())}) {
    auto const net = gated(gate);
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      for (bool const ball : {true, false}) {
        for (double const radius : {0.05, 1.0}) check_local(net, n, random_domain(6, 5, ball, radius, 0.0), 5);
      }
      auto const everywhere = certify(net, {.norm = n, .attack = false});
      CHECK(everywhere.upper() == infinity);
      REQUIRE(everywhere.refused().size() == 1);
      CHECK(everywhere.refused()[0].reason.find("bounded domain") != std::string::npos);
    }
  }
}

TEST_CASE("a product of a bounded factor with itself needs no domain") {
  network net({2, 4});
  node_id const p = net.add(rules::softmax(), {0});
  net.add(rules::hadamard(), {p, p});
  CHECK(certify(net).upper() <= 1.0 + 1e-12);  // 2 max p times 1/2
}

TEST_CASE("a product at a point is what the product rule says") {
  network net({2});
  node_id const a = net.add(rules::scale({2.0}), {0});
  node_id const b = net.add(rules::add_constant({1.0, -5.0}), {0});
  net.add(rules::hadamard(), {a, b});
  // (2 x) (x + c) at 1: derivatives 2 (x + c) + 2 x = 6 and -6; bound 2 |x + c| + |2 x| = 10.
  double const local = certify(net, {.norm = norm::linf, .domain = input_domain::ball(1e-9, {1, 1})}).upper();
  CHECK(local >= 6);
  CHECK(local == doctest::Approx(10).epsilon(1e-6));
}

TEST_CASE("group 12: where smooth activations are nearly linear their local bound is the slope there") {
  // x -> phi(a (x - at)) has the slope a phi'(0 + ...); the point is moved to the steepest one.
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
    std::string const name = rule.operator_name();
    CAPTURE(name);
    network net({1});
    net.add(rule, {net.add(rules::add_constant({at}), {net.add(rules::scale({0.25}), {0})})});
    double const local = certify(net, {.domain = input_domain::ball(1e-4)}).upper();
    CHECK(local >= 0.25 * slope * (1 - 1e-6));
    CHECK(local <= 0.25 * slope * (1 + 1e-6));
  }
}

TEST_CASE("group 19: a ball that touches a kink by one unit in the last place counts both slopes") {
  double const touch = 1.0;
  auto const bound_at = [](double centre, double radius) {
    return certify(
               network_of_rule(leaky_relu(0.5), {1}),
               {.norm = norm::linf, .domain = input_domain::box({centre - radius}, {centre + radius}), .attack = false})
        .upper();
  };
  CHECK(bound_at(-1.0, touch) == 0.5);
  CHECK(bound_at(-1.0, std::nextafter(touch, 2.0)) == 1);
  CHECK(bound_at(0.0, 0.0) <= 1);
  CHECK(bound_at(0.0, 5e-324) == 1);
  CHECK(certify(network_of_rule(relu(), {1}), {.domain = input_domain::ball(0.0, {-1.0}), .attack = false}).upper() ==
        0);
}

TEST_CASE("rewriting keeps networks it has nothing to say about, and their names") {
  auto const net = gated(sigmoid());
  auto const same = rewritten(net);
  CHECK(same.size() == net.size());
  network named({2, 3}, "pixels");
  node_id const a = named.add(rules::scale({2.0}), {0}, "first");
  named.add(relu(), {a}, "second");
  auto const kept = rewritten(named);
  CHECK(kept.nodes()[0].name == "pixels");
  CHECK(kept.nodes()[2].name == "second");
}

TEST_CASE("gain and bias move into a normalisation, and only where they belong there") {
  network net({2, 3}, "x");
  node_id const n = net.add(rules::normalization({.divisor = {.epsilon = 0.5}}), {0}, "norm");
  node_id const g = net.add(rules::scale({1, 2, 3}), {n}, "gain");
  net.add(rules::add_constant({4, 5, 6}), {g}, "bias");
  auto const one = rewritten(net);
  REQUIRE(one.size() == 2);
  CHECK(one.nodes()[1].name == "bias");
  auto const* const rule = one.nodes()[1].rule.as<rules::normalization>();
  REQUIRE(rule != nullptr);
  CHECK(rule->options().gain == std::vector<double>{1, 2, 3});
  CHECK(rule->options().bias == std::vector<double>{4, 5, 6});
  // A gain behind a bias is another function.
  network late({2, 3});
  node_id const m = late.add(rules::normalization({.divisor = {.epsilon = 0.5}}), {0});
  node_id const b = late.add(rules::add_constant({4, 5, 6}), {m});
  late.add(rules::scale({1, 2, 3}), {b});
  CHECK(rewritten(late).size() == 3);
  network divided({2, 3});
  divided.add(rules::scale({1, 2, 4}, rules::scale::operation::divide),
              {divided.add(rules::normalization({.divisor = {.epsilon = 0.5}}), {0})});
  CHECK(rewritten(divided).size() == 3);
}
