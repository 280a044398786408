// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>

#include "model_builder.hpp"

using namespace sigmax;
using test::evaluate;
using test::extents;
using test::has;
using test::integers;
using test::model_builder;
using test::ramp;

namespace {

using numbers = std::vector<double>;

numbers counted(std::size_t count, double first = 1, double step = 1) {
  numbers result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = first + step * static_cast<double>(i);
  return result;
}

/// Numbers without a pattern that floats hold.
numbers scattered(std::size_t count, double phase) {
  numbers result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i] = static_cast<double>(static_cast<float>(std::sin(phase + 1.7 * static_cast<double>(i * i + 1))));
  }
  return result;
}

onnx::TensorProto tensor(std::string const& name, extents const& dims, numbers const& values) {
  auto result = ramp(name, dims);
  result.clear_float_data();
  for (double const x : values) result.add_float_data(static_cast<float>(x));
  return result;
}

onnx::TensorProto truths(std::string const& name, extents const& dims, std::vector<int> const& values) {
  onnx::TensorProto result;
  result.set_name(name);
  result.set_data_type(onnx::TensorProto::BOOL);
  for (auto const extent : dims) result.add_dims(extent);
  for (int const value : values) result.add_int32_data(value);
  return result;
}

void check_near(numbers const& found, numbers const& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

template <class E>
std::string refused(model_builder const& model) {
  return test::error_text<E>([&] { model.parse(); });
}

lipschitz::tensor_shape shape_of(lipschitz::network const& net) { return net.output_shape(); }

double bound_l2(lipschitz::network const& net) { return test::certify(net, {.attack = false}).upper(); }

/// A convolution of (1, c, h, w) with one group, by its definition.
numbers convolved(numbers const& x, int c, int h, int w, numbers const& k, int out, int kh, int kw, int stride, int top,
                  int left, int rows, int cols) {
  numbers y;
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        double sum = 0;
        for (int s = 0; s < c; ++s) {
          for (int a = 0; a < kh; ++a) {
            for (int b = 0; b < kw; ++b) {
              int const at = i * stride + a - top;
              int const to = j * stride + b - left;
              if (at < 0 || at >= h || to < 0 || to >= w) continue;
              sum += k[static_cast<std::size_t>(((o * c + s) * kh + a) * kw + b)] *
                     x[static_cast<std::size_t>((s * h + at) * w + to)];
            }
          }
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("group 13: onnx: Conv with all kinds of padding and strides computes what its definition says") {
  auto const x = scattered(2 * 5 * 6, 0);
  auto const k = scattered(3 * 2 * 3 * 2, 1);
  auto const build = [&](auto const& set) {
    model_builder model({1, 2, 5, 6});
    model.store(tensor("w", {3, 2, 3, 2}, k)).store(tensor("b", {3}, {0, 0, 0}));
    auto node = model.node("Conv", {"x", "w", "b"});
    set(node);
    return model.parse();
  };
  check_near(evaluate(build([](auto&) {}), x), convolved(x, 2, 5, 6, k, 3, 3, 2, 1, 0, 0, 3, 5));
  check_near(evaluate(build([](auto& n) {
                        n.set("pads", extents{1, 0, 2, 3}).set("kernel_shape", extents{3, 2});
                      }),
                      x),
             convolved(x, 2, 5, 6, k, 3, 3, 2, 1, 1, 0, 6, 8));
  // SAME with stride 2: 3 rows need a total of 2, 3 columns none.
  for (std::string const mode : {"SAME_UPPER", "SAME_LOWER"}) {
    check_near(evaluate(build([&](auto& n) {
                          n.set("auto_pad", mode).set("strides", extents{2, 2});
                        }),
                        x),
               convolved(x, 2, 5, 6, k, 3, 3, 2, 2, 1, 0, 3, 3));
  }
  // SAME with stride 1: one column more, at the end or at the beginning.
  check_near(evaluate(build([&](auto& n) { n.set("auto_pad", std::string("SAME_UPPER")); }), x),
             convolved(x, 2, 5, 6, k, 3, 3, 2, 1, 1, 0, 5, 6));
  check_near(evaluate(build([&](auto& n) { n.set("auto_pad", std::string("SAME_LOWER")); }), x),
             convolved(x, 2, 5, 6, k, 3, 3, 2, 1, 1, 1, 5, 6));
  check_near(evaluate(build([&](auto& n) { n.set("auto_pad", std::string("VALID")); }), x),
             convolved(x, 2, 5, 6, k, 3, 3, 2, 1, 0, 0, 3, 5));
  model_builder grouped({1, 2, 4});
  grouped.store(tensor("w", {2, 1, 1}, {2, 3})).store(tensor("b", {2}, {10, 20}));
  grouped.node("Conv", {"x", "w", "b"}).set("group", 2).set("dilations", extents{5});
  CHECK(evaluate(grouped.parse(), {1, 2, 3, 4, 5, 6, 7, 8}) == numbers{12, 14, 16, 18, 35, 38, 41, 44});
  CHECK(bound_l2(grouped.parse()) == doctest::Approx(3));
}

TEST_CASE("group 13: onnx: ConvTranspose with output padding") {
  model_builder model({1, 1, 3});
  model.store(tensor("w", {1, 2, 2}, {1, 10, 2, 20}));
  model.node("ConvTranspose", {"x", "w"}).set("strides", extents{3}).set("output_padding", extents{1});
  auto const net = model.parse();
  CHECK(shape_of(net) == lipschitz::tensor_shape{1, 2, 9});
  CHECK(evaluate(net, {1, 2, 3}) == numbers{1, 10, 0, 2, 20, 0, 3, 30, 0, 2, 20, 0, 4, 40, 0, 6, 60, 0});
  CHECK(bound_l2(net) == doctest::Approx(std::sqrt(505.0)));
  model_builder shaped({1, 1, 3});
  shaped.store(tensor("w", {1, 1, 3}, {1, 10, 100}));
  shaped.node("ConvTranspose", {"x", "w"}).set("output_shape", extents{3});
  CHECK(evaluate(shaped.parse(), {1, 2, 3}) == numbers{12, 123, 230});
  model_builder odd({1, 1, 3});
  odd.store(tensor("w", {1, 1, 3}, {1, 10, 100}));
  odd.node("ConvTranspose", {"x", "w"}).set("output_shape", extents{4});
  CHECK(has(refused<unsupported_error>(odd), "negative or odd"));
}

TEST_CASE("group 15: onnx: batch normalisation is folded into what stands before it, and never forgets rounding") {
  auto const k = scattered(2 * 1 * 3, 3);
  auto const build = [&](bool before, std::int64_t opset = 15) {
    model_builder model({1, 1, 5}, opset);
    model.store(tensor("w", {2, 1, 3}, k)).store(tensor("b", {2}, {0.5, -0.25}));
    model.store(tensor("gamma", {2}, {3, -0.01})).store(tensor("beta", {2}, {1, 2}));
    model.store(tensor("mean", {2}, {0.125, 4})).store(tensor("variance", {2}, {0, 7}));
    if (before) model.node("Conv", {"x", "w", "b"}, {"c"});
    model.node("BatchNormalization", {before ? "c" : "x", "gamma", "beta", "mean", "variance"}).set("epsilon", 0.25f);
    return model;
  };
  auto const x = scattered(5, 9);
  auto const net = build(true).parse();
  auto plain = convolved(x, 1, 1, 5, k, 2, 1, 3, 1, 0, 0, 1, 3);
  for (std::size_t i = 0; i < 6; ++i) {
    double const factor = i < 3 ? 3 / 0.5 : -0.01f / std::sqrt(7.25);
    plain[i] = factor * (plain[i] + (i < 3 ? 0.5 : -0.25) - (i < 3 ? 0.125 : 4)) + (i < 3 ? 1 : 2);
  }
  check_near(evaluate(net, x), plain);
  CHECK(net[net.output()].rule.operator_name() == "channel_shift");
  auto const& folded = net[net[net.output()].inputs[0]];
  REQUIRE(folded.rule.as<lipschitz::rules::convolution>() != nullptr);
  CHECK(folded.rule.as<lipschitz::rules::convolution>()->gains().size() == 2);
  // Not the product of both norms: the channel with the large factor alone.
  double const one = std::sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
  CHECK(bound_l2(net) <= 6 * (std::fabs(k[0]) + std::fabs(k[1]) + std::fabs(k[2])) * 1.001);
  CHECK(bound_l2(net) >= 6 * one);
  // 1 / sqrt(variance + epsilon) with variance 0 is 1 / sqrt(epsilon).
  model_builder alone({1, 1, 2}, 15);
  for (char const* const name : {"gamma", "beta", "mean"}) alone.store(tensor(name, {1}, {1}));
  alone.store(tensor("variance", {1}, {0}));
  alone.node("BatchNormalization", {"x", "gamma", "beta", "mean", "variance"});
  double const expected = 1 / std::sqrt(static_cast<double>(1e-5f));
  CHECK(bound_l2(alone.parse()) >= expected);
  CHECK(bound_l2(alone.parse()) <= expected * (1 + 1e-14));
  // Behind a matrix the whole is one as well.
  model_builder gemm({1, 2}, 15);
  gemm.store(tensor("w", {2, 2}, {1, 2, 3, 4})).store(tensor("b", {2}, {1, 1}));
  for (char const* const name : {"beta", "mean"}) gemm.store(tensor(name, {2}, {0, 0}));
  gemm.store(tensor("gamma", {2}, {0, 1})).store(tensor("variance", {2}, {1, 1}));
  gemm.node("Gemm", {"x", "w", "b"}, {"g"});
  gemm.node("BatchNormalization", {"g", "gamma", "beta", "mean", "variance"}).set("epsilon", 0.0f);
  CHECK(bound_l2(gemm.parse()) == doctest::Approx(std::sqrt(20.0)));
  CHECK(evaluate(gemm.parse(), {1, 1}) == numbers{0, 7});

  auto training = build(true);
  training.graph().mutable_node(1)->add_attribute()->set_name("training_mode");
  training.graph().mutable_node(1)->mutable_attribute(1)->set_type(onnx::AttributeProto::INT);
  training.graph().mutable_node(1)->mutable_attribute(1)->set_i(1);
  CHECK(has(refused<unsupported_error>(training), "training mode"));
  CHECK(has(refused<unsupported_error>(build(true, 6)), "training mode"));
  auto negative = build(true);
  negative.graph().mutable_initializer(5)->set_float_data(0, -1.0f);
  CHECK(has(refused<numeric_error>(negative), "not positive"));
}

TEST_CASE("group 15: onnx: batch normalisation of variance 0, and with factors of 1e4 and below 0") {
  auto const alone = [](double gamma, double variance, bool behind_conv) {
    model_builder model({1, 1, 4}, 15);
    model.store(tensor("w", {1, 1, 1}, {-2}));
    model.store(tensor("gamma", {1}, {gamma})).store(tensor("variance", {1}, {variance}));
    for (char const* const name : {"beta", "mean"}) model.store(tensor(name, {1}, {3}));
    if (behind_conv) model.node("Conv", {"x", "w"}, {"c"});
    model.node("BatchNormalization", {behind_conv ? "c" : "x", "gamma", "beta", "mean", "variance"});
    return bound_l2(model.parse());
  };
  double const epsilon = static_cast<double>(1e-5f);
  for (double const gamma : {1e4, -1e4, -0.5, 0.0}) {
    for (double const variance : {0.0, 1.0, 1e30}) {
      CAPTURE(gamma);
      CAPTURE(variance);
      double const stored = static_cast<double>(static_cast<float>(variance));
      double const exact = std::fabs(gamma) / std::sqrt(stored + epsilon);
      CHECK(alone(gamma, variance, false) >= exact * (1 - 1e-15));
      CHECK(alone(gamma, variance, false) <= exact * (1 + 1e-14));
      // Folded into what stands before it the bound is the product here, not more.
      CHECK(alone(gamma, variance, true) >= 2 * exact * (1 - 1e-15));
      CHECK(alone(gamma, variance, true) <= 2 * exact * (1 + 1e-6));
    }
  }
}

TEST_CASE("group 14: onnx: pools") {
  auto const pooled = [](char const* type, auto const& set, numbers const& x, std::int64_t opset = 19) {
    model_builder model({1, 1, static_cast<std::int64_t>(x.size())}, opset);
    auto node = model.node(type, {"x"});
    set(node);
    return evaluate(model.parse(), x);
  };
  auto const kernel = [](auto& n) { n.set("kernel_shape", extents{3}).set("strides", extents{2}); };
  CHECK(pooled("MaxPool", kernel, {5, 1, 2, 3, 0, 4}) == numbers{5, 3});
  auto const ceiling = [&](auto& n) { kernel(n), n.set("ceil_mode", 1); };
  CHECK(pooled("MaxPool", ceiling, {5, 1, 2, 3, 0, 4}) == numbers{5, 3, 4});
  auto const padded = [&](auto& n) { kernel(n), n.set("pads", extents{1, 1}); };
  CHECK(pooled("MaxPool", padded, {-5, -1, -2, -3, -7}) == numbers{-1, -1, -3});
  check_near(pooled("AveragePool", padded, {3, 6, 9, 12, 15}), {4.5, 9, 13.5});
  auto const included = [&](auto& n) { padded(n), n.set("count_include_pad", 1); };
  check_near(pooled("AveragePool", included, {3, 6, 9, 12, 15}), {3, 9, 9});
  check_near(pooled("LpPool", kernel, {3, 4, 0, 0, 5}), {5, 5});
  CHECK(pooled("GlobalMaxPool", [](auto&) {}, {3, 4, 1}) == numbers{4});
  check_near(pooled("GlobalAveragePool", [](auto&) {}, {3, 4, 5}), {4});
  check_near(pooled("GlobalLpPool", [](auto&) {}, {3, 4, 0}), {5});
  model_builder average({1, 2, 8, 8});
  average.node("AveragePool", {"x"}).set("kernel_shape", extents{2, 2}).set("strides", extents{2, 2});
  CHECK(bound_l2(average.parse()) == doctest::Approx(0.5).epsilon(1e-6));
  model_builder global({1, 3, 4, 4});
  global.node("GlobalAveragePool", {"x"});
  CHECK(bound_l2(global.parse()) == doctest::Approx(0.25).epsilon(1e-6));
  model_builder indices({1, 1, 4});
  indices.node("MaxPool", {"x"}, {"m", "i"}).set("kernel_shape", extents{2});
  indices.node("Relu", {"i"});
  CHECK(has(refused<unsupported_error>(indices), "output of its node that is not supported"));
  model_builder third({1, 1, 4});
  third.node("LpPool", {"x"}).set("kernel_shape", extents{2}).set("p", 3);
  CHECK(has(refused<unsupported_error>(third), "not 2"));
}

TEST_CASE("group 16: onnx: paddings by constants, reflection, edges and wrapping") {
  auto const padded = [](std::string const& mode, extents const& pads, float value) {
    model_builder model({1, 3}, 19);
    model.store(integers("pads", pads)).store(tensor("value", {}, {value}));
    model.node("Pad", {"x", "pads", "value"}).set("mode", mode);
    return model.parse();
  };
  CHECK(evaluate(padded("constant", {0, 2, 1, 1}, 7), {1, 2, 3}) == numbers{7, 7, 1, 2, 3, 7, 7, 7, 7, 7, 7, 7});
  CHECK(evaluate(padded("constant", {0, -1, 0, 1}, 0), {1, 2, 3}) == numbers{2, 3, 0});
  CHECK(evaluate(padded("reflect", {0, 2, 0, 1}, 7), {1, 2, 3}) == numbers{3, 2, 1, 2, 3, 2});
  CHECK(evaluate(padded("edge", {0, 2, 0, 1}, 7), {1, 2, 3}) == numbers{1, 1, 1, 2, 3, 3});
  CHECK(evaluate(padded("wrap", {0, 2, 0, 1}, 7), {1, 2, 3}) == numbers{2, 3, 1, 2, 3, 1});
  CHECK(bound_l2(padded("constant", {0, 2, 1, 1}, 7)) == 1);
  CHECK(bound_l2(padded("edge", {0, 2, 0, 1}, 0)) == doctest::Approx(std::sqrt(3.0)));
  model_builder old({1, 3}, 2);
  old.node("Pad", {"x"}).set("pads", extents{0, 1, 0, 0}).set("value", 0.5f);
  CHECK(evaluate(old.parse(), {1, 2, 3}) == numbers{0.5, 1, 2, 3});
  model_builder axes({1, 3}, 18);
  axes.store(integers("pads", {1, 2})).store(integers("axes", {-1}));
  axes.node("Pad", {"x", "pads", "", "axes"});
  CHECK(evaluate(axes.parse(), {1, 2, 3}) == numbers{0, 1, 2, 3, 0, 0});
  CHECK_THROWS_AS(padded("reflect", {0, 3, 0, 0}, 0), unsupported_error);
}

TEST_CASE("onnx: interpolation to nearest and linear in exact coordinates") {
  auto const resized = [](std::int64_t in, std::string const& mode, std::string const& coordinates, float scale) {
    model_builder model({1, 1, in}, 13);
    model.store(tensor("scales", {3}, {1, 1, scale}));
    model.node("Resize", {"x", "", "scales"}).set("mode", mode).set("coordinate_transformation_mode", coordinates);
    return model.parse();
  };
  CHECK(evaluate(resized(2, "nearest", "asymmetric", 2), {1, 2}) == numbers{1, 1, 2, 2});
  CHECK(evaluate(resized(2, "nearest", "half_pixel", 3), {1, 2}) == numbers{1, 1, 1, 2, 2, 2});
  check_near(evaluate(resized(2, "linear", "half_pixel", 2), {1, 2}), {1, 1.25, 1.75, 2});
  check_near(evaluate(resized(2, "linear", "asymmetric", 2), {1, 2}), {1, 1.5, 2, 2});
  check_near(evaluate(resized(2, "linear", "align_corners", 2), {1, 2}), {1, 4.0 / 3, 5.0 / 3, 2});
  check_near(evaluate(resized(4, "linear", "half_pixel", 0.5f), {1, 2, 3, 4}), {1.5, 3.5});
  CHECK(bound_l2(resized(5, "nearest", "half_pixel", 3)) == doctest::Approx(std::sqrt(3.0)).epsilon(1e-14));
  CHECK(bound_l2(resized(5, "linear", "half_pixel", 2)) <= std::sqrt(2.0) * (1 + 1e-6));
  model_builder upsample({1, 1, 2, 2}, 9);
  upsample.store(tensor("scales", {4}, {1, 1, 2, 2}));
  upsample.node("Upsample", {"x", "scales"}).set("mode", std::string("nearest"));
  CHECK(evaluate(upsample.parse(), {1, 2, 3, 4}) == numbers{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  CHECK(bound_l2(upsample.parse()) == 2);
  model_builder cubic({1, 1, 4}, 13);
  cubic.store(tensor("scales", {3}, {1, 1, 2}));
  cubic.node("Resize", {"x", "", "scales"}).set("mode", std::string("cubic"));
  CHECK(has(refused<unsupported_error>(cubic), "cubic"));
}

TEST_CASE("onnx: blocks of depth and space are moved") {
  model_builder depth({1, 4, 1, 2}, 13);
  depth.node("DepthToSpace", {"x"}).set("blocksize", 2);
  CHECK(evaluate(depth.parse(), counted(8)) == numbers{1, 3, 2, 4, 5, 7, 6, 8});
  CHECK(bound_l2(depth.parse()) == 1);
  model_builder both({1, 4, 2, 2}, 13);
  both.node("SpaceToDepth", {"x"}, {"s"}).set("blocksize", 2);
  both.node("DepthToSpace", {"s"}).set("blocksize", 2);
  CHECK(evaluate(both.parse(), counted(16)) == counted(16));
  model_builder columns({1, 8, 1, 1}, 13);
  columns.node("DepthToSpace", {"x"}).set("blocksize", 2).set("mode", std::string("CRD"));
  CHECK(evaluate(columns.parse(), counted(8)) == counted(8));
}

TEST_CASE("group 16: onnx: values are split, sliced, gathered, repeated and put together again") {
  model_builder split({1, 6}, 13);
  split.store(integers("sizes", {1, 2, 3}));
  split.node("Split", {"x", "sizes"}, {"a", "b", "c"}).set("axis", 1);
  split.node("Concat", {"c", "b", "c"}).set("axis", 1);
  CHECK(evaluate(split.parse(), counted(6)) == numbers{4, 5, 6, 2, 3, 4, 5, 6});
  CHECK(bound_l2(split.parse()) == doctest::Approx(std::sqrt(3.0)));
  model_builder equal({1, 5}, 18);
  equal.node("Split", {"x"}, {"a", "y"}).set("axis", 1).set("num_outputs", 2);
  CHECK(evaluate(equal.parse(), counted(5)) == numbers{4, 5});
  model_builder slice({2, 5}, 13);
  slice.store(integers("starts", {-1, 0})).store(integers("ends", {-100, 1})).store(integers("axes", {1, 0}));
  slice.store(integers("steps", {-2, 1}));
  slice.node("Slice", {"x", "starts", "ends", "axes", "steps"});
  CHECK(evaluate(slice.parse(), counted(10)) == numbers{5, 3, 1});
  model_builder old({2, 5}, 9);
  old.node("Slice", {"x"}).set("starts", extents{1, 3}).set("ends", extents{2, 1000});
  CHECK(evaluate(old.parse(), counted(10)) == numbers{9, 10});
  model_builder gather({1, 3}, 13);
  gather.store(integers("at", {2, -3, 2}));
  gather.node("Gather", {"x", "at"}).set("axis", 1);
  CHECK(evaluate(gather.parse(), {1, 2, 3}) == numbers{3, 1, 3});
  CHECK(bound_l2(gather.parse()) == doctest::Approx(std::sqrt(2.0)));
  model_builder tile({1, 2}, 13);
  tile.store(integers("repeats", {2, 2}));
  tile.node("Tile", {"x", "repeats"});
  CHECK(evaluate(tile.parse(), {1, 2}) == numbers{1, 2, 1, 2, 1, 2, 1, 2});
  CHECK(bound_l2(tile.parse()) == 2);
  model_builder expand({1, 2}, 13);
  expand.store(integers("to", {3, 1}));
  expand.node("Expand", {"x", "to"});
  CHECK(evaluate(expand.parse(), {1, 2}) == numbers{1, 2, 1, 2, 1, 2});
  model_builder beside({1, 2}, 13);
  beside.store(tensor("c", {1, 1}, {9}));
  beside.node("Concat", {"c", "x"}).set("axis", 1);
  CHECK(evaluate(beside.parse(), {1, 2}) == numbers{9, 1, 2});
  CHECK(bound_l2(beside.parse()) == 1);
}

TEST_CASE("onnx: sums, means, largest elements and lengths over axes") {
  auto const reduced = [](char const* type, std::int64_t keep, extents const& axes, std::int64_t opset = 11) {
    model_builder model({2, 3, 2}, opset);
    auto node = model.node(type, {"x"});
    node.set("keepdims", keep);
    if (!axes.empty()) node.set("axes", axes);
    return model.parse();
  };
  numbers const x{1, -2, 3, 4, -5, 6, 7, 8, 9, -10, 11, 12};
  CHECK(evaluate(reduced("ReduceSum", 0, {1}), x) == numbers{-1, 8, 27, 10});
  CHECK(shape_of(reduced("ReduceSum", 0, {1})) == lipschitz::tensor_shape{2, 2});
  CHECK(shape_of(reduced("ReduceSum", 1, {1})) == lipschitz::tensor_shape{2, 1, 2});
  check_near(evaluate(reduced("ReduceMean", 1, {-1}), x), {-0.5, 3.5, 0.5, 7.5, -0.5, 11.5});
  CHECK(evaluate(reduced("ReduceMax", 0, {0, 2}), x) == numbers{8, 9, 12});
  CHECK(evaluate(reduced("ReduceMin", 0, {0, 2}), x) == numbers{-2, -10, -5});
  check_near(evaluate(reduced("ReduceL2", 0, {}), x), {std::sqrt(650.0)});
  CHECK(evaluate(reduced("ReduceL1", 0, {1}), x) == numbers{9, 12, 27, 30});
  CHECK(bound_l2(reduced("ReduceMean", 0, {1})) == doctest::Approx(1 / std::sqrt(3.0)).epsilon(1e-6));
  CHECK(bound_l2(reduced("ReduceSum", 0, {1, 2})) == doctest::Approx(std::sqrt(6.0)).epsilon(1e-6));
  CHECK(bound_l2(reduced("ReduceMax", 0, {1})) == 1);
  model_builder by_input({2, 3}, 18);
  by_input.store(integers("axes", {1}));
  by_input.node("ReduceMean", {"x", "axes"}).set("keepdims", 0);
  check_near(evaluate(by_input.parse(), {1, 2, 3, 4, 5, 9}), {2, 6});
}

TEST_CASE("onnx: what exporters compute of shapes is folded into constants") {
  // x.view(x.size(0), -1) as PyTorch writes it.
  model_builder view({2, 3, 4}, 13);
  view.store(integers("zero", {0})).store(integers("axes", {0})).store(integers("rest", {-1}));
  view.node("Shape", {"x"}, {"s"});
  view.node("Gather", {"s", "zero"}, {"n"});
  view.node("Concat", {"n", "rest"}, {"to"}).set("axis", 0);
  view.node("Reshape", {"x", "to"});
  CHECK(shape_of(view.parse()) == lipschitz::tensor_shape{2, 12});
  // An upsampling to twice the size, with floats on the way.
  model_builder up({1, 1, 2, 3}, 13);
  up.store(integers("from", {2})).store(integers("till", {4})).store(integers("front", {1, 1}));
  up.store(tensor("two", {}, {2}));
  up.node("Shape", {"x"}, {"s"});
  up.node("Slice", {"s", "from", "till"}, {"hw"});
  up.node("Cast", {"hw"}, {"real"}).set("to", 1);
  up.node("Mul", {"real", "two"}, {"twice"});
  up.node("Floor", {"twice"}, {"floor"});
  up.node("Cast", {"floor"}, {"whole"}).set("to", 7);
  up.node("Concat", {"front", "whole"}, {"sizes"}).set("axis", 0);
  up.node("Resize", {"x", "", "", "sizes"}).set("mode", std::string("nearest"));
  CHECK(shape_of(up.parse()) == lipschitz::tensor_shape{1, 1, 4, 6});
  // An Expand with -1 for "as it is".
  model_builder expand({1, 3}, 13);
  expand.store(integers("wanted", {4, -1})).store(integers("rank", {2})).store(integers("minus", {-1}));
  auto ones = integers("one", {1});
  expand.node("ConstantOfShape", {"rank"}, {"ones"}).set("value", ones);
  expand.node("Mul", {"ones", "minus"}, {"minuses"});
  expand.node("Equal", {"wanted", "minuses"}, {"open"});
  expand.node("Where", {"open", "ones", "wanted"}, {"to"});
  expand.node("Expand", {"x", "to"});
  CHECK(shape_of(expand.parse()) == lipschitz::tensor_shape{4, 3});
  model_builder range({1, 6}, 13);
  onnx::TensorProto numbers_of_range;
  for (auto const& [name, value] : {std::pair{"a", 5}, std::pair{"b", -1}, std::pair{"c", -2}}) {
    auto scalar = integers(name, {value});
    scalar.clear_dims();
    range.store(scalar);
  }
  range.node("Range", {"a", "b", "c"}, {"at"});
  range.node("Gather", {"x", "at"}).set("axis", 1);
  CHECK(evaluate(range.parse(), counted(6)) == numbers{6, 4, 2});
  model_builder divided({1, 6}, 13);
  divided.store(integers("two", {2}));
  divided.node("Size", {"x"}, {"all"});
  divided.node("Div", {"all", "two"}, {"half"});
  divided.node("Concat", {"two", "half"}, {"to"}).set("axis", 0);
  divided.node("Reshape", {"x", "to"});
  CHECK(shape_of(divided.parse()) == lipschitz::tensor_shape{2, 3});
}

TEST_CASE("onnx: a stored condition chooses between computed values, a computed one is refused") {
  model_builder model({1, 3}, 13);
  model.store(truths("keep", {3}, {1, 0, 1})).store(tensor("other", {}, {-7}));
  model.node("Where", {"keep", "x", "other"});
  CHECK(evaluate(model.parse(), {1, 2, 3}) == numbers{1, -7, 3});
  CHECK(bound_l2(model.parse()) == 1);
  model_builder computed({1, 3}, 13);
  computed.store(tensor("other", {}, {-7}));
  computed.node("Greater", {"x", "other"}, {"c"});
  computed.node("Where", {"c", "x", "other"});
  CHECK(has(refused<unsupported_error>(computed), "discontinuous"));
}

TEST_CASE("onnx: numbers of channels are not repeated over the plane") {
  model_builder model({2, 3, 2, 2}, 13);
  model.store(tensor("c", {3, 1, 1}, {1, -2, 4}));
  model.node("Mul", {"x", "c"}, {"m"});
  model.node("Sub", {"m", "c"}, {"s"});
  model.node("Div", {"s", "c"}, {"d"});
  model.node("Sub", {"c", "d"});
  auto const net = model.parse();
  // c - (c x - c) / c = c + 1 - x
  auto const y = evaluate(net, counted(24));
  for (std::size_t i = 0; i < 24; ++i) {
    double const c = std::vector<double>{1, -2, 4}[i / 4 % 3];
    CHECK(y[i] == doctest::Approx(c + 1 - static_cast<double>(i + 1)));
  }
  for (auto const& node : net.nodes()) {
    CHECK((node.rule.operator_name() != "add_constant" && node.rule.operator_name() != "scale"));
  }
}

TEST_CASE("onnx: shapes that do not fit convolutions and pools are refused with the node's name") {
  auto const conv = [](extents const& input, extents const& weights, auto const& set) {
    model_builder model(input, 13);
    model.store(ramp("w", weights));
    auto node = model.node("Conv", {"x", "w"});
    node.proto().set_name("first");
    set(node);
    return refused<format_error>(model);
  };
  auto const nothing = [](auto&) {};
  CHECK(has(conv({1, 2, 5}, {3, 1, 3}, nothing), "node 'first'"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3, 3}, nothing), "same number of axes"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 9}, nothing), "no position"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3}, [](auto& n) { n.set("strides", extents{0}); }), "strides"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3}, [](auto& n) { n.set("pads", extents{1}); }), "pads"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3}, [](auto& n) { n.set("group", 0); }), "groups"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3}, [](auto& n) { n.set("kernel_shape", extents{2}); }), "kernel_shape"));
  CHECK(has(conv({1, 2, 5}, {3, 2, 3}, [](auto& n) { n.set("auto_pad", std::string("BOTH")); }), "auto_pad"));
  model_builder computed({1, 1, 5}, 13);
  computed.node("Conv", {"x", "x"});
  CHECK(has(refused<unsupported_error>(computed), "computed"));
  model_builder pool({1, 1, 2}, 13);
  pool.node("MaxPool", {"x"}).set("kernel_shape", extents{5});
  CHECK(has(refused<format_error>(pool), "no window"));
  model_builder huge({1, 1, 2}, 13);
  huge.store(integers("repeats", {1, 1, std::int64_t{1} << 50}));
  huge.node("Tile", {"x", "repeats"});
  CHECK(has(refused<format_error>(huge), "max_memory"));
}
