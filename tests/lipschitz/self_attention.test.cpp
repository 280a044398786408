// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>
#include <sigmax/lipschitz/rules/product_norm.hpp>
#include <sigmax/lipschitz/rules/rotated_product_norm.hpp>

#include "attention_oracle.hpp"
#include "support/singular_values.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;
using rules::attention_mask;
using rules::rotary_embedding;

namespace {

Eigen::MatrixXd eigen(weight const& w) {
  Eigen::MatrixXd result(w.rows(), w.cols());
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) result(i, j) = w(i, j);
  }
  return result;
}

struct instance {
  std::vector<rules::attention_head> heads;
  std::optional<weight> output;
  interval scale;
  attention_mask mask;
  std::optional<rotary_embedding> rotation;
  tensor_shape shape;
};

/// Self-attention from its parts: linear maps, transposes, rotations, the core rule, the output matrix.
network decomposed(instance const& given) {
  auto const& heads = given.heads;
  auto const& shape = given.shape;
  network net(shape);
  index_t const n = shape[shape.size() - 2];
  auto const h = static_cast<index_t>(heads.size());
  auto const stacked = [&](auto const& part) {
    index_t const d = part(heads[0]).matrix.rows();
    matrix<double> w(h * d, shape.back());
    std::vector<double> bias;
    for (index_t which = 0; which < h; ++which) {
      auto const& p = part(heads[static_cast<std::size_t>(which)]);
      for (index_t i = 0; i < d; ++i) {
        for (index_t j = 0; j < shape.back(); ++j) w(which * d + i, j) = p.matrix(i, j);
        bias.push_back(p.bias.empty() ? 0.0 : p.bias[static_cast<std::size_t>(i)]);
      }
    }
    node_id node = net.add(rules::linear(weight::owning(std::move(w))), {0});
    node = net.add(rules::add_constant(std::move(bias)), {node});
    std::vector<index_t> map;
    for (index_t which = 0; which < h; ++which) {
      for (index_t i = 0; i < n; ++i) {
        for (index_t f = 0; f < d; ++f) map.push_back(i * h * d + which * d + f);
      }
    }
    return net.add(rules::rearrange({h, n, d}, std::move(map), "transpose"), {node});
  };
  node_id q = stacked([](auto const& head) -> rules::projection const& { return head.query; });
  node_id k = stacked([](auto const& head) -> rules::projection const& { return head.key; });
  if (given.rotation) {
    q = net.add(*given.rotation, {q});
    k = net.add(*given.rotation, {k});
  }
  node_id const v = stacked([](auto const& head) -> rules::projection const& { return head.value; });
  node_id y = net.add(rules::attention(given.scale, given.mask), {q, k, v});
  index_t const d = heads[0].value.matrix.rows();
  std::vector<index_t> map;
  for (index_t i = 0; i < n; ++i) {
    for (index_t which = 0; which < h; ++which) {
      for (index_t f = 0; f < d; ++f) map.push_back((which * n + i) * d + f);
    }
  }
  y = net.add(rules::rearrange({n, h * d}, std::move(map), "transpose"), {y});
  if (given.output) net.add(rules::linear(*given.output), {y});
  return net;
}

/// Turns by multiples of angles, or by any numbers; of half of the elements, or of all.
rotary_embedding random_rotation(test::numbers& random, index_t positions, index_t width) {
  index_t const pairs = 1 + random.below(width / 2);
  bool const turns = random.uniform() < 0.7;
  std::vector<double> cosines;
  std::vector<double> sines;
  std::vector<double> const angles = random.normals(static_cast<std::size_t>(pairs), 2.0);
  for (index_t i = 0; i < positions * pairs; ++i) {
    double const angle = static_cast<double>(i / pairs) * angles[static_cast<std::size_t>(i % pairs)];
    cosines.push_back(turns ? std::cos(angle) : random.normal());
    sines.push_back(turns ? std::sin(angle) : random.normal());
  }
  auto const how = random.uniform() < 0.5 ? rotary_embedding::pairing::halves : rotary_embedding::pairing::interleaved;
  return {positions, pairs, std::move(cosines), std::move(sines), how};
}

