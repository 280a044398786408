// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "attention_oracle.hpp"
#include "support/singular_values.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;
using rules::attention_mask;

namespace {

/// A range around a point: a box, with or without the rest.
value_range around(std::vector<double> const& centre, double radius, tensor_shape const& shape) {
  value_range result;
  for (double const c : centre) result.box.emplace_back(c - radius, c + radius);
  lipschitz::detail::sharpen(result, shape);
  return result;
}

attention_mask random_mask(test::numbers& random, std::size_t n, std::size_t m) {
  switch (random.below(5)) {
    case 0:
      return attention_mask::causal();
    case 1: {
      std::vector<double> addends(n * m, 0.0);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) addends[i * m + j] = j == i % m || random.uniform() < 0.6 ? 0 : -infinity;
      }
      return attention_mask(std::move(addends));
    }
    case 2: {
      std::vector<double> addends(m);
      for (double& each : addends) each = random.uniform() < 0.3 ? -1e4 : random.normal();
      return attention_mask(std::move(addends));
    }
    case 3: {
      std::vector<double> addends(n * m, 0.0);
      std::vector<char> replaces(n * m, 0);
      for (std::size_t i = 0; i < n * m; ++i) {
        replaces[i] = random.uniform() < 0.3 ? 1 : 0;
        addends[i] = replaces[i] != 0 ? (random.uniform() < 0.5 ? -3.4028234663852886e38 : random.normal()) : 0;
      }
      return attention_mask(std::move(addends), std::move(replaces));
    }
    default:
      return {};
  }
}

template <norm_tag N>
double distance(std::vector<double> const& a, std::vector<double> const& b, tensor_shape const& shape) {
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return attack::length(d, row_norm::of(N{}, shape));
}

/// Pairs from the boxes, corners preferred, never move the output by more than the sensitivities say.
template <norm_tag N>
double worst_quotient(any_rule const& rule, std::vector<tensor_shape> const& shapes,
                      std::vector<value_range> const& ranges, test::numbers& random) {
  std::vector<value_range const*> known;
  for (auto const& range : ranges) known.push_back(&range);
  auto const bounds = rule.bound<N>(shapes, {.ranges = known});
  tensor_shape const out = rule.output_shape(shapes);
  double worst = 0;
  for (int trial = 0; trial < 12; ++trial) {
    std::vector<std::vector<double>> x;
    std::vector<std::vector<double>> z;
    for (auto const& range : ranges) {
      auto& a = x.emplace_back();
      auto& b = z.emplace_back();
      bool const moves = random.uniform() < 0.7;
      double const step = trial % 3 == 0 ? 1.0 : 1e-4;
      for (interval const each : range.box) {
        double const first =
            each.lower + each.width() * (random.uniform() < 0.5 ? std::round(random.uniform()) : random.uniform());
        double const target = each.lower + each.width() * random.uniform();
        a.push_back(std::clamp(first, each.lower, each.upper));
        b.push_back(moves ? std::clamp(a.back() + step * (target - a.back()), each.lower, each.upper) : a.back());
      }
    }
    std::vector<double> y(static_cast<std::size_t>(element_count(out)));
    std::vector<double> w(y.size());
    std::vector<std::span<double const>> const at(x.begin(), x.end());
    std::vector<std::span<double const>> const to(z.begin(), z.end());
    rule.evaluate<double>(at, shapes, y);
    rule.evaluate<double>(to, shapes, w);
    double allowed = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      double const moved = distance<N>(x[k], z[k], shapes[k]);
      if (moved > 0) allowed += bounds[k].value() * moved;
    }
    double const found = distance<N>(y, w, out);
    CHECK(found <= allowed * (1 + 1e-9) + 1e-13);
    if (allowed > 0) worst = std::max(worst, found / allowed);
  }
  return worst;
}

}  // namespace

TEST_CASE("attention moves no further than its sensitivities say, under every mask, in all norms") {
  test::numbers random(1);
  double worst = 0;
  for (int instance = 0; instance < 250; ++instance) {
    index_t const n = 1 + random.below(5);
    index_t const m = 1 + random.below(5);
    index_t const d = 1 + random.below(4);
    index_t const e = 1 + random.below(4);
    index_t const heads = 1 + random.below(2);
    attention_mask const mask = random_mask(random, static_cast<std::size_t>(n), static_cast<std::size_t>(m));
    rules::attention const rule(random.normal(), mask);
    std::vector<tensor_shape> const shapes{{heads, n, d}, {heads, m, d}, {heads, m, e}};
    std::vector<value_range> ranges;
    for (auto const& shape : shapes) {
      double const radius = random.uniform() < 0.5 ? 0.05 : 1.0;
      ranges.push_back(around(random.normals(static_cast<std::size_t>(element_count(shape))), radius, shape));
    }
    worst = std::max(worst, worst_quotient<norm::l2_t>(rule, shapes, ranges, random));
    worst = std::max(worst, worst_quotient<norm::linf_t>(rule, shapes, ranges, random));
    worst = std::max(worst, worst_quotient<norm::rms_t>(rule, shapes, ranges, random));
  }
  CHECK(worst > 0.5);  // the bounds are not idle
}

TEST_CASE("products of two matrices move no further than their sensitivities say") {
  test::numbers random(2);
  for (int instance = 0; instance < 200; ++instance) {
    index_t const n = 1 + random.below(4);
    index_t const k = 1 + random.below(4);
    index_t const m = 1 + random.below(4);
    std::vector<tensor_shape> shapes{{n, k}, {k, m}};
    if (random.uniform() < 0.5) shapes = {{2, 1, n, k}, {3, k, m}};
    std::vector<value_range> ranges;
    for (auto const& shape : shapes) {
      ranges.push_back(around(random.normals(static_cast<std::size_t>(element_count(shape))), 0.7, shape));
    }
    rules::matrix_product const rule;
    worst_quotient<norm::l2_t>(rule, shapes, ranges, random);
    worst_quotient<norm::linf_t>(rule, shapes, ranges, random);
    worst_quotient<norm::rms_t>(rule, shapes, ranges, random);
  }
}

TEST_CASE("a product with a constant stack of matrices has the norm of its largest matrix on all inputs") {
  network net({2, 3, 4});
  test::numbers random(3);
  auto const values = random.normals(2 * 4 * 4);
  node_id const stack = net.add(rules::constant({2, 4, 4}, values), {});
  net.add(rules::matrix_product(), {0, stack});
  double largest = 0;
  for (int part = 0; part < 2; ++part) {
    Eigen::Map<Eigen::Matrix<double, 4, 4, Eigen::RowMajor> const> const w(values.data() + 16 * part);
    largest = std::max(largest, oracle::largest_singular_value(w));
  }
  double const upper = certify(net).upper();
  CHECK(upper >= largest * (1 - 1e-14));
  CHECK(upper <= largest * (1 + 1e-6));

  network squared({2, 2});
  squared.add(rules::matrix_product(), {0, 0});
  auto const all = certify(squared, {.attack = false});
  CHECK(all.upper() == infinity);
  REQUIRE(all.refused().size() == 1);
  CHECK(all.refused()[0].reason.find("give a bounded domain (--radius, --box)") != std::string::npos);
  double const local = certify(squared, {.domain = input_domain::ball(0.5)}).upper();
  CHECK(local >= 1);  // the slope at 0.5 times a rank-one matrix of norm 1 is 1
  CHECK(local <= 2 * std::sqrt(0.5) * (1 + 1e-12));
}
