// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

using namespace sigmax;
using rules_list = std::vector<lipschitz::rules::activation>;
using lipschitz::dual;
using lipschitz::rules::activation;
using lipschitz::rules::activation_table;

namespace {

template <class T>
T value_at(activation const& rule, T x) {
  T y;
  std::span<T const> const inputs[] = {{&x, 1}};
  rule.evaluate<T>(inputs, {}, {&y, 1});
  return y;
}

double slope_at(activation const& rule, double x) { return std::fabs(value_at(rule, dual(x, 1.0)).derivative); }

/// Every entry with its default parameters, and those with parameters at other values.
rules_list all_rules() {
  rules_list result;
  for (auto const& entry : activation_table()) result.emplace_back(entry);
  using namespace lipschitz;
  for (double const a : {-3.0, -0.5, 0.0, 0.3, 1.0, 2.5}) {
    result.push_back(leaky_relu(a));
    result.push_back(prelu(a));
    result.push_back(elu(a));
    result.push_back(celu(a));
    result.push_back(selu(a, 1.5));
    result.push_back(selu(1.5, a));
    result.push_back(hard_sigmoid(a, 0.25));
    result.push_back(softplus(a));
    result.push_back(swish(a));
    result.push_back(thresholded_relu(a));
    result.push_back(shrink(a, a));
    result.push_back(clip(std::min(a, 1.0), 2.0));
  }
  return result;
}

/// A dense grid on [-50, 50] and both sides of the points where formulas change.
std::vector<double> grid() {
  std::vector<double> result;
  for (int i = -100000; i <= 100000; ++i) result.push_back(i * 5e-4);
  for (double const kink : {0.0, -3.0, 3.0, 0.5, -0.5, 1.0, 2.0, 2.5, -2.5}) {
    for (double const step : {1e-12, 1e-9, 1e-7}) {
      result.push_back(kink - step);
      result.push_back(kink + step);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("group 12: the constant of every activation is above all slopes and not above by more than 1e-6") {
  auto const points = grid();
  for (auto const& rule : all_rules()) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    CAPTURE(rule.parameters()[0]);
    if (!is_finite(rule.constant())) {
      CHECK_FALSE(rule.entry().refusal.empty());
      continue;
    }
    double largest = 0;
    for (double const x : points) largest = std::max(largest, slope_at(rule, x));
    CHECK(largest <= rule.constant() * (1 + 1e-15));
    CHECK(rule.constant() <= largest * (1 + 1e-6));
  }
}

TEST_CASE("group 12: slopes at the extremal points reach the typed constants") {
  using namespace lipschitz;
  struct extremal {
    activation rule;
    double at;
  };
  for (auto const& [rule, at] : {extremal{gelu(), 1.4142135623730951}, extremal{gelu_tanh(), 1.4185040087908284},
                                 extremal{silu(), 2.3993572805154677}, extremal{mish(), 1.4905714911794854},
                                 extremal{erf(), 0.0}, extremal{sigmoid(), 0.0}, extremal{hard_swish(), 3 - 1e-13}}) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    CHECK(slope_at(rule, at) <= rule.constant());
    CHECK(slope_at(rule, at) >= rule.constant() * (1 - 1e-12));
  }
  CHECK(selu().constant() >= 1.7580993463);
  CHECK(selu().constant() <= 1.7580993464);
}

TEST_CASE("secants never exceed the constant") {
  random_sequence const numbers(5);
  for (auto const& rule : all_rules()) {
    double const c = rule.constant();
    if (!is_finite(c)) continue;
    std::string const name = rule.operator_name();
    CAPTURE(name);
    for (std::uint64_t i = 0; i < 2000; ++i) {
      double const x = 6 * numbers.normal(2 * i);
      double const y = x + numbers.normal(2 * i + 1) * (i % 2 == 0 ? 1e-3 : 4.0);
      double const rise = std::fabs(value_at(rule, x) - value_at(rule, y));
      CHECK(rise <= c * std::fabs(x - y) * (1 + 1e-9) + 1e-13);
    }
  }
}

TEST_CASE("intervals enclose the double evaluation up to its rounding, and are narrow") {
  random_sequence const numbers(9);
  for (auto const& rule : all_rules()) {
    std::string const name = rule.operator_name();
    CAPTURE(name);
    CAPTURE(rule.parameters()[0]);
    for (std::uint64_t i = 0; i < 500; ++i) {
      double const x = 5 * numbers.normal(i);
      CAPTURE(x);
      double const y = value_at(rule, x);
      interval const box = value_at(rule, interval(x));
      if (is_nan(y) || !is_finite(y)) {
        CHECK_FALSE(is_nan(box.lower));
        continue;
      }
      double const rounding = 1e-13 * (1 + std::fabs(y));
      CHECK(box.lower <= y + rounding);
      CHECK(box.upper >= y - rounding);
      CHECK(box.width() <= 10 * rounding);
      // A wide argument holds the values at its members.
      interval const wide = value_at(rule, interval(x - 0.3, x + 0.4));
      CHECK(wide.lower <= box.upper);
      CHECK(wide.upper >= box.lower);
    }
  }
}

TEST_CASE("names are unique and lead to their entries") {
  auto const table = activation_table();
  CHECK(table.size() >= 38);
  for (auto const& entry : table) {
    CHECK(lipschitz::rules::find_activation(entry.name) == &entry);
    if (!entry.onnx_name.empty()) {
      CHECK(lipschitz::rules::find_activation_by_onnx(entry.onnx_name, entry.onnx_variant) == &entry);
    }
  }
  CHECK(lipschitz::rules::find_activation("") == nullptr);
  CHECK(lipschitz::rules::find_activation_by_onnx("") == nullptr);
  CHECK(lipschitz::rules::find_activation_by_onnx("Softmax") == nullptr);
  CHECK(lipschitz::rules::find_activation_by_onnx("Gelu")->name == "gelu");
  CHECK(lipschitz::rules::find_activation_by_onnx("Gelu", "tanh")->name == "gelu_tanh");
  CHECK(lipschitz::rules::find_activation_by_onnx("Gelu", "other") == nullptr);
  CHECK_THROWS_AS(lipschitz::rules::named_activation("relo"), unsupported_error);
}

TEST_CASE("every factory finds its entry") {
  using namespace lipschitz;
  rules_list const made{relu(),
                        lipschitz::abs(),
                        identity(),
                        neg(),
                        clip(-1, 1),
                        leaky_relu(),
                        prelu(0.1),
                        elu(),
                        celu(),
                        selu(),
                        softplus(),
                        log_sigmoid(),
                        softsign(),
                        lipschitz::tanh(),
                        sigmoid(),
                        hard_sigmoid(),
                        gelu(),
                        gelu_tanh(),
                        gelu_cubic(0.79788458, 0.044715),
                        silu(),
                        swish(),
                        quick_gelu(),
                        mish(),
                        hard_swish(),
                        lipschitz::erf(),
                        lipschitz::sin(),
                        lipschitz::cos(),
                        lipschitz::atan(),
                        lipschitz::asinh(),
                        square(),
                        lipschitz::exp(),
                        lipschitz::log(),
                        lipschitz::sqrt(),
                        reciprocal(),
                        lipschitz::pow(3),
                        sign(),
                        lipschitz::round(),
                        lipschitz::floor(),
                        lipschitz::ceil(),
                        thresholded_relu(),
                        shrink()};
  CHECK(made.size() == activation_table().size());
  for (auto const& entry : activation_table()) {
    CHECK(std::any_of(made.begin(), made.end(), [&](auto const& rule) { return &rule.entry() == &entry; }));
  }
}

TEST_CASE("activations that have no bound say why") {
  using namespace lipschitz;
  for (auto const& rule : {square(), lipschitz::exp(), lipschitz::log(), lipschitz::sqrt(), reciprocal(),
                           lipschitz::pow(2), sign(), lipschitz::round(), lipschitz::floor(), lipschitz::ceil(),
                           thresholded_relu(), shrink(), celu(-1.0), softplus(0.0), shrink(-1.0, -1.0)}) {
    CHECK(rule.constant() == infinity);
    CHECK(rule.refusal(norm::l2).size() > 10);
  }
  CHECK(thresholded_relu(0.0).constant() == 1);
  CHECK(shrink(0.5, 0.5).constant() == 1);
  CHECK(lipschitz::pow(1).constant() == 1);
  CHECK(lipschitz::pow(0).constant() == 0);
}

TEST_CASE("parameters are checked") {
  using namespace lipschitz;
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(leaky_relu(nan), domain_error);
  CHECK_THROWS_AS(elu(infinity), domain_error);
  CHECK_THROWS_AS(clip(nan, 1.0), domain_error);
  CHECK_NOTHROW(clip(-infinity, 1.0));
  CHECK(clip(infinity, infinity).constant() == infinity);
  CHECK_THROWS_AS(prelu(std::vector<double>{1.0, nan}), domain_error);
  CHECK_THROWS_AS(activation(*rules::find_activation("relu"), {{"alpha", 1.0}}), domain_error);
  CHECK_THROWS_AS(activation(*rules::find_activation("elu"), {}, {1.0}), domain_error);
  // ONNX attributes are floats; the default of alpha is the float nearest to 0.01.
  CHECK(leaky_relu().parameters()[0] == static_cast<double>(0.01f));
}

TEST_CASE("prelu takes the slope of each channel") {
  auto const rule = lipschitz::prelu(std::vector<double>{0.5, -3.0});
  CHECK(rule.constant() == 3);
  std::vector<double> const x{-1, -1, 2, -2};
  std::vector<double> y(4);
  std::span<double const> const inputs[] = {x};
  std::vector<lipschitz::tensor_shape> const shapes{{2, 2}};
  CHECK(rule.output_shape(shapes) == shapes[0]);
  rule.evaluate<double>(inputs, shapes, y);
  CHECK(y == std::vector<double>{-0.5, 3, 2, 6});
  std::vector<double> const gradient{1, 1, 1, 1};
  std::vector<double> back(4, 0.0);
  std::span<double> const into[] = {back};
  rule.pull_back(inputs, shapes, gradient, into);
  CHECK(back == std::vector<double>{0.5, -3, 1, -3});
  std::vector<lipschitz::tensor_shape> const wrong{{2, 3}};
  CHECK_THROWS_AS(rule.output_shape(wrong), shape_error);
}
