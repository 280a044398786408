// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/normalization_layers.hpp>
#include <sigmax/lipschitz/rules/centred_gain.hpp>

#include "rule_oracle.hpp"

using namespace sigmax::test;
using form = rules::radial_divisor::form;

namespace {

rule_case group_case(group_normalization_layer const& layer, tensor_shape const& shape) {
  network net(shape);
  layer.append(net, 0);
  return {net.nodes()[1].rule, {shape}};
}

std::vector<rule_case> normalization_cases() {
  std::vector<rule_case> result;
  result.push_back({rms_normalization({}, 0.1), {{3, 4}}});
  result.push_back({rms_normalization({1, -3, 0.5, 2}, 0.02), {{2, 4}}});
  result.push_back({layer_normalization({}, {}, 0.1), {{3, 5}}});
  result.push_back({layer_normalization({1, -3, 0.5, 2, 0}, {1, 2, 3, 4, 5}, 0.02), {{2, 5}}});
  result.push_back({layer_normalization(normals(6, 2), normals(6, 3), 0.05, 2), {{2, 2, 3}}});
  result.push_back({layer_normalization({}, {}, 0.1), {{3, 2}}});
  result.push_back({layer_normalization({}, {}, 0.1), {{3, 1}}});
  result.push_back({l2_normalization(0.3), {{3, 4}}});
  result.push_back({l2_normalization(0.1, form::root), {{3, 4}}});
  result.push_back({rules::normalization({.axes = {1, 1}, .divisor = {.epsilon = 0.1}}), {{2, 3, 2}}});
  result.push_back({rules::normalization({.axes = {0, 1}, .centred = true, .divisor = {form::sum, 0.2}}), {{2, 3, 2}}});
  result.push_back({rules::normalization({.centred = true, .divisor = {form::maximum, 0.5}}), {{2, 6}}});
  result.push_back(group_case(group_normalization(2, {1, 2, -1, 0.5}, {1, 1, 2, 2}, 0.1), {1, 4, 3}));
  result.push_back(group_case(group_normalization(4, {}, {}, 0.1, 0), {4, 2, 2}));
  result.push_back(group_case(instance_normalization({1, 2, -1}, {1, 1, 2}, 0.1), {2, 3, 2, 2}));
  result.push_back({center_normalization(4), {{3, 4}}});
  result.push_back({rules::centering({0, 1}, -2.0), {{2, 3, 2}}});
  return result;
}

template <norm_tag N>
double global(any_rule const& rule, tensor_shape const& shape) {
  return rule.bound<N>(std::vector<tensor_shape>{shape}, {})[0].value();
}

}  // namespace

TEST_CASE("normalisations: sampled pairs, intervals and gradients agree with the rules") {
  for (auto const& c : normalization_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_pairs<norm::l2_t>(c);
    check_pairs<norm::linf_t>(c);
    check_pairs<norm::rms_t>(c);
    check_pairs<norm::l2_t>(c, 0.2);
    check_pairs<norm::linf_t>(c, 0.2);
    check_evaluation(c);
    check_evaluation(c, 1.0, 5.0);
  }
}

TEST_CASE("normalisations: local bounds hold on balls and boxes, near 0 and away from it") {
  for (auto const& c : normalization_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_locally(network_of_rule(c.rule, c.shapes[0]));
    check_locally(network_of_rule(c.rule, c.shapes[0]), 6.0);
  }
}

TEST_CASE("group 21: rms normalisation has the slope max |gain| / sqrt(epsilon) at 0, and no more") {
  std::vector<double> const gain{1, -4, 2, 0.5};
  CHECK(tight_to(global<norm::l2_t>(rms_normalization(gain, 1e-5), {4}), 4 / std::sqrt(1e-5)));
  CHECK(tight_to(global<norm::rms_t>(rms_normalization(gain, 1e-5), {7, 4}), 4 / std::sqrt(1e-5)));
  Eigen::MatrixXd const j = jacobian({rms_normalization(gain, 1e-5), {{4}}}, {{0, 0, 0, 0}});
  CHECK(l2_norm(j) == doctest::Approx(4 / std::sqrt(1e-5)));
}

