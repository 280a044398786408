// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/normalization_layers.hpp>

#include "rule_oracle.hpp"

using namespace sigmax::test;

namespace {

std::vector<rule_case> softmax_cases() {
  std::vector<rule_case> result;
  for (double const t : {1.0, 0.25, 3.0}) {
    result.push_back({rules::softmax({-1, -1}, t), {{2, 5}}});
    result.push_back({rules::softmax({1, 1}, t), {{2, 3, 4}}});
    result.push_back({rules::softmax({1, 2}, t), {{2, 3, 4}}});
    result.push_back({rules::log_softmax({-1, -1}, t), {{3, 4}}});
    result.push_back({rules::log_softmax({0, 0}, t), {{3, 4}}});
  }
  result.push_back({rules::softmax(), {{1}}});
  result.push_back({rules::log_softmax(), {{4, 1}}});
  result.push_back({rules::log_sum_exp(), {{3, 4}}});
  result.push_back({rules::log_sum_exp({0, 0}, true), {{3, 4}}});
  result.push_back({rules::log_sum_exp({-2, -1}), {{2, 3, 2}}});
  return result;
}

template <norm_tag N>
double global(any_rule const& rule, tensor_shape const& shape) {
  return rule.bound<N>(std::vector<tensor_shape>{shape}, {})[0].value();
}

}  // namespace

TEST_CASE("softmax family: sampled pairs, intervals and gradients agree with the rules") {
  for (auto const& c : softmax_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_pairs<norm::l2_t>(c);
    check_pairs<norm::linf_t>(c);
    check_pairs<norm::rms_t>(c);
    check_evaluation(c);
  }
}

TEST_CASE("softmax family: local bounds hold on balls and boxes and are never above the global ones") {
  for (auto const& c : softmax_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_locally(network_of_rule(c.rule, c.shapes[0]));
  }
}

TEST_CASE("group 22: softmax has the constant 1 / (2 T), approached where two logits share everything") {
  CHECK(global<norm::l2_t>(softmax(), {7}) == 0.5);
  CHECK(global<norm::linf_t>(softmax(), {7}) == 0.5);
  CHECK(global<norm::rms_t>(softmax(), {3, 7}) == 0.5);
  CHECK(global<norm::l2_t>(softmax(0.25), {7}) == 2);
  CHECK(global<norm::l2_t>(softmax(1e-30), {7}) == doctest::Approx(5e29));
  CHECK(global<norm::l2_t>(softmax(), {1}) == 0);
  std::vector<std::vector<double>> const tie{{0.0, 0.0, -40.0, -50.0}};
  Eigen::MatrixXd const j = jacobian({rules::softmax(), {{4}}}, tie);
  CHECK(l2_norm(j) == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(linf_norm(j) == doctest::Approx(0.5).epsilon(1e-12));
}

TEST_CASE("group 22: log-softmax has the constants sqrt(n) and 2, approached where one class is certain") {
  CHECK(tight_to(global<norm::l2_t>(log_softmax(), {2}), std::sqrt(2.0)));
  CHECK(global<norm::l2_t>(log_softmax(), {9}) == 3);
  CHECK(global<norm::linf_t>(log_softmax(), {9}) == 2);
  CHECK(global<norm::rms_t>(log_softmax(), {5, 9}) == 3);
  CHECK(global<norm::l2_t>(log_sum_exp(), {9}) == 1);
  std::vector<std::vector<double>> const certain{{60, 0, 0, 0, 0, 0, 0, 0, 0}};
  Eigen::MatrixXd const j = jacobian({rules::log_softmax(), {{9}}}, certain);
  CHECK(l2_norm(j) == doctest::Approx(3).epsilon(1e-12));
  CHECK(linf_norm(j) == doctest::Approx(2).epsilon(1e-12));
}

TEST_CASE("softmax bounds on small domains are the Jacobian's norm at the centre but for little") {
  std::vector<double> const x{2.0, 0.1, -0.3, 0.4, -1.0};
  for (any_rule const& rule : {any_rule(softmax()), any_rule(log_softmax()), any_rule(log_sum_exp())}) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    auto const net = network_of_rule(rule, {5});
    auto const domain = input_domain::ball(1e-7, x);
    Eigen::MatrixXd const j = jacobian({rule, {{5}}}, {x});
    double const inf = certify(net, {.norm = norm::linf, .domain = domain}).upper();
    double const two = certify(net, {.domain = domain}).upper();
    CHECK(inf >= linf_norm(j) * (1 - 1e-6));
    CHECK(inf <= linf_norm(j) * (1 + 1e-6));
    CHECK(two >= l2_norm(j) * (1 - 1e-6));
    CHECK(two <= l2_norm(j) * (name == "softmax" ? 1.2 : 1 + 1e-6));
  }
}

TEST_CASE("softmax fails closed on logits that are not bounded, and says what is wrong with temperatures") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(rules::softmax({}, 0.0), domain_error);
  CHECK_THROWS_AS(rules::softmax({}, -1.0), domain_error);
  CHECK_THROWS_AS(rules::log_softmax({}, nan), domain_error);
  CHECK_THROWS_AS(rules::softmax({}, infinity), domain_error);
  CHECK_THROWS_AS(network({3}).add(rules::softmax({1, 1}), {0}), shape_error);
  CHECK_THROWS_AS(network({3, 3}).add(rules::softmax({1, 0}), {0}), shape_error);
  std::vector<std::vector<interval>> const unknown{{interval::whole(), 0.0, {1.0, infinity}}};
  for (interval const p : value_of({rules::softmax(), {{3}}}, unknown)) {
    CHECK(p.lower >= 0);
    CHECK(p.upper <= 1);
    CHECK_FALSE(is_nan(p.lower));
  }
  for (interval const y : value_of({rules::log_softmax(), {{3}}}, unknown)) CHECK(y.upper <= 0);
  // Far logits neither overflow nor divide 0 by 0.
  std::vector<std::vector<interval>> const far{{1e300, -1e300, interval(-5.0, 1e300)}};
  auto const p = value_of({rules::softmax(), {{3}}}, far);
  CHECK(p[0].lower >= 0.49);
  CHECK(p[1].upper <= 1e-300);
  CHECK(p[2].upper <= 0.51);
}
