// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

/// c x (1 + erf(x / root)), the factor before or behind the product, the 1 + erf on either side.
network erf_form(double root, double added, bool factor_first, bool swapped) {
  network net({7});
  node_id inner = net.add(rules::scale({root}, rules::scale::operation::divide), {0});
  inner = net.add(rules::named_activation("erf"), {inner});
  inner = net.add(rules::add_constant({added}), {inner});
  node_id x = 0;
  if (factor_first) x = net.add(rules::scale({0.5}), {x});
  node_id const y =
      net.add(rules::hadamard(), swapped ? std::vector<node_id>{inner, x} : std::vector<node_id>{x, inner});
  if (!factor_first) net.add(rules::scale({0.5}), {y});
  return net;
}

network tanh_form(double slope, double cubic, bool by_power) {
  network net({7});
  node_id cube = 0;
  if (by_power) {
    cube = net.add(rules::named_activation("pow", {{"exponent", 3.0}}), {0});
  } else {
    cube = net.add(rules::hadamard(), {net.add(square(), {0}), 0});
  }
  node_id inner = net.add(rules::weighted_sum({1.0, 1.0}), {0, net.add(rules::scale({cubic}), {cube})});
  inner = net.add(tanh(), {net.add(rules::scale({slope}), {inner})});
  inner = net.add(rules::add_constant({1.0}), {inner});
  net.add(rules::hadamard(), {net.add(rules::scale({0.5}), {0}), inner});
  return net;
}

bool holds(network const& net, std::string const& name) {
  return std::any_of(net.nodes().begin(), net.nodes().end(),
                     [&](auto const& node) { return node.rule.operator_name() == name; });
}

void check_same_values(network const& a, network const& b) {
  attack::evaluation_plan const plan_a(a);
  attack::evaluation_plan const plan_b(b);
  attack::evaluation<double> in_a(plan_a);
  attack::evaluation<double> in_b(plan_b);
  std::vector<double> const x{-30, -1.4185, -0.3, 0, 1e-9, 1.4142, 8};
  std::copy(x.begin(), x.end(), in_a.input().begin());
  std::copy(x.begin(), x.end(), in_b.input().begin());
  auto const y = in_a.run();
  auto const z = in_b.run();
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::fabs(y[i] - z[i]) <= 1e-14 * (1 + std::fabs(y[i])));
}

}  // namespace

TEST_CASE("GELU by erf is recognised with its stored constants, and has the constant of its own function") {
  for (double const root : {double{1.41421354f}, std::sqrt(2.0), 1.5}) {
    for (int spelling = 0; spelling < 4; ++spelling) {
      network const net = erf_form(root, 1.0, spelling % 2 == 0, spelling >= 2);
      network const better = rewritten(net);
      CHECK(holds(better, "gelu"));
      CHECK_FALSE(holds(better, "product"));
      check_same_values(net, better);
      // The slope of x / 2 (1 + erf(x / r)) is that of gelu at another point, for every r.
      double const upper = certify(better).upper();
      CHECK(upper >= 1.128904145185154);
      CHECK(upper <= 1.1289041451853);
    }
  }
  network const other = rewritten(erf_form(std::sqrt(2.0), 1.0000001, true, false));
  CHECK_FALSE(holds(other, "gelu"));
  CHECK_FALSE(certify(other, {.attack = false}).is_finite());
}

TEST_CASE("GELU by tanh is recognised with its stored constants") {
  for (bool const by_power : {false, true}) {
    network const net = tanh_form(double{0.797884583f}, double{0.044715f}, by_power);
    network const better = rewritten(net);
    CHECK(holds(better, "gelu_cubic"));
    check_same_values(net, better);
    double const upper = certify(better).upper();  // attacked as well
    CHECK(upper >= 1.12899306);
    CHECK(upper <= 1.1289932);
    // On a box where the slope is small, so is the bound.
    auto const local = certify(
        better,
        {.norm = norm::linf, .domain = input_domain::box(std::vector<double>(7, -6.0), std::vector<double>(7, -5.0))});
    CHECK(local.upper() <= 1e-3);
  }
  CHECK_FALSE(holds(rewritten(tanh_form(0.8, 0.06, true)), "gelu_cubic"));
  CHECK_FALSE(certify(rewritten(tanh_form(0.8, 0.06, true)), {.attack = false}).is_finite());
  // Numbers nearby: the constant covers the largest slope on a fine grid.
  for (double const cubic : {0.0440, 0.0447, 0.0449}) {
    rules::activation const rule = rules::named_activation("gelu_cubic", {{"slope", 0.7978845608}, {"cubic", cubic}});
    double largest = 0;
    for (double x = -6; x < 6; x += 1e-3) {
      std::vector<dual> const at{dual(x, 1.0)};
      std::vector<dual> y(1);
      std::vector<std::span<dual const>> const inputs{at};
      std::vector<tensor_shape> const shapes{{1}};
      rule.evaluate<dual>(inputs, shapes, y);
      largest = std::max(largest, std::fabs(y[0].derivative));
      CHECK(rule.slopes(0, interval(x - 0.01, x + 0.01)).contains(y[0].derivative));
    }
    CHECK(largest <= rule.constant());
    CHECK(rule.constant() <= largest + 14 * std::fabs(cubic - 0.044715) + 1e-6);
  }
}