TEST_CASE("the linf constant of rms normalisation is attained") {
  // The maximum over x of the row sum, by a search over x = (z, w, w, ...) and its length.
  for (std::size_t const d : {2u, 3u, 8u, 64u}) {
    double const epsilon = 1e-3;
    double largest = 0;
    for (int a = 1; a < 1000; ++a) {
      for (double const t : {0.0, 0.1, 0.5, 0.8, 1.0, 1.2, 1.5, 1.6, 1.8, 2.0}) {
        double const c2 = std::pow(std::cos(a * M_PI / 2000), 2);
        double const s2 = 1 - c2;
        double const r2 = t * epsilon;  // mean square
        double const length2 = r2 * double(d);
        double const k = 1 / (double(d) * (r2 + epsilon));
        double const z = std::sqrt(c2 * length2);
        double const rest = std::sqrt(s2 * length2 * double(d - 1));
        double const sum = (1 - k * z * z + k * z * rest) / std::sqrt(r2 + epsilon);
        largest = std::max(largest, sum);
      }
    }
    double const bound = global<norm::linf_t>(rms_normalization({}, epsilon), {index_t(d)});
    CAPTURE(d);
    CHECK(bound >= largest * (1 - 1e-12));
    CHECK(bound <= largest * 1.01);
  }
  // 1.964 / sqrt(epsilon) for d = 64 (certificates, section 2.5).
  CHECK(global<norm::linf_t>(rms_normalization({}, 1.0), {64}) == doctest::Approx(1.964).epsilon(1e-3));
}

TEST_CASE(
    "group 21: layer normalisation has the norm of diag(gain) (I - 11'/d) over sqrt(epsilon), attained at constant "
    "vectors") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::size_t const d = 2 + seed % 7;
    auto gain = normals(d, seed);
    if (seed % 4 == 0) gain[d / 2] = 10;
    if (seed % 5 == 0) std::fill(gain.begin(), gain.end(), -3.0);
    auto const width = static_cast<index_t>(d);
    Eigen::MatrixXd m = Eigen::MatrixXd::Identity(width, width);
    m.array() -= 1.0 / double(d);
    for (std::size_t i = 0; i < d; ++i) m.row(Eigen::Index(i)) *= gain[i];
    double const exact = l2_norm(m);
    double const proven = rules::detail::largest_centred_gain<>(gain);
    CHECK(proven >= exact * (1 - 1e-14));
    CHECK(proven <= exact * (1 + 1e-12));
    auto const rule = layer_normalization(gain, {}, 1e-5);
    CHECK(global<norm::l2_t>(rule, {width}) <= exact / std::sqrt(1e-5) * (1 + 1e-12));
    std::vector<double> const constant(d, 7.0);
    CHECK(l2_norm(jacobian({rule, {{width}}}, {constant})) == doctest::Approx(exact / std::sqrt(1e-5)));
  }
  CHECK(rules::detail::largest_centred_gain<>(std::vector<double>{1, 1, 1}) == 1);
  CHECK(rules::detail::largest_centred_gain<>(std::vector<double>{5}) == 0);
  CHECK(rules::detail::largest_centred_gain<>(std::vector<double>{1e200, 1}) == 1e200);
  CHECK(rules::detail::largest_centred_gain<>(std::vector<double>{0, 0}) == 0);
}

TEST_CASE("linf bounds of normalisations are above every Jacobian and not much above the worst") {
  for (auto const& c : normalization_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    double const two = c.rule.bound<norm::l2_t>(c.shapes, {})[0].value();
    double const inf = c.rule.bound<norm::linf_t>(c.shapes, {})[0].value();
    double largest = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      double const scale = std::pow(10.0, -2 + 0.02 * double(seed % 100));
      auto const j = jacobian(c, {normals(size_of(c.shapes[0]), seed, scale, seed % 2 == 0 ? 0.0 : 1.0)});
      CHECK(l2_norm(j) <= two * (1 + 1e-9));
      CHECK(linf_norm(j) <= inf * (1 + 1e-9));
      largest = std::max(largest, linf_norm(j));
    }
    CHECK(inf <= 2.5 * largest);
  }
}

