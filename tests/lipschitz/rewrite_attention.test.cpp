// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/softmax.hpp>

#include "attention_oracle.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

bool holds(network const& net, std::string const& operator_name) {
  for (auto const& node : net.nodes()) {
    if (node.rule.operator_name() == operator_name) return true;
  }
  return false;
}

/// Adds nodes as an exporter writes them.
struct exporter {
  explicit exporter(tensor_shape shape, std::uint64_t seed) : net(std::move(shape)), random(seed) {}

  node_id linear(node_id x, index_t out, bool bias = true) {
    index_t const in = net[x].shape.back();
    node_id y =
        net.add(rules::linear(weight::owning(random.matrix(out, in, 1 / std::sqrt(static_cast<double>(in))))), {x});
    return bias ? net.add(rules::add_constant(random.normals(static_cast<std::size_t>(out), 0.3)), {y}) : y;
  }
  node_id reshape(node_id x, tensor_shape to) { return net.add(rules::rearrange(std::move(to)), {x}); }
  node_id transpose(node_id x, std::vector<std::size_t> const& order) {
    tensor_shape const& from = net[x].shape;
    std::vector<index_t> strides(from.size(), 1);
    for (std::size_t axis = from.size() - 1; axis-- > 0;) strides[axis] = strides[axis + 1] * from[axis + 1];
    tensor_shape to;
    for (std::size_t const axis : order) to.push_back(from[axis]);
    std::vector<index_t> map(static_cast<std::size_t>(element_count(to)));
    for (std::size_t i = 0; i < map.size(); ++i) {
      auto rest = static_cast<index_t>(i);
      for (std::size_t axis = to.size(); axis-- > 0;) {
        map[i] += rest % to[axis] * strides[order[axis]];
        rest /= to[axis];
      }
    }
    return net.add(rules::rearrange(to, std::move(map), "transpose"), {x});
  }
  /// Elements first, first + step, ... of the last axis.
  node_id slice(node_id x, index_t first, index_t count) {
    tensor_shape to = net[x].shape;
    index_t const width = to.back();
    to.back() = count;
    std::vector<index_t> map;
    for (index_t row = 0; row < element_count(net[x].shape) / width; ++row) {
      for (index_t f = 0; f < count; ++f) map.push_back(row * width + first + f);
    }
    return net.add(rules::rearrange(to, std::move(map), "slice"), {x});
  }

  network net;
  test::numbers random;
};

enum class spelling { separate, fused, scaled_inputs, flat_batches };

/// Multi-head attention over (1, n, d) in different spellings.
network exported(spelling how, rules::attention_mask const* mask, std::uint64_t seed, index_t axis = -1,
                 bool mask_in_front = false) {
  index_t const n = 4;
  index_t const d = 6;
  index_t const heads = 2;
  index_t const width = 3;
  exporter e({1, n, d}, seed);
  node_id q = 0;
  node_id k = 0;
  node_id v = 0;
  if (how == spelling::fused) {
    node_id const all = e.linear(0, 3 * heads * width);
    q = e.slice(all, 0, heads * width);
    k = e.slice(all, heads * width, heads * width);
    v = e.slice(all, 2 * heads * width, heads * width);
  } else {
    q = e.linear(0, heads * width);
    k = e.linear(0, heads * width, how != spelling::separate);
    v = e.linear(0, heads * width);
  }
  q = e.transpose(e.reshape(q, {1, n, heads, width}), {0, 2, 1, 3});
  k = e.transpose(e.reshape(k, {1, n, heads, width}), {0, 2, 3, 1});
  v = e.transpose(e.reshape(v, {1, n, heads, width}), {0, 2, 1, 3});
  if (how == spelling::scaled_inputs) {
    q = e.net.add(rules::scale({0.75}), {q});
    k = e.net.add(rules::scale({0.75}), {k});
  }
  if (how == spelling::flat_batches) {
    q = e.reshape(q, {heads, n, width});
    k = e.reshape(k, {heads, width, n});
    v = e.reshape(v, {heads, n, width});
  }
  node_id s = e.net.add(rules::matrix_product(), {q, k});
  if (mask_in_front && mask != nullptr) s = e.net.add(rules::masked(*mask), {s});
  if (how != spelling::scaled_inputs) {
    s = e.net.add(rules::scale({std::sqrt(3.0)}, rules::scale::operation::divide), {s});
  }
  if (how == spelling::flat_batches) s = e.reshape(s, {1, heads, n, n});
  if (!mask_in_front && mask != nullptr) s = e.net.add(rules::masked(*mask), {s});
  s = e.net.add(rules::softmax({axis, axis}), {s});
  if (how == spelling::flat_batches) s = e.reshape(s, {heads, n, n});
  node_id y = e.net.add(rules::matrix_product(), {s, v});
  if (how == spelling::flat_batches) y = e.reshape(y, {1, heads, n, width});
  y = e.reshape(e.transpose(y, {0, 2, 1, 3}), {1, n, heads * width});
  e.linear(y, d);
  return e.net;
}