instance random_instance(test::numbers& random) {
  index_t const n = 1 + random.below(4);
  index_t const d = 1 + random.below(5);
  index_t const h = 1 + random.below(3);
  index_t const d_k = 1 + random.below(4);
  index_t const d_v = 1 + random.below(3);
  instance result{{}, {}, random.normal(), {}, {}, {n, d}};
  bool const unbiased = random.uniform() < 0.5;
  if (d_k > 1 && random.uniform() < 0.6) result.rotation = random_rotation(random, n, d_k);
  for (index_t i = 0; i < h; ++i) {
    auto const part = [&](index_t rows) {
      rules::projection p{weight::owning(random.matrix(rows, d, 1 / std::sqrt(static_cast<double>(d))))};
      if (!unbiased && random.uniform() < 0.5) p.bias = random.normals(static_cast<std::size_t>(rows));
      return p;
    };
    auto query = part(d_k);
    auto key = part(d_k);
    result.heads.push_back({std::move(query), std::move(key), part(d_v)});
  }
  if (random.uniform() < 0.7) result.output = weight::owning(random.matrix(1 + random.below(4), h * d_v, 0.7));
  auto const size = static_cast<std::size_t>(h * n * n);
  switch (random.below(4)) {
    case 0:
      result.mask = attention_mask::causal();
      break;
    case 1:
      result.mask = attention_mask(random.normals(size, 2.0));
      break;
    case 2: {
      std::vector<double> addends(size, 0.0);
      std::vector<char> replaces(size, 0);
      for (std::size_t i = 0; i < size; ++i) {
        if (random.uniform() < 0.3) replaces[i] = 1;
        addends[i] = replaces[i] != 0 ? -1e9 : 0;
      }
      result.mask = attention_mask(std::move(addends), std::move(replaces));
      break;
    }
    default:
      break;
  }
  return result;
}

}  // namespace

TEST_CASE("the norm of a product through a narrow middle is that of the product") {
  test::numbers random(11);
  for (int trial = 0; trial < 30; ++trial) {
    index_t const r = 1 + random.below(5);
    weight const a = weight::owning(random.matrix(1 + random.below(9), r));
    weight const b = weight::owning(random.matrix(r, 1 + random.below(9)));
    double const exact = oracle::largest_singular_value(eigen(a) * eigen(b));
    double const bound = rules::detail::product_norm_up(a, b, {});
    CHECK(bound >= exact * (1 - 1e-14));
    CHECK(bound <= exact * (1 + 1e-6));
  }
  // A B = 0 where neither is: what is left is rounding.
  matrix<double> a(2, 2);
  matrix<double> b(2, 2);
  a(0, 0) = a(1, 0) = 1;
  b(1, 0) = b(1, 1) = 1;
  CHECK(rules::detail::product_norm_up(weight::owning(std::move(a)), weight::owning(std::move(b)), {}) <= 1e-6);
}