TEST_CASE("a domain away from 0 replaces epsilon by the root mean square, in all norms") {
  auto const net = network_of_rule(rms_normalization({}, 1e-5), {1, 64});
  auto const x = normals(64, 4);
  double rms = 0;
  for (double const each : x) rms += each * each / 64;
  rms = std::sqrt(rms);
  auto const c = certify(net, {.domain = input_domain::ball(0.1, x)});
  CHECK(c.upper() >= 1 / std::sqrt(rms * rms + 1e-5));
  CHECK(c.upper() <= 1 / (rms - 0.1 / 8 - 1e-3));
  CHECK(certify(net, {.norm = norm::rms, .domain = input_domain::ball(0.0125, x)}).upper() <= c.upper() * (1 + 1e-9));
  CHECK(certify(net, {.norm = norm::linf, .domain = input_domain::ball(0.01, x)}).upper() <= 5.0);
  auto const layer = network_of_rule(layer_normalization({}, {}, 1e-5), {1, 64});
  CHECK(certify(layer, {.domain = input_domain::ball(0.1, x)}).upper() <= 1 / (rms - 0.15));
  // The whole ball around a point whose norm is the radius: 0 is in it.
  std::vector<double> const point{3, 4};
  auto const touching =
      certify(network_of_rule(rms_normalization({}, 1e-4), {2}), {.domain = input_domain::ball(5, point)});
  CHECK(touching.upper() >= 100);
}

TEST_CASE("group 21: without epsilon a normalisation is refused unless the domain keeps its input away from 0") {
  auto const net = network_of_rule(rms_normalization({}, 0.0), {4});
  auto const everywhere = certify(net, {.attack = false});
  CHECK(everywhere.upper() == infinity);
  REQUIRE(everywhere.refused().size() == 1);
  CHECK(everywhere.refused()[0].reason.find("epsilon = 0") != std::string::npos);
  CHECK(certify(net, {.domain = input_domain::ball(1, {0, 0, 0, 0}), .attack = false}).upper() == infinity);
  double const away = certify(net, {.domain = input_domain::ball(0.5, {2, 2, 2, 2})}).upper();
  CHECK(away >= 1 / 2.0);
  CHECK(away <= 1 / 1.75 + 1e-9);
  // Constant vectors have no variance, wherever they are.
  auto const layer = network_of_rule(layer_normalization({}, {}, 0.0), {4});
  CHECK(certify(layer, {.domain = input_domain::ball(0.5, {2, 2, 2, 2}), .attack = false}).upper() == infinity);
}

TEST_CASE("a normalised value is bounded whatever comes in") {
  std::vector<std::vector<interval>> const unknown{std::vector<interval>(18, interval::whole())};
  for (auto const& rule : {any_rule(layer_normalization(std::vector<double>(9, 2.0), std::vector<double>(9, -1.0))),
                           any_rule(rms_normalization()), any_rule(l2_normalization())}) {
    for (interval const y : value_of({rule, {{2, 9}}}, unknown)) {
      CHECK(y.magnitude() <= 2 * std::sqrt(8.0) + 1 + 1e-12);
      CHECK_FALSE(is_nan(y.lower));
    }
    value_range range;
    rule.refine(std::vector<tensor_shape>{{2, 9}}, {}, range);
    CHECK(range.longest_row <= (rule.operator_name() == "layer_normalization" ? 9.0 : 3.0) * (1 + 1e-12));
  }
}

TEST_CASE("center normalisation is linear with the constant d / (d - 1)") {
  CHECK(tight_to(global<norm::l2_t>(center_normalization(4), {4}), 4.0 / 3));
  CHECK(tight_to(global<norm::linf_t>(center_normalization(4), {4}), 2.0));
  CHECK(any_rule(center_normalization(4)).difference() == linearity::linear);
  CHECK_THROWS_AS(center_normalization(1), domain_error);
}

TEST_CASE("normalisations say what is wrong with their parameters") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(rms_normalization({nan}), numeric_error);
  CHECK_THROWS_AS(rms_normalization({}, -1.0), domain_error);
  CHECK_THROWS_AS(rms_normalization({}, infinity), numeric_error);
  CHECK_THROWS_AS(network({2, 4}).add(rms_normalization({1, 2, 3}), {0}), shape_error);
  CHECK_THROWS_AS(network({2, 4}).add(layer_normalization({}, {}, 1e-5, 3), {0}), shape_error);
  network net({1, 4, 2});
  CHECK_THROWS_AS(append(group_normalization(3), net, 0), shape_error);
  CHECK_THROWS_AS(append(group_normalization(2, {1, 2, 3}), net, 0), shape_error);
  CHECK_THROWS_AS(append(group_normalization(2, {}, {}, 1e-5, 5), net, 0), shape_error);
  CHECK_THROWS_AS(rules::centering({}, interval::whole()), numeric_error);
}
