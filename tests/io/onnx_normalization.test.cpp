// SPDX-License-Identifier: MIT
// Softmax, normalisations as operators and as exporters decompose them, products, Max, Min, Where.
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using lipschitz::input_domain;
using lipschitz::tensor_shape;
using test::evaluate;
using test::extents;
using test::has;
using test::integers;
using test::model_builder;
using test::ramp;
using numbers = std::vector<double>;

template <class E>
std::string refused(model_builder const& builder) {
  return test::error_text<E>([&] { builder.parse(); });
}

onnx::TensorProto scalar(std::string const& name, float value) {
  auto tensor = ramp(name, {}, value);
  return tensor;
}

onnx::TensorProto truths(std::string const& name, extents const& dims, std::vector<int> const& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::BOOL);
  for (auto const extent : dims) tensor.add_dims(extent);
  for (int const value : values) tensor.add_int32_data(value);
  return tensor;
}

double bound(lipschitz::network const& net, norm::any n = norm::l2) {
  return test::certify(net, {.norm = n, .attack = false}).upper();
}

bool near(numbers const& a, numbers const& b) {
  bool result = a.size() == b.size();
  for (std::size_t i = 0; result && i < a.size(); ++i) result = std::fabs(a[i] - b[i]) <= 1e-12 * (1 + std::fabs(b[i]));
  return result;
}

numbers const point{1, -2, 0.5, 3, 4, 4, -1, 0.25, 2, 2, 7, -3};

/// Operators the whole network has, without its input.
std::size_t nodes_of(lipschitz::network const& net) { return static_cast<std::size_t>(net.size() - 1); }

}  // namespace

TEST_CASE("onnx: Softmax flattens before operator set 13 and takes one axis since") {
  model_builder old({1, 2, 3}, 11);
  old.node("Softmax", {"x"});
  auto const flat = evaluate(old.parse(), {0, 0, 0, 0, 0, 0});
  CHECK(near(flat, numbers(6, 1.0 / 6)));
  model_builder late({1, 2, 3}, 13);
  late.node("Softmax", {"x"});
  CHECK(near(evaluate(late.parse(), {0, 0, 0, 0, 0, 0}), numbers(6, 1.0 / 3)));
  model_builder axis({1, 2, 3}, 13);
  axis.node("Softmax", {"x"}).set("axis", 1);
  CHECK(near(evaluate(axis.parse(), {0, 0, 0, 0, 0, 0}), numbers(6, 0.5)));
  model_builder logarithms({1, 3}, 13);
  logarithms.node("LogSoftmax", {"x"});
  CHECK(near(evaluate(logarithms.parse(), {1, 1, 1}), numbers(3, -std::log(3.0))));
  CHECK(bound(old.parse()) == 0.5);
  CHECK(bound(logarithms.parse(), norm::linf) == 2);
  model_builder wrong({1, 2, 3}, 13);
  wrong.node("Softmax", {"x"}).set("axis", 3);
  CHECK(has(refused<format_error>(wrong), "axis is 3"));
}

TEST_CASE("onnx: ReduceLogSumExp over any axes") {
  model_builder model({2, 3, 2}, 13);
  model.node("ReduceLogSumExp", {"x"}).set("axes", extents{0, 2});
  auto const net = model.parse();
  CHECK(net.output_shape() == tensor_shape{1, 3, 1});
  CHECK(
      near(evaluate(net, {0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2}), {std::log(4.0), 1 + std::log(4.0), 2 + std::log(4.0)}));
  CHECK(test::tight(bound(net), 1));
}