std::vector<double> values(network const& net, std::vector<double> const& x) {
  attack::evaluation_plan const plan(net);
  attack::evaluation<double> run(plan);
  std::copy(x.begin(), x.end(), run.input().begin());
  auto const y = run.run();
  return {y.begin(), y.end()};
}

double difference(network const& a, network const& b, std::vector<double> const& x) {
  auto const y = values(a, x);
  auto const z = values(b, x);
  REQUIRE(y.size() == z.size());
  double largest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) largest = std::max(largest, std::fabs(y[i] - z[i]));
  return largest;
}

rules::attention_mask causal(double hidden) {
  std::vector<double> addends(16, 0.0);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = i + 1; j < 4; ++j) addends[i * 4 + j] = hidden;
  }
  return rules::attention_mask(std::move(addends));
}

}  // namespace

TEST_CASE("self-attention is recognised in the spellings of exporters, computes the same and is bounded on domains") {
  rules::attention_mask const hidden = causal(-infinity);
  rules::attention_mask const unlikely = causal(-1e9);
  test::numbers random(3);
  std::uint64_t seed = 100;
  for (spelling const how : {spelling::separate, spelling::fused, spelling::scaled_inputs, spelling::flat_batches}) {
    for (rules::attention_mask const* mask : {static_cast<rules::attention_mask const*>(nullptr), &hidden, &unlikely}) {
      network const net = exported(how, mask, seed++);
      network const better = rewritten(net);
      CAPTURE(static_cast<int>(how));
      CHECK(holds(better, "self_attention"));
      CHECK_FALSE(holds(better, "matrix_product"));
      CHECK_FALSE(holds(better, "softmax"));
      for (int trial = 0; trial < 5; ++trial) CHECK(difference(net, better, random.normals(24, 2.0)) <= 1e-12);
      for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
        auto const bound = certify(better, {.norm = which, .domain = input_domain::ball(0.5)});
        CHECK(bound.is_finite());
        if (mask != &hidden) {
          auto const by_parts = certify(net, {.norm = which, .domain = input_domain::ball(0.5), .attack = false});
          CHECK(bound.upper() <= by_parts.upper());
        }
      }
      auto const everywhere = certify(better, {.attack = false});
      CHECK_FALSE(everywhere.is_finite());
      REQUIRE(everywhere.refused().size() == 1);
      CHECK(
          everywhere.refused()[0].reason ==
          "dot-product attention is not Lipschitz on all inputs; give a bounded domain (--radius, --box) or normalise "
          "before it");
    }
  }
}

