// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

struct rule_case {
  any_rule rule;
  std::vector<tensor_shape> shapes;
};

template <class T>
weight random_weight(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<T> w(rows, cols);
  random_sequence const numbers(seed);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = T(numbers.normal(static_cast<std::uint64_t>(i)));
  return weight::owning(std::move(w));
}

std::vector<double> normals(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::vector<double> result(count);
  random_sequence const numbers(seed);
  for (std::size_t i = 0; i < count; ++i) result[i] = scale * numbers.normal(i);
  return result;
}

/// One of each kind, in several shapes.
std::vector<rule_case> all_cases() {
  using rules::scale;
  std::vector<rule_case> result;
  result.push_back({rules::identity(), {{2, 3}}});
  result.push_back({rules::linear(random_weight<float>(5, 3, 1)), {{3}}});
  result.push_back({rules::linear(random_weight<double>(2, 7, 2), -0.3), {{4, 7}}});
  result.push_back({rules::linear(random_weight<bf16>(6, 6, 3).transposed()), {{2, 2, 6}}});
  result.push_back({rules::linear(random_weight<f16>(9, 1, 4)), {{1}}});
  result.push_back({rules::linear(random_weight<double>(1, 33, 5).transposed(), 2.0), {{1}}});
  result.push_back({rules::add_constant({1, 2, 3}, -2.0), {{2, 3}}});
  result.push_back({rules::scale({0.1, -3, 0}), {{2, 3}}});
  result.push_back({rules::scale({0.1, -3, 7}, scale::operation::divide), {{3}}});
  result.push_back({rules::scale({-3}), {{4, 2}}});
  result.push_back({rules::rearrange({6}), {{2, 3}}});
  result.push_back({rules::rearrange({3, 2}, {0, 3, 1, 4, 2, 5}, "transpose"), {{2, 3}}});
  result.push_back({rules::rearrange({5}, {0, 0, 0, 1, -1}, "expand"), {{3}}});
  result.push_back({rules::weighted_sum({interval(1.0), interval(-2.5), interval(0.3)}), {{4}, {4}, {4}}});
  result.push_back({rules::weighted_sum({interval(1.0) - interval(0.3), 0.3}), {{2, 2}, {2, 2}}});
  result.push_back({rules::ball_projection(0.8), {{4, 3}}});
  result.push_back({rules::rotary_embedding(3, 2, normals(6, 21), normals(6, 22)), {{2, 3, 5}}});
  result.push_back(
      {rules::rotary_embedding(3, 2, normals(6, 23), normals(6, 24), rules::rotary_embedding::pairing::interleaved),
       {{3, 4}}});
  result.push_back({rules::masked(rules::attention_mask({0.5, -1.0, 2.0}, {0, 1, 0})), {{2, 3}}});
  result.push_back({rules::matrix_product(), {{3, 4}, {4, 2}}});
  result.push_back({rules::matrix_product(), {{2, 1, 3, 4}, {3, 4, 2}}});
  result.push_back({rules::attention(0.5), {{2, 3, 4}, {2, 5, 4}, {2, 5, 3}}});
  result.push_back({rules::attention(interval(0.3) / 7.0, rules::attention_mask::causal()), {{4, 2}, {4, 2}, {4, 5}}});
  result.push_back({rules::attention(-1.0, rules::attention_mask({0.0, -infinity, 2.0, 0.5, -1e4, -infinity})),
                    {{3, 2, 4}, {3, 3, 4}, {3, 3, 1}}});
  result.push_back(
      {rules::attention(1.0, rules::attention_mask({0.0, -1.0, 2.0, 0.5}, {0, 1, 0, 0})), {{2, 4}, {2, 4}, {2, 2}}});
  for (auto const& entry : rules::activation_table()) {
    rules::activation rule(entry);
    if (is_finite(rule.constant())) result.push_back({rule, {{3, 5}}});
  }
  result.push_back({prelu({0.5, -2, 1}), {{4, 3}}});
  return result;
}

struct evaluated {
  explicit evaluated(rule_case const& c) : shapes(c.shapes), output(c.rule.output_shape(shapes)) {}
  template <class T>
  std::vector<T> operator()(any_rule const& rule, std::vector<std::vector<T>> const& inputs) const {
    std::vector<std::span<T const>> const spans(inputs.begin(), inputs.end());
    std::vector<T> y(static_cast<std::size_t>(element_count(output)));
    rule.evaluate(std::span<std::span<T const> const>(spans), shapes, std::span<T>(y));
    return y;
  }
  std::vector<tensor_shape> shapes;
  tensor_shape output;
};

std::vector<std::vector<double>> random_inputs(rule_case const& c, std::uint64_t seed, double scale) {
  std::vector<std::vector<double>> result;
  for (auto const& shape : c.shapes) {
    result.push_back(normals(static_cast<std::size_t>(element_count(shape)), seed + 1000 * result.size(), scale));
  }
  return result;
}