TEST_CASE("the norm of W_Q^T R_i^T R_j W_K is the largest over the positions") {
  test::numbers random(17);
  int below_the_norms = 0;
  for (int trial = 0; trial < 60; ++trial) {
    index_t const n = 1 + random.below(6);
    index_t const r = 2 + random.below(5);
    index_t const d = 1 + random.below(9);
    bool const causal = trial % 2 == 0;
    weight const q = weight::owning(random.matrix(r, d));
    weight const k = weight::owning(random.matrix(r, d));
    auto const rotation = random_rotation(random, n, r);
    std::vector<Eigen::MatrixXd> turned;  // R_i of every position, from its rule
    for (index_t i = 0; i < n; ++i) {
      turned.emplace_back(r, r);
      for (index_t column = 0; column < r; ++column) {
        std::vector<double> x(static_cast<std::size_t>(n * r), 0.0);
        x[static_cast<std::size_t>(i * r + column)] = 1;
        std::vector<double> y(x.size());
        std::span<double const> const from[] = {x};
        std::vector<tensor_shape> const shapes{{n, r}};
        rotation.evaluate<double>(from, shapes, y);
        for (index_t row = 0; row < r; ++row) turned.back()(row, column) = y[static_cast<std::size_t>(i * r + row)];
      }
    }
    double exact = 0;
    bool relative = true;  // R_i^T R_j is one matrix for each i - j
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = 0; j < (causal ? i + 1 : n); ++j) {
        auto const at = [&](index_t a, index_t b) -> Eigen::MatrixXd {
          return turned[static_cast<std::size_t>(a)].transpose() * turned[static_cast<std::size_t>(b)];
        };
        Eigen::MatrixXd const turn = at(i, j);
        relative = relative && (turn - (i > j ? at(i - j, 0) : at(0, j - i))).norm() < 1e-9;
        Eigen::MatrixXd const product = eigen(q).transpose() * turn * eigen(k);
        exact = std::max(exact, Eigen::JacobiSVD<Eigen::MatrixXd>(product).singularValues()(0));
      }
    }
    double const bound = rules::detail::rotated_product_norm_up(q, k, rotation, causal, {});
    double const stretch = rotation.euclidean_norm();
    double const apart = Eigen::JacobiSVD<Eigen::MatrixXd>(eigen(q)).singularValues()(0) *
                         Eigen::JacobiSVD<Eigen::MatrixXd>(eigen(k)).singularValues()(0) * stretch * stretch;
    CAPTURE(trial);
    CHECK(bound >= exact * (1 - 1e-13));
    CHECK(bound <= apart * (1 + 1e-6));
    if (relative) CHECK(bound <= exact * (1 + 1e-5));
    below_the_norms += bound < 0.99 * apart ? 1 : 0;
  }
  CHECK(below_the_norms > 20);
}

TEST_CASE("small attention networks: no Jacobian and no attacked pair exceeds the bounds, joint and from parts") {
  test::numbers random(5);
  double tightest = 0;
  int joint_is_tighter = 0;
  int parts_are_tighter = 0;
  double most_lost = 1;
  for (int trial = 0; trial < 250; ++trial) {
    instance const given = random_instance(random);
    network joint(given.shape);
    joint.add(rules::self_attention(given.heads, given.output, given.scale, given.mask, given.rotation), {0});
    network const parts = decomposed(given);
    REQUIRE(joint.output_shape() == parts.output_shape());
    double const radius = trial % 3 == 0 ? 0.05 : 1.0;
    auto const count = static_cast<std::size_t>(element_count(given.shape));
    auto const centre = trial % 2 == 0 ? std::vector<double>(count, 0.0) : random.normals(count);
    for (norm::any const which : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      CAPTURE(trial);
      std::string const name = which.name();
      CAPTURE(name);
      certify_options options{.norm = which, .domain = input_domain::ball(radius, centre)};
      options.attack_settings.points = 3;
      options.attack_settings.iterations = 8;
      auto const together = certify(joint, options);  // throws if its own attack proves more
      auto const apart = certify(parts, options);
      REQUIRE(together.is_finite());
      REQUIRE(apart.is_finite());
      joint_is_tighter += together.upper() < apart.upper() * 0.999 ? 1 : 0;
      parts_are_tighter += apart.upper() < together.upper() * 0.999 ? 1 : 0;
      most_lost = std::max(most_lost, together.upper() / apart.upper());
      auto const in = row_norm::of(which, joint.input_shape());
      auto const out = row_norm::of(which, joint.output_shape());
      for (int point = 0; point < 4; ++point) {
        auto x = random.normals(count);
        test::put_in_ball(x, in, radius * (point == 0 ? random.uniform() : 1.0));
        for (std::size_t i = 0; i < count; ++i) x[i] += centre[i];
        auto const jacobian = test::dense_jacobian(parts, x);
        CHECK((jacobian - test::dense_jacobian(joint, x)).norm() <= 1e-9 * (1 + jacobian.norm()));
        double const slope = test::jacobian_norm(jacobian, which, in, out);
        CHECK(slope <= together.upper() * (1 + 1e-9) + 1e-13);
        CHECK(slope <= apart.upper() * (1 + 1e-9) + 1e-13);
        tightest = std::max(tightest, slope / together.upper());
      }
    }
  }
  MESSAGE("largest slope / bound " << tightest << "; of 750 bounds the joint rule's was tighter " << joint_is_tighter
                                   << " times, that of the parts " << parts_are_tighter << " times, by a factor of "
                                   << most_lost << " at most");
  CHECK(tightest > 0.5);
}