TEST_CASE("what only looks like attention is left as it is, and its bounds hold") {
  rules::attention_mask const unlikely = causal(-3.0);
  test::numbers random(4);
  for (int which = 0; which < 2; ++which) {
    // Softmax over queries in place of keys; a mask that the factor scales as well.
    network const net = exported(spelling::separate, &unlikely, 7, which == 0 ? 2 : -1, which == 1);
    network const same = rewritten(net);
    CHECK(holds(same, "softmax"));
    CHECK_FALSE(holds(same, "attention"));
    CHECK_FALSE(holds(same, "self_attention"));
    CHECK(difference(net, same, random.normals(24)) == 0);
    for (norm::any const norm : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const bound = certify(same, {.norm = norm, .domain = input_domain::ball(0.4)});  // attacked as well
      CHECK(bound.is_finite());
      auto x = random.normals(24);
      test::put_in_ball(x, row_norm::of(norm, same.input_shape()), 0.4);
      auto const slope = test::jacobian_norm(test::dense_jacobian(net, x), norm, row_norm::of(norm, {1, 4, 6}),
                                             row_norm::of(norm, {1, 4, 6}));
      CHECK(slope <= bound.upper() * (1 + 1e-9));
    }
  }
  // A mask of -inf without a softmax is no function of real numbers.
  network bare({4, 4});
  bare.add(rules::masked(causal(-infinity)), {0});
  CHECK_FALSE(certify(bare, {.attack = false}).is_finite());
  // A row that sees no key: not attention, and refused where it stands.
  rules::attention_mask const blind(std::vector<double>(16, -infinity));
  network const refused = rewritten(exported(spelling::separate, &blind, 8));
  CHECK(holds(refused, "mask"));
  CHECK_FALSE(certify(refused, {.domain = input_domain::ball(0.4), .attack = false}).is_finite());
}

TEST_CASE("queries, keys and values that are no affine maps of one value leave the core attention") {
  // Cross-attention: queries of x, keys and values of a function of x.
  exporter e({5, 4}, 11);
  node_id const other = e.net.add(relu(), {e.linear(0, 4)});
  node_id const q = e.linear(0, 4);
  node_id const k = e.transpose(e.linear(other, 4), {1, 0});
  node_id const v = e.linear(other, 3);
  node_id s = e.net.add(rules::matrix_product(), {q, k});
  s = e.net.add(rules::softmax(), {s});
  e.net.add(rules::matrix_product(), {s, v});
  network const better = rewritten(e.net);
  CHECK(holds(better, "attention"));
  CHECK_FALSE(holds(better, "self_attention"));
  CHECK(difference(e.net, better, e.random.normals(20)) <= 1e-12);
  auto const bound = certify(better, {.domain = input_domain::ball(1.0)});
  CHECK(bound.is_finite());
  CHECK(bound.upper() <= certify(e.net, {.domain = input_domain::ball(1.0), .attack = false}).upper());

  // One head without any transpose.
  exporter single({5, 4}, 12);
  node_id const queries = single.linear(0, 2);
  node_id const keys = single.transpose(single.linear(0, 2), {1, 0});
  node_id const vals = single.linear(0, 3);
  node_id p = single.net.add(rules::softmax(), {single.net.add(rules::matrix_product(), {queries, keys})});
  single.linear(single.net.add(rules::matrix_product(), {p, vals}), 4);
  CHECK(holds(rewritten(single.net), "self_attention"));
  CHECK(difference(single.net, rewritten(single.net), single.random.normals(20)) <= 1e-12);
}

TEST_CASE("batches of sequences keep their tokens apart") {
  exporter e({2, 3, 4}, 13);
  node_id const q = e.transpose(e.reshape(e.linear(0, 4), {2, 3, 2, 2}), {0, 2, 1, 3});
  node_id const k = e.transpose(e.reshape(e.linear(0, 4), {2, 3, 2, 2}), {0, 2, 3, 1});
  node_id const v = e.transpose(e.reshape(e.linear(0, 4), {2, 3, 2, 2}), {0, 2, 1, 3});
  node_id p = e.net.add(rules::softmax(), {e.net.add(rules::matrix_product(), {q, k})});
  node_id const y = e.net.add(rules::matrix_product(), {p, v});
  e.linear(e.reshape(e.transpose(y, {0, 2, 1, 3}), {2, 3, 4}), 5);
  network const better = rewritten(e.net);
  CHECK(holds(better, "self_attention"));
  CHECK(difference(e.net, better, e.random.normals(24)) <= 1e-12);
  CHECK(certify(better, {.norm = norm::rms, .domain = input_domain::ball(1.0)}).is_finite());
}