double distance(std::vector<double> const& a, std::vector<double> const& b, row_norm norm) {
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return attack::length(d, norm);
}

template <norm_tag N>
void check_bound(rule_case const& c) {
  evaluated const f(c);
  auto const bounds = c.rule.bound<N>(c.shapes, {});
  REQUIRE(bounds.size() == c.shapes.size());
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    auto const x = random_inputs(c, 10 * seed, 2.0);
    auto y = random_inputs(c, 10 * seed + 1, seed % 3 == 0 ? 2.0 : 1e-3);
    if (seed % 3 != 0) {
      for (std::size_t k = 0; k < x.size(); ++k) {
        for (std::size_t i = 0; i < x[k].size(); ++i) y[k][i] += x[k][i];
      }
    }
    double allowed = 0;
    for (std::size_t k = 0; k < x.size(); ++k)
      allowed += bounds[k].value() * distance(x[k], y[k], row_norm::of(N{}, c.shapes[k]));
    CHECK(distance(f(c.rule, x), f(c.rule, y), row_norm::of(N{}, f.output)) <= allowed * (1 + 1e-9) + 1e-13);
  }
}

}  // namespace

TEST_CASE("no sampled pair of points exceeds the bound of any rule, in all norms") {
  for (auto const& c : all_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    check_bound<norm::l2_t>(c);
    check_bound<norm::linf_t>(c);
    check_bound<norm::rms_t>(c);
  }
}

TEST_CASE("interval evaluation encloses the double one, and pull_back is the transpose of the derivative") {
  for (auto const& c : all_cases()) {
    std::string const name = c.rule.operator_name();
    CAPTURE(name);
    evaluated const f(c);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      auto const x = random_inputs(c, seed, 1.5);
      auto const v = random_inputs(c, seed + 77, 1.0);
      std::vector<std::vector<interval>> boxes;
      std::vector<std::vector<dual>> duals;
      for (std::size_t k = 0; k < x.size(); ++k) {
        boxes.emplace_back(x[k].begin(), x[k].end());
        auto& tangent = duals.emplace_back();
        for (std::size_t i = 0; i < x[k].size(); ++i) tangent.emplace_back(x[k][i], v[k][i]);
      }
      auto const y = f(c.rule, x);
      auto const box = f(c.rule, boxes);
      auto const tangent = f(c.rule, duals);
      auto const g = normals(y.size(), seed + 5);
      double forwards = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        double const rounding = 1e-13 * (1 + std::fabs(y[i]));
        CHECK(box[i].lower <= y[i] + rounding);
        CHECK(box[i].upper >= y[i] - rounding);
        CHECK(box[i].width() <= 10 * rounding);
        CHECK(tangent[i].value == doctest::Approx(y[i]));
        forwards += g[i] * tangent[i].derivative;
      }
      std::vector<std::vector<double>> back;
      for (auto const& each : x) back.emplace_back(each.size(), 0.0);
      std::vector<std::span<double const>> const inputs(x.begin(), x.end());
      std::vector<std::span<double>> const gradients(back.begin(), back.end());
      c.rule.pull_back(inputs, c.shapes, g, gradients);
      double backwards = 0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        for (std::size_t i = 0; i < x[k].size(); ++i) backwards += back[k][i] * v[k][i];
      }
      CHECK(forwards == doctest::Approx(backwards).epsilon(1e-9));
    }
  }
}

TEST_CASE("matrix times interval vector encloses members, and fails closed") {
  random_sequence const numbers(2);
  matrix<float> w(7, 13);
  fill_normal(w.view(), 8);
  w(2, 3) = 0;
  for (auto const& matrix_of : {weight::viewing(w), weight::viewing(w.view().transposed()).transposed()}) {
    rules::linear const rule(matrix_of);
    std::vector<tensor_shape> const shapes{{13}};
    std::vector<interval> x;
    std::vector<double> member;
    for (std::uint64_t j = 0; j < 13; ++j) {
      double const centre = numbers.normal(3 * j);
      double const radius = j % 2 == 0 ? 0.0 : 0.1 * numbers.uniform(3 * j + 1);
      x.emplace_back(centre - radius, centre + radius);
      member.push_back(x.back().lower + (x.back().upper - x.back().lower) * numbers.uniform(3 * j + 2));
    }
    std::vector<interval> y(7);
    std::span<interval const> const inputs[] = {x};
    rule.evaluate<interval>(inputs, shapes, y);
    for (index_t i = 0; i < 7; ++i) {
      long double exact = 0;
      for (index_t j = 0; j < 13; ++j) exact += static_cast<long double>(w(i, j)) * member[static_cast<std::size_t>(j)];
      CHECK(y[static_cast<std::size_t>(i)].lower <= static_cast<double>(exact) + 1e-15);
      CHECK(y[static_cast<std::size_t>(i)].upper >= static_cast<double>(exact) - 1e-15);
    }
    x[3] = interval(0.0, infinity);
    rule.evaluate<interval>(inputs, shapes, y);
    for (auto const& each : y) CHECK(each.upper == infinity);
    x[3] = interval(1e308);
    x[4] = interval(1e308);
    rule.evaluate<interval>(inputs, shapes, y);
    for (auto const& each : y) CHECK_FALSE(is_nan(each.lower));
  }
}

