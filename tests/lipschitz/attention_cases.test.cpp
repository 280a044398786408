// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/normalization.hpp>
#include <sigmax/lipschitz/rules/published_attention.hpp>

#include "attention_oracle.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;
using rules::attention_mask;

namespace {

matrix<double> eye(index_t d) {
  matrix<double> result(d, d);
  for (index_t i = 0; i < d; ++i) result(i, i) = 1;
  return result;
}

weight identity(index_t d) { return weight::owning(eye(d)); }

/// Rows first, first + 1, ... of (n, d).
node_id rows(network& net, index_t first, index_t count) {
  index_t const d = net.input_shape().back();
  std::vector<index_t> map;
  for (index_t i = first * d; i < (first + count) * d; ++i) map.push_back(i);
  return net.add(rules::rearrange({count, d}, std::move(map), "slice"), {0});
}

/// One query, `keys` keys and values, all rows of the input.
network one_query(index_t keys, index_t d, interval scale, attention_mask mask = {}) {
  network net({1 + 2 * keys, d});
  node_id const q = rows(net, 0, 1);
  node_id const k = rows(net, 1, keys);
  node_id const v = rows(net, 1 + keys, keys);
  net.add(rules::attention(scale, std::move(mask)), {q, k, v});
  return net;
}

value_range points(std::vector<double> const& values, tensor_shape const& shape) {
  value_range result;
  for (double const x : values) result.box.emplace_back(x);
  lipschitz::detail::sharpen(result, shape);
  return result;
}

}  // namespace

TEST_CASE("group 20: attention with weights (1/2, 1/2): the bound in rms is attained to 1e-3") {
  // q is orthogonal to k = +-K, v = +-V: every inequality of the proof is an equality.
  index_t const d = 4;
  for (double const tau : {0.25, 0.5, 100.0}) {
    network const net = one_query(2, d, tau);
    auto const bound = certify(net, {.norm = norm::rms, .domain = input_domain::ball(1.0), .attack = false});
    std::vector<double> x(20, 0.0);
    x[1] = 2;        // q = 2 e_1, rms 1
    x[4] = 2;        // k_0 = 2 e_0
    x[8] = -2;       // k_1 = -2 e_0
    x[12 + 2] = 2;   // v_0 = 2 e_2
    x[16 + 2] = -2;  // v_1 = -2 e_2
    double const slope =
        test::steepest_slope(net, x, 0, row_norm::of(norm::rms, {5, d}), row_norm::of(norm::rms, {1, d}));
    double const exact = 1 + 2 * tau * 4;
    CHECK(slope == doctest::Approx(exact).epsilon(1e-6));
    CHECK(bound.upper() >= exact);
    CHECK(bound.upper() <= exact * (1 + 1e-3));
  }
  // Self-attention of three tokens, the first of which looks at the others, with identity weights and a large scale.
  attention_mask const others({-infinity, 0, 0, 0, 0, 0, 0, 0, 0});
  network const self = network_of(
      rules::self_attention({{{identity(4)}, {identity(4)}, {identity(4)}}}, std::nullopt, 500.0, others), {3, 4});
  auto const bound = certify(self, {.norm = norm::rms, .domain = input_domain::ball(1.0), .attack = false});
  std::vector<double> x(12, 0.0);
  x[1] = 2;
  x[4] = 2;
  x[8] = -2;
  double const slope =
      test::steepest_slope(self, x, 0, row_norm::of(norm::rms, {3, 4}), row_norm::of(norm::rms, {3, 4}));
  MESSAGE("self-attention: slope / bound = " << slope / bound.upper());
  CHECK(slope <= bound.upper());
  CHECK(slope >= bound.upper() * (1 - 1e-3));
}