TEST_CASE("onnx: LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization") {
  model_builder layer({2, 6}, 17);
  layer.store(ramp("g", {6}, 1, 0.5)).store(ramp("b", {6}));
  layer.node("LayerNormalization", {"x", "g", "b"}).set("epsilon", 0.25f);
  auto const net = layer.parse();
  double mean = 0;
  double variance = 0;
  for (std::size_t i = 0; i < 6; ++i) mean += point[i] / 6;
  for (std::size_t i = 0; i < 6; ++i) variance += (point[i] - mean) * (point[i] - mean) / 6;
  auto const y = evaluate(net, point);
  for (std::size_t i = 0; i < 6; ++i) {
    double const k = static_cast<double>(i);
    CHECK(y[i] == doctest::Approx((1 + 0.5 * k) * (point[i] - mean) / std::sqrt(variance + 0.25) + 1 + k));
  }
  CHECK(bound(net) < 3.5 / 0.5);
  CHECK(bound(net) > 3.0 / 0.5);

  model_builder rms({2, 6}, 23);
  rms.store(ramp("g", {6}, 2, 0));
  rms.node("RMSNormalization", {"x", "g"});
  CHECK(bound(rms.parse()) == doctest::Approx(2 / std::sqrt(double{1e-5f})));

  // Two groups of two channels: one value a group in set 18, one a channel in 21.
  model_builder old({1, 4, 3}, 18);
  old.store(ramp("g", {2}, 1, 1)).store(ramp("b", {2}, 10, 10));
  old.node("GroupNormalization", {"x", "g", "b"}).set("num_groups", 2).set("epsilon", 1.0f);
  model_builder late({1, 4, 3}, 21);
  onnx::TensorProto g = ramp("g", {4});
  onnx::TensorProto b = ramp("b", {4});
  for (int i = 0; i < 4; ++i) {
    g.set_float_data(i, i < 2 ? 1.0f : 2.0f);
    b.set_float_data(i, i < 2 ? 10.0f : 20.0f);
  }
  late.store(g).store(b);
  late.node("GroupNormalization", {"x", "g", "b"}).set("num_groups", 2).set("epsilon", 1.0f);
  CHECK(near(evaluate(old.parse(), point), evaluate(late.parse(), point)));
  CHECK(test::tight(bound(old.parse()), 2));
  model_builder unequal({1, 4, 3}, 21);
  unequal.store(g).store(b);
  unequal.node("GroupNormalization", {"x", "g", "b"}).set("num_groups", 3);
  CHECK(has(refused<format_error>(unequal), "equal parts"));

  model_builder instance({2, 2, 3}, 17);
  instance.store(ramp("g", {2}, 1, 1)).store(ramp("b", {2}));
  instance.node("InstanceNormalization", {"x", "g", "b"}).set("epsilon", 1.0f);
  auto const z = evaluate(instance.parse(), point);
  CHECK(z[0] + z[1] + z[2] == doctest::Approx(3));
  CHECK(z[3] + z[4] + z[5] == doctest::Approx(6));
}

TEST_CASE("onnx: LpNormalization and MeanVarianceNormalization") {
  model_builder unit({2, 6}, 13);
  unit.node("LpNormalization", {"x"});
  auto const net = unit.parse();
  double length = 0;
  for (double const each : evaluate(net, point)) length += each * each;
  CHECK(length == doctest::Approx(2));
  CHECK(bound(net) == infinity);
  CHECK(test::certify(net, {.domain = input_domain::ball(0.5, point)}).upper() < 1);
  model_builder l1({2, 6}, 13);
  l1.node("LpNormalization", {"x"}).set("p", 1);
  CHECK(has(refused<unsupported_error>(l1), "only 2"));
  model_builder variance({1, 2, 3, 2}, 13);
  variance.node("MeanVarianceNormalization", {"x"});
  auto const y = evaluate(variance.parse(), point);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    sum += y[i];
    squares += y[i] * y[i];
  }
  CHECK(std::fabs(sum) < 1e-12);
  CHECK(squares == doctest::Approx(6));
  CHECK(bound(variance.parse()) == doctest::Approx(1e9));
}

TEST_CASE("onnx: a layer normalisation in elementary operators is the operator") {
  model_builder fused({2, 6}, 17);
  fused.store(ramp("g", {6}, 1, 0.5)).store(ramp("b", {6}));
  fused.node("LayerNormalization", {"x", "g", "b"});
  auto const whole = fused.parse();
  using spelling = std::function<void(model_builder&)>;
  std::vector<spelling> const divisions{[](model_builder& m) {
                                          m.node("Sqrt", {"shifted"}, {"deviation"});
                                          m.node("Div", {"centred", "deviation"}, {"z"});
                                        },
                                        [](model_builder& m) {
                                          m.node("Sqrt", {"shifted"}, {"deviation"});
                                          m.node("Reciprocal", {"deviation"}, {"inverse"});
                                          m.node("Mul", {"inverse", "centred"}, {"z"});
                                        },
                                        [](model_builder& m) {
                                          m.store(scalar("half", -0.5f));
                                          m.node("Pow", {"shifted", "half"}, {"inverse"});
                                          m.node("Mul", {"centred", "inverse"}, {"z"});
                                        },
                                        [](model_builder& m) {
                                          m.store(scalar("one", 1.0f));
                                          m.node("Sqrt", {"shifted"}, {"deviation"});
                                          m.node("Div", {"one", "deviation"}, {"inverse"});
                                          m.node("Mul", {"centred", "inverse"}, {"z"});
                                        }};
  std::vector<spelling> const squares{[](model_builder& m) {
                                        m.store(scalar("two", 2.0f));
                                        m.node("Pow", {"centred", "two"}, {"squares"});
                                      },
                                      [](model_builder& m) {
                                        m.node("Mul", {"centred", "centred"}, {"squares"});
                                      }};
  for (auto const& division : divisions) {
    for (auto const& square : squares) {
      for (bool const keeps : {true, false}) {
        model_builder model({2, 6}, 13);
        model.store(ramp("g", {6}, 1, 0.5)).store(ramp("b", {6})).store(scalar("e", 1e-5f)).store(integers("at", {-1}));
        model.node("ReduceMean", {"x"}, {"mean"}).set("axes", extents{-1}).set("keepdims", keeps ? 1 : 0);
        if (!keeps) model.node("Unsqueeze", {"mean", "at"}, {"column"});
        model.node("Sub", {"x", keeps ? "mean" : "column"}, {"centred"});
        square(model);
        model.node("ReduceMean", {"squares"}, {"variance"}).set("axes", extents{1});
        model.node("Add", {"variance", "e"}, {"shifted"});
        division(model);
        model.node("Mul", {"g", "z"}, {"scaled"});
        model.node("Add", {"scaled", "b"});
        auto const net = model.parse();
        CHECK(nodes_of(net) == 1);
        CHECK(net.nodes().back().rule.operator_name() == "layer_normalization");
        CHECK(near(evaluate(net, point), evaluate(whole, point)));
        for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
          CHECK(bound(net, n) == bound(whole, n));
        }
      }
    }
  }
}