TEST_CASE("sensitivities of simple rules are exact") {
  std::vector<tensor_shape> const six{{6}};
  auto const l2 = [&](any_rule const& rule) { return rule.bound<norm::l2_t>(six, {})[0].value(); };
  auto const linf = [&](any_rule const& rule) { return rule.bound<norm::linf_t>(six, {})[0].value(); };
  CHECK(l2(rules::rearrange({6}, {5, 4, 3, 2, 1, 0})) == 1);
  CHECK(l2(rules::rearrange({4}, {0, 0, 0, 0})) == 2);
  CHECK(l2(rules::rearrange({2}, {0, 0})) >= 1.4142135623730951);
  CHECK(l2(rules::rearrange({2}, {0, 0})) <= 1.41421356237310);
  CHECK(linf(rules::rearrange({4}, {0, 0, 0, 0})) == 1);
  CHECK(l2(rules::rearrange({2}, {-1, -1})) == 0);
  CHECK(l2(rules::add_constant({1e300})) == 1);
  CHECK(l2(rules::scale({-4.0, 2.0})) == 4);
  CHECK(l2(rules::scale({0.0})) == 0);
  CHECK(l2(rules::scale({-4.0, 3.0}, rules::scale::operation::divide)) >= 1.0 / 3);
  CHECK(l2(rules::scale({-4.0, 3.0}, rules::scale::operation::divide)) <= 0.33333333333334);
  CHECK(rules::constant({2}, {1, 2}).bound<norm::l2_t>({}, {}).empty());
  CHECK(rules::bounded(trust<norm::spectral>(3, "said so")).bound<norm::l2_t>(six, {})[0].value() == 3);
  CHECK(rules::bounded(trust<norm::spectral>(3, "said so")).bound<norm::linf_t>(six, {})[0].value() == infinity);
}

TEST_CASE("shapes that do not fit are refused by name") {
  network net({2, 3});
  auto const before = net.size();
  CHECK_THROWS_AS(net.add(rules::linear(random_weight<float>(3, 2, 1)), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::linear(random_weight<float>(3, 3, 1)), {0, 0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::add_constant({1, 2}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::scale({1, 2, 3, 4}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::rearrange({7}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::rearrange({1}, {6}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::weighted_sum({1.0, 1.0}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(rules::constant({1}, {1.0}), {0}), shape_error);
  CHECK_THROWS_AS(net.add(relu(), {}), shape_error);
  CHECK_THROWS_AS(net.add(relu(), {1}), domain_error);
  CHECK_THROWS_AS(net.add(relu(), {-1}), domain_error);
  CHECK(net.size() == before);
  auto const flat = net.add(rules::rearrange({6}), {0});
  CHECK_THROWS_AS(net.add(rules::weighted_sum({1.0, 1.0}), {0, flat}), shape_error);
  CHECK_THROWS_AS(rules::rearrange({2}, {0, -2}), shape_error);
  CHECK_THROWS_AS(rules::rearrange({3}, {0, 1}), shape_error);
  CHECK_THROWS_AS(rules::constant({3}, {0, 1}), shape_error);
  try {
    net.add(rules::scale({1, 2, 3, 4, 5}), {flat}, "gain");
    CHECK(false);
  } catch (shape_error const& problem) {
    CHECK(std::string(problem.what()).find("'gain'") != std::string::npos);
  }
}

TEST_CASE("parameters that are no numbers are refused") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(rules::scale({nan}), numeric_error);
  CHECK_THROWS_AS(rules::scale({infinity}), numeric_error);
  CHECK_THROWS_AS(rules::scale({}), domain_error);
  CHECK_THROWS_AS(rules::scale({1.0, 0.0}, rules::scale::operation::divide), domain_error);
  CHECK_THROWS_AS(rules::add_constant({nan}), numeric_error);
  CHECK_THROWS_AS(rules::add_constant({1.0}, infinity), numeric_error);
  CHECK_THROWS_AS(rules::weighted_sum({interval(nan)}), numeric_error);
  CHECK_THROWS_AS(rules::weighted_sum({}), domain_error);
  CHECK_THROWS_AS(rules::linear(random_weight<float>(1, 1, 1), nan), numeric_error);
  CHECK_THROWS_AS(rules::constant({1}, {nan}), numeric_error);
}