namespace {

/// Attention of H heads with identity weights and scores divided by the width of a head.
network heads_of_identity(index_t heads, index_t width, index_t tokens) {
  index_t const d = heads * width;
  return network_of(multi_head_attention(eye(d), eye(d), eye(d), eye(d),
                                         {.heads = heads, .scale = interval(1.0) / static_cast<double>(width)}),
                    {tokens, d});
}

/// Token h has all its length in the first element of head h, the last token a share in each head; all have rms 1.
/// @return the slope of the last token's output there.
double slope_at_one_token_a_head(index_t heads, index_t width) {
  index_t const d = heads * width;
  index_t const n = heads + 1;
  std::vector<double> x(static_cast<std::size_t>(n * d), 0.0);
  for (index_t h = 0; h < heads; ++h) {
    x[static_cast<std::size_t>(h * d + h * width)] = std::sqrt(static_cast<double>(d));
    x[static_cast<std::size_t>(heads * d + h * width)] = std::sqrt(static_cast<double>(width));
  }
  auto const shape = row_norm::of(norm::rms, {n, d});
  return test::steepest_slope(heads_of_identity(heads, width, n), x, static_cast<std::size_t>(heads), shape, shape);
}

/// Two tokens a head that differ in its second element, where their lengths are, and that the last token prefers to
/// all others by their first; every other head turns away from them a little. All have rms 1.
double slope_at_two_tokens_a_head(index_t heads, index_t width) {
  index_t const d = heads * width;
  index_t const n = 2 * heads + 1;
  double const away = 0.06 * static_cast<double>(width);
  double const own = static_cast<double>(d) - static_cast<double>(heads - 1) * away;
  std::vector<double> x(static_cast<std::size_t>(n * d), 0.0);
  for (index_t token = 0; token < n - 1; ++token) {
    auto const row = static_cast<std::size_t>(token * d);
    index_t const h = token / 2;
    for (index_t g = 0; g < heads; ++g) {
      x[row + static_cast<std::size_t>(g * width)] = g == h ? std::sqrt(0.3 * own) : -std::sqrt(away);
    }
    x[row + static_cast<std::size_t>(h * width + 1)] = (token % 2 == 0 ? 1 : -1) * std::sqrt(0.7 * own);
  }
  for (index_t h = 0; h < heads; ++h) {
    x[static_cast<std::size_t>((n - 1) * d + h * width)] = std::sqrt(static_cast<double>(width));
  }
  auto const shape = row_norm::of(norm::rms, {n, d});
  return test::steepest_slope(heads_of_identity(heads, width, n), x, static_cast<std::size_t>(n - 1), shape, shape);
}

}  // namespace

TEST_CASE("group 20: the published formula is no bound for 4, 6, 8 or 16 heads, ours is") {
  struct geometry {
    index_t heads;
    index_t width;
  };
  for (auto const& [heads, width] : {geometry{4, 16}, geometry{6, 128}, geometry{8, 8}, geometry{16, 16}}) {
    double const published = 3 * rules::published_attention_bound(1, 1, 1, 1, 1, 1);
    CHECK(published == 3);
    double const h = static_cast<double>(heads);
    double const one = slope_at_one_token_a_head(heads, width);
    double const two = slope_at_two_tokens_a_head(heads, width);
    for (auto const& [tokens, slope] : {std::pair{heads + 1, one}, std::pair{2 * heads + 1, two}}) {
      auto const bound = certify(heads_of_identity(heads, width, tokens),
                                 {.norm = norm::rms, .domain = input_domain::ball(1.0), .attack = false});
      MESSAGE(heads << " heads of " << width << ", " << tokens << " tokens: slope " << slope << ", published "
                    << published << ", proven " << bound.upper());
      CHECK(bound.is_finite());
      CHECK(slope <= bound.upper());
      CHECK(bound.upper() <= (std::sqrt(h) + 2 * h) * (1 + 1e-6));  // heads apart: sqrt(H) (1 + 2 H)
    }
    CHECK(std::max(one, two) > published);
  }
}

TEST_CASE("group 20: causal attention of one token is its value") {
  for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    network const net =
        network_of(multi_head_attention(eye(3), eye(3), eye(3), eye(3), {.mask = attention_mask::causal()}), {1, 3});
    auto const bound = certify(net, {.norm = which, .domain = input_domain::ball(7.0)});
    CHECK(bound.upper() >= 1);
    CHECK(bound.upper() <= 1 + 1e-6);
  }
}

TEST_CASE("group 20: ten thousand queries that see one key move with it sqrt(10^4) times as far in l2") {
  index_t const n = 10000;
  rules::attention const rule(1.0);
  std::vector<tensor_shape> const shapes{{n, 1}, {2, 1}, {2, 1}};
  value_range const q = points(std::vector<double>(static_cast<std::size_t>(n), 1.0), shapes[0]);
  value_range const k = points({50, -50}, shapes[1]);
  value_range const v = points({1, 1}, shapes[2]);
  value_range const* const known[] = {&q, &k, &v};
  auto const b = rule.bound<norm::l2_t>(shapes, {.ranges = known});
  CHECK(b[2].value() >= 100 * (1 - 1e-15));
  CHECK(b[2].value() <= 100 * (1 + 1e-9));
  CHECK(b[0].value() <= 1e-9);  // no weight moves
}

