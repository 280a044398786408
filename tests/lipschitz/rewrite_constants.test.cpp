// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rewrite.hpp>
#include <sigmax/lipschitz/rules.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

/// x * g(c), c stored and repeated over x.
network scaled_by(std::vector<double> const& stored, int roots, bool repeated = true) {
  network net({2, 3});
  auto const count = static_cast<index_t>(stored.size());
  node_id c = net.add(rules::constant({count}, stored), {});
  for (int k = 0; k < roots; ++k) c = net.add(lipschitz::sqrt(), {c});
  std::vector<index_t> map;
  for (index_t i = 0; i < 6; ++i) map.push_back(i % count);
  if (repeated) c = net.add(rules::rearrange({2, 3}, std::move(map), "expand"), {c});
  net.add(rules::hadamard(), {0, c});
  return net;
}

bool has_product(network const& net) {
  for (auto const& node : net.nodes()) {
    if (node.rule.operator_name() == "product") return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a factor computed from constants is one, enclosed, and bounded on all inputs") {
  auto const net = scaled_by({64}, 3);
  REQUIRE(has_product(net));
  auto const one = rewritten(net);
  CHECK_FALSE(has_product(one));
  REQUIRE(one.size() == 2);
  auto const* const sum = one[1].rule.as<rules::weighted_sum>();
  REQUIRE(sum != nullptr);
  double const exact = std::sqrt(std::sqrt(8.0));
  CHECK(sum->coefficients()[0].lower <= exact);
  CHECK(sum->coefficients()[0].upper >= exact);
  CHECK(sum->coefficients()[0].width() < 1e-14);
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const c = certify(one, {.norm = n});
    CHECK(c.upper() >= exact * (1 - 1e-15));
    CHECK(c.upper() <= exact * (1 + 1e-14));
  }
}

TEST_CASE("factors that differ, depend on the input or have no value are left alone") {
  CHECK(has_product(rewritten(scaled_by({64, 65, 66}, 1))));
  CHECK_FALSE(has_product(rewritten(scaled_by({64, 64, 64}, 1))));
  CHECK(has_product(rewritten(scaled_by({-1}, 1))));  // the root of -1
  CHECK(has_product(rewritten(scaled_by({2}, 30))));  // further than is looked
  network gate({3});
  node_id const g = gate.add(sigmoid(), {0});
  gate.add(rules::hadamard(), {0, g});
  CHECK(has_product(rewritten(gate)));
}