TEST_CASE("onnx: an RMS normalisation and a division by the length in elementary operators are recognised") {
  model_builder rms({2, 6}, 13);
  rms.store(ramp("g", {6}, 1, 0.5)).store(scalar("e", 1e-6f)).store(scalar("two", 2.0f)).store(scalar("one", 1.0f));
  rms.node("Pow", {"x", "two"}, {"squares"});
  rms.node("ReduceMean", {"squares"}, {"mean"}).set("axes", extents{-1});
  rms.node("Add", {"mean", "e"}, {"shifted"});
  rms.node("Sqrt", {"shifted"}, {"root"});
  rms.node("Div", {"one", "root"}, {"inverse"});
  rms.node("Mul", {"x", "inverse"}, {"z"});
  rms.node("Mul", {"g", "z"});
  auto const net = rms.parse();
  CHECK(nodes_of(net) == 1);
  CHECK(bound(net) == doctest::Approx(3.5 / std::sqrt(double{1e-6f})));
  CHECK(bound(net, norm::rms) == doctest::Approx(3.5 / std::sqrt(double{1e-6f})));

  for (char const* const kind : {"Clip", "Max", "nothing"}) {
    model_builder unit({2, 6}, 13);
    unit.store(scalar("e", 1e-3f));
    unit.node("ReduceL2", {"x"}, {"length"}).set("axes", extents{-1});
    std::string const by = std::string(kind) == "nothing" ? "length" : "least";
    if (by == "least") unit.node(kind, {"length", "e"}, {"least"});
    unit.node("Div", {"x", by});
    auto const normalized = unit.parse();
    CHECK(nodes_of(normalized) == 1);
    double length = 0;
    for (double const each : evaluate(normalized, point)) length += each * each;
    CHECK(length == doctest::Approx(2));
    if (by == "least") CHECK(bound(normalized) == doctest::Approx(1e3));
    if (by != "least") CHECK(bound(normalized) == infinity);
  }
}

TEST_CASE("onnx: what only looks like a normalisation is left alone") {
  struct variant {
    extents mean_axes{-1};
    extents variance_axes{-1};
    char const* squared = "centred";
    char const* divided = "centred";
  };
  for (auto const& v : {variant{.variance_axes = {0}}, variant{.mean_axes = {0}}, variant{.squared = "x"},
                        variant{.divided = "x"}, variant{.mean_axes = {0}, .variance_axes = {0}}}) {
    model_builder model({3, 3}, 13);
    model.store(scalar("e", 0.5f)).store(scalar("two", 2.0f));
    model.node("ReduceMean", {"x"}, {"mean"}).set("axes", v.mean_axes);
    model.node("Sub", {"x", "mean"}, {"centred"});
    model.node("Pow", {v.squared, "two"}, {"squares"});
    // Without the reduced axis a column is read as a row.
    model.node("ReduceMean", {"squares"}, {"variance"})
        .set("axes", v.variance_axes)
        .set("keepdims", v.divided[0] == 'x');
    model.node("Add", {"variance", "e"}, {"shifted"});
    model.node("Sqrt", {"shifted"}, {"root"});
    model.node("Div", {v.divided, "root"});
    auto const net = model.parse();
    numbers const x(point.begin(), point.begin() + 9);
    // By hand.
    numbers y(9);
    auto const mean_over = [](numbers const& from, bool rows) {
      numbers result(3, 0.0);
      for (std::size_t i = 0; i < 9; ++i) result[rows ? i / 3 : i % 3] += from[i] / 3;
      return result;
    };
    bool const mean_rows = v.mean_axes[0] == -1;
    bool const variance_rows = v.variance_axes[0] == -1;
    auto const mean = mean_over(x, mean_rows);
    numbers centred = x;
    for (std::size_t i = 0; i < 9; ++i) centred[i] -= mean[mean_rows ? i / 3 : i % 3];
    numbers squares = v.squared[0] == 'x' ? x : centred;
    for (double& each : squares) each *= each;
    auto const variance = mean_over(squares, variance_rows);
    for (std::size_t i = 0; i < 9; ++i) {
      bool const as_column = v.divided[0] == 'x' && variance_rows;
      double const own = variance[as_column ? i / 3 : i % 3];
      y[i] = (v.divided[0] == 'x' ? x : centred)[i] / std::sqrt(own + 0.5);
    }
    CHECK(near(evaluate(net, x), y));
    test::certify(net, {.domain = input_domain::ball(0.5, x)});  // throws where the attack proves more
  }
}