TEST_CASE("group 20: column sums of causal weights are harmonic, not n") {
  index_t const n = 200;
  rules::attention const rule(1.0, attention_mask::causal());
  std::vector<tensor_shape> const shapes{{n, 1}, {n, 1}, {n, 1}};
  value_range const zero = points(std::vector<double>(static_cast<std::size_t>(n), 0.0), shapes[0]);
  value_range const* const known[] = {&zero, &zero, nullptr};
  double harmonic = 0;
  for (index_t i = 1; i <= n; ++i) harmonic += 1.0 / static_cast<double>(i);
  double const values = rule.bound<norm::l2_t>(shapes, {.ranges = known})[2].value();
  CHECK(values >= std::sqrt(harmonic) * (1 - 1e-14));
  CHECK(values <= std::sqrt(harmonic) * (1 + 1e-9));
  // Queries and keys unknown: sqrt(n), which is attained; never NaN.
  CHECK(rule.bound<norm::l2_t>(shapes, {})[2].value() == doctest::Approx(std::sqrt(200.0)));
  CHECK(rule.bound<norm::linf_t>(shapes, {})[2].value() == 1);
  CHECK(rule.bound<norm::rms_t>(shapes, {})[0].value() == infinity);
}

TEST_CASE(
    "group 20: scores beyond the range of exp and a temperature that goes to 0 give numbers or infinity, never NaN") {
  test::numbers random(9);
  auto const w = random.matrix(4, 4);
  for (double const radius : {100.0, 1e5, 1e100, 1e200}) {
    for (double const scale : {1.0, 1e30, 1e300}) {
      network const net = network_of(multi_head_attention(w, w, w, w, {.heads = 2, .scale = interval(scale)}), {3, 4});
      for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
        auto const bound = certify(net, {.norm = which, .domain = input_domain::ball(radius), .attack = false});
        CHECK_FALSE(is_nan(bound.upper()));
        CHECK(bound.upper() > 0);
        if (radius == 100 && scale == 1) CHECK(bound.is_finite());
      }
    }
  }
}

TEST_CASE("group 20: attention behind a normalisation of queries, keys and values is bounded on all inputs") {
  index_t const d = 4;
  rules::normalization const token({.divisor = {.epsilon = 1e-5}});
  network net({3, d});
  node_id const x = net.add(token, {0});
  net.add(multi_head_attention(eye(d), eye(d), eye(d), eye(d), {.heads = 2}), {x});
  for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const bound = certify(net, {.norm = which});  // attacked as well
    CHECK(bound.is_finite());
    CHECK(bound.upper() >= 1 / std::sqrt(1e-5));  // at x = 0 all tokens are equal and the slope is that of the norm
  }
  // Queries and keys alone do not suffice: the values grow with the input.
  network qk({3, d});
  node_id const normal = qk.add(token, {0});
  qk.add(rules::attention(0.5), {normal, normal, 0});
  CHECK_FALSE(certify(qk, {.attack = false}).is_finite());
  CHECK(certify(qk, {.domain = input_domain::ball(1.0)}).is_finite());
  // A projection on a ball bounds them for nothing.
  network projected({3, d});
  node_id const inside = projected.add(rules::ball_projection(2.0), {0});
  projected.add(rules::attention(0.5), {inside, inside, inside});
  for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    CHECK(certify(projected, {.norm = which}).is_finite());
  }
  CHECK(certify(projected, {.norm = norm::rms}).upper() <= (1 + 2 * 0.5 * 4 * 4) * (1 + 1e-9));
}

TEST_CASE("group 20: dot-product attention on all inputs without a norm is refused by name") {
  network const net = network_of(multi_head_attention(eye(2), eye(2), eye(2), eye(2)), {2, 2});
  auto const certified = certify(net, {.attack = false});
  CHECK_FALSE(certified.is_finite());
  REQUIRE(certified.refused().size() == 1);
  CHECK(certified.refused()[0].reason.find("not Lipschitz on all inputs") != std::string::npos);
  CHECK_THROWS_AS(rules::attention(1.0, attention_mask({-infinity}))
                      .output_shape(std::vector<tensor_shape>{{2, 2}, {2, 2}, {2, 2}}),
                  domain_error);
  CHECK_THROWS_AS(attention_mask({infinity}), numeric_error);
  CHECK_THROWS_AS(multi_head_attention(eye(3), eye(3), eye(3), eye(3), {.heads = 2}), shape_error);
}
