// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/check/extract.hpp>
#include <sigmax/lipschitz/check/fold.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/normalization_layers.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "lipschitz/slope_systems.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

default_backend<double> const on{};

weight random_weight(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> w(rows, cols);
  fill_normal(w.view(), seed);
  return weight::owning(std::move(w));
}

std::vector<check::segment> segments_of(network const& net) {
  std::vector<char> const all(static_cast<std::size_t>(net.size()), 1);
  return check::find_segments(net, all, all, 1000);
}

/// The largest difference between the network and the only segment's maps at random points; every map must be linear.
double difference(network const& net) {
  auto const pieces = segments_of(net);
  REQUIRE(pieces.size() == 1);
  auto const system = check::extract(on, net, pieces[0]);
  REQUIRE(system);
  REQUIRE(system->system.blocks() == 0);
  auto const* const map = system->system.map(0, 1);
  REQUIRE(map != nullptr);
  CHECK(map->error <= 1e-12 * test::dense(map->elements).norm());
  attack::evaluation_plan const plan(net);
  attack::evaluation<double> at(plan);
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    random_sequence const numbers(seed);
    Eigen::VectorXd x(static_cast<Eigen::Index>(at.input().size()));
    for (std::size_t i = 0; i < at.input().size(); ++i) {
      x(static_cast<Eigen::Index>(i)) = at.input()[i] = numbers.normal(i);
    }
    auto const y = at.run();
    Eigen::VectorXd const expected = test::dense(map->elements) * x;
    for (std::size_t i = 0; i < y.size(); ++i) {
      largest = std::fmax(largest, std::fabs(y[i] - expected(static_cast<Eigen::Index>(i))));
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("the matrices of linear rules are theirs, composed and added where branches meet") {
  network images({2, 5, 6});
  images.add(rules::convolution(random_weight(4, 2 * 9, 1), {3, 3},
                                {.strides = {2, 1}, .pads_begin = {1, 0}, .pads_end = {0, 2}},
                                {0.5, -2.0, interval(3.0), 1.0}),
             {0});
  images.add(rules::transposed_convolution(random_weight(4, 3 * 4, 2), {2, 2}, {.strides = {2, 1}}), {images.output()});
  auto const count = element_count(images.output_shape());
  images.add(rules::rearrange({count}), {images.output()});
  images.add(rules::linear(random_weight(7, count, 3)), {images.output()});
  CHECK(difference(images) <= 1e-10);

  network branches({3, 4});
  node_id const a = branches.add(rules::scale({1.5, -2.0, 0.25, 3.0}), {0});
  node_id const b = branches.add(rules::linear(random_weight(4, 4, 5), -0.5), {0});
  node_id const c = branches.add(rules::weighted_sum({2.0, -0.3, 1.0}), {a, b, 0});
  node_id const d = branches.add(rules::rearrange({4, 3}, {0, 4, 8, 1, 5, 9, 2, -1, 2, 3, 7, 11}), {c});
  branches.add(rules::concatenate(2, 0), {d, d});
  CHECK(difference(branches) <= 1e-12);
}

TEST_CASE("what no method sees through cuts segments, and branches around it do too") {
  network net({4});
  node_id const a = net.add(rules::linear(random_weight(4, 4, 1)), {0});
  node_id const b = net.add(relu(), {a});
  node_id const c = net.add(softmax(), {b});
  node_id const d = net.add(rules::weighted_sum({1.0, 1.0}), {b, c});
  node_id const e = net.add(rules::linear(random_weight(3, 4, 2)), {d});
  net.add(relu(), {e});
  auto const pieces = segments_of(net);
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].source == 0);
  CHECK(pieces[0].end == static_cast<std::size_t>(b));
  CHECK(pieces[1].source == static_cast<std::size_t>(d));
}

TEST_CASE("folded systems transmit the same") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    auto const system = test::random_system({3, 4, 3, 4, 2}, seed, seed % 2 == 0,
                                            {{0, 0}, {1, 1}, {-0.5, -0.5}, {0.25, 0.25}, {0.75, 0.75}});
    auto const small = check::folded(on, system);
    CHECK(small.blocks() == 0);
    auto const* const map = small.map(0, 1);
    Eigen::MatrixXd const truth = test::jacobian(system, 0);
    Eigen::MatrixXd const left = map != nullptr ? test::dense(map->elements) : Eigen::MatrixXd::Zero(2, 3).eval();
    CHECK((truth - left).norm() <= 1e-11 * (1 + truth.norm()));
    if (map != nullptr) CHECK((truth - left).norm() <= map->error + 1e-12 * truth.norm());
  }
}