TEST_CASE("onnx: products of computed values are bounded on domains") {
  model_builder gate({1, 4});
  gate.store(ramp("w", {4, 4}, -1, 0.125));
  gate.node("MatMul", {"x", "w"}, {"a"});
  gate.node("Sigmoid", {"a"}, {"s"});
  gate.node("Mul", {"a", "s"});
  auto const net = gate.parse();
  CHECK(bound(net) == infinity);
  double const local = test::certify(net, {.domain = input_domain::ball(0.1)}).upper();
  CHECK(is_finite(local));
  model_builder square({1, 2});
  square.node("Mul", {"x", "x"});
  CHECK(evaluate(square.parse(), {3, -4}) == numbers{9, 16});
  CHECK(test::tight(test::certify(square.parse(), {.domain = input_domain::box({0, 0}, {2, 3})}).upper(), 6));
  model_builder quotient({2, 2});
  quotient.store(ramp("w", {2, 1}, 1, 1));
  quotient.node("MatMul", {"x", "w"}, {"y1"});
  quotient.node("Div", {"x", "y1"});
  CHECK(near(evaluate(quotient.parse(), {1, 2, 3, 4}), {0.2, 0.4, 3.0 / 11, 4.0 / 11}));
  CHECK(bound(quotient.parse()) == infinity);
  CHECK(is_finite(test::certify(quotient.parse(), {.domain = input_domain::box({1, 1, 1, 1}, {2, 2, 2, 2})}).upper()));
  model_builder inverse({1, 2});
  inverse.store(ramp("c", {2}, 2, 2));
  inverse.node("Div", {"c", "x"});
  CHECK(evaluate(inverse.parse(), {4, 8}) == numbers{0.5, 0.5});
  CHECK(bound(inverse.parse()) == infinity);
  CHECK(test::tight(test::certify(inverse.parse(), {.domain = input_domain::box({1, 1}, {2, 2})}).upper(), 4));
}

TEST_CASE("onnx: Max, Min and Where") {
  model_builder most({1, 3});
  most.store(ramp("c", {3})).store(scalar("zero", 0.0f));
  most.node("Neg", {"x"}, {"n"});
  most.node("Max", {"x", "n", "c"});
  CHECK(evaluate(most.parse(), {-5, 1, 2}) == numbers{5, 2, 3});
  CHECK(test::tight(bound(most.parse(), norm::linf), 1));
  CHECK(bound(most.parse()) == doctest::Approx(std::sqrt(2.0)));
  model_builder relu({1, 3});
  relu.store(scalar("zero", 0.0f));
  relu.node("Max", {"zero", "x"});
  CHECK(evaluate(relu.parse(), {-5, 1, 2}) == numbers{0, 1, 2});
  CHECK(relu.parse().nodes().back().rule.operator_name() == "clip");
  model_builder least({1, 3});
  least.store(ramp("c", {2, 3}));
  least.node("Min", {"x", "c"});
  CHECK(evaluate(least.parse(), {5, 1, 2}) == numbers{1, 1, 2, 4, 1, 2});
  model_builder where({1, 3});
  where.store(truths("c", {3}, {1, 0, 1})).store(scalar("other", -7.0f));
  where.node("Where", {"c", "x", "other"});
  CHECK(evaluate(where.parse(), {5, 1, 2}) == numbers{5, -7, 2});
  CHECK(test::tight(bound(where.parse()), 1));
  model_builder both({1, 3});
  both.store(truths("c", {3}, {1, 0, 1}));
  both.node("Neg", {"x"}, {"n"});
  both.node("Where", {"c", "x", "n"});
  CHECK(evaluate(both.parse(), {5, 1, 2}) == numbers{5, -1, 2});
  model_builder type({1, 3});
  type.store(ramp("c", {3}));
  type.node("Where", {"c", "x", "x"});
  CHECK(has(refused<format_error>(type), "truth values"));
}
