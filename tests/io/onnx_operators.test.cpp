// SPDX-License-Identifier: MIT
// Arithmetic, shapes, Constant, Identity, Cast, Dropout and activations, with what changed between operator sets.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
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

/// One node over x and at most one stored tensor.
lipschitz::network apply(char const* type, extents const& shape, std::vector<std::string> const& inputs,
                         onnx::TensorProto const& c, std::int64_t opset = 13) {
  model_builder model(shape, opset);
  model.store(c);
  model.node(type, inputs);
  return model.parse();
}

/// `type` with its shape input or attribute.
tensor_shape reshaped(char const* type, extents const& from, extents const& argument, std::int64_t opset = 13) {
  model_builder model(from, opset);
  model.store(integers("s", argument));
  model.node(type, {"x", "s"});
  return model.parse().output_shape();
}

}  // namespace

TEST_CASE("onnx: Add and Sub with a constant in either place") {
  auto const c = ramp("c", {2});
  CHECK(evaluate(apply("Add", {1, 2}, {"x", "c"}, c), {10, 20}) == numbers{11, 22});
  CHECK(evaluate(apply("Add", {1, 2}, {"c", "x"}, c), {10, 20}) == numbers{11, 22});
  CHECK(evaluate(apply("Sub", {1, 2}, {"x", "c"}, c), {10, 20}) == numbers{9, 18});
  CHECK(evaluate(apply("Sub", {1, 2}, {"c", "x"}, c), {10, 20}) == numbers{-9, -18});
  CHECK(test::tight(test::certify(apply("Sub", {1, 2}, {"c", "x"}, c)).upper(), 1));
}

TEST_CASE("onnx: Add broadcasts like numpy, constants and computed values alike") {
  auto const column = ramp("c", {2, 1}, 100, 100);
  CHECK(evaluate(apply("Add", {2, 3}, {"x", "c"}, column), {1, 2, 3, 4, 5, 6}) ==
        numbers{101, 102, 103, 204, 205, 206});
  auto const grown = apply("Add", {1, 3}, {"x", "c"}, column);
  CHECK(grown.output_shape() == tensor_shape{2, 3});
  CHECK(evaluate(grown, {1, 2, 3}) == numbers{101, 102, 103, 201, 202, 203});
  // Each element is used twice: sqrt(2) in l2, 1 in linf.
  CHECK(test::certify(grown).upper() == doctest::Approx(std::sqrt(2.0)));
  CHECK(test::tight(test::certify(grown, {.norm = norm::linf}).upper(), 1));

  model_builder branches({2, 3});
  branches.store(ramp("w", {3, 1}, 1, 0));
  branches.node("MatMul", {"x", "w"}, {"sum"});
  branches.node("Sub", {"x", "sum"});
  CHECK(evaluate(branches.parse(), {1, 2, 3, 4, 5, 6}) == numbers{-5, -4, -3, -11, -10, -9});
  CHECK(has(test::error_text<format_error>([] { apply("Add", {1, 3}, {"x", "c"}, ramp("c", {2})); }), "broadcast"));
}

TEST_CASE("onnx: the same value twice counts twice") {
  model_builder model({1, 2});
  model.node("Add", {"x", "x"});
  CHECK(evaluate(model.parse(), {1, 2}) == numbers{2, 4});
  CHECK(test::tight(test::certify(model.parse()).upper(), 2));
  model_builder difference({1, 2});
  difference.node("Sub", {"x", "x"});
  CHECK(test::certify(difference.parse()).upper() >= 0);
}

TEST_CASE("onnx: broadcasting before operator set 7 has to be asked for and can name an axis") {
  model_builder silent({2, 3}, 6);
  silent.store(ramp("c", {3}));
  silent.node("Add", {"x", "c"});
  CHECK(has(refused<format_error>(silent), "broadcast=1"));
  model_builder axis({2, 3}, 6);
  axis.store(ramp("c", {2}, 100, 100));
  axis.node("Add", {"x", "c"}).set("broadcast", 1).set("axis", 0);
  CHECK(evaluate(axis.parse(), {1, 2, 3, 4, 5, 6}) == numbers{101, 102, 103, 204, 205, 206});
  model_builder computed({2, 3}, 6);
  computed.store(integers("s", {2})).store(ramp("w", {3, 1}, 1, 0));
  computed.node("MatMul", {"x", "w"}, {"column"});
  computed.node("Reshape", {"column", "s"}, {"sums"});
  computed.node("Add", {"x", "sums"}).set("broadcast", 1).set("axis", 0);
  CHECK(evaluate(computed.parse(), {1, 0, 0, 0, 1, 0}) == numbers{2, 1, 1, 1, 2, 1});
  model_builder beyond({2, 3}, 6);
  beyond.store(ramp("c", {3}));
  beyond.node("Mul", {"x", "c"}).set("broadcast", 1).set("axis", 2);
  CHECK(has(refused<format_error>(beyond), "does not fit"));
  model_builder late({2, 3}, 7);
  late.store(ramp("c", {3}));
  late.node("Add", {"x", "c"}).set("axis", 1);
  CHECK(has(refused<unsupported_error>(late), "'axis' is not known"));
}

TEST_CASE("onnx: Mul and Div by constants") {
  auto const c = ramp("c", {2}, 2, 2);
  CHECK(evaluate(apply("Mul", {1, 2}, {"x", "c"}, c), {10, 20}) == numbers{20, 80});
  CHECK(evaluate(apply("Mul", {1, 2}, {"c", "x"}, c), {10, 20}) == numbers{20, 80});
  CHECK(evaluate(apply("Div", {1, 2}, {"x", "c"}, c), {10, 20}) == numbers{5, 5});
  CHECK(test::tight(test::certify(apply("Mul", {1, 2}, {"x", "c"}, c)).upper(), 4));
  CHECK(test::certify(apply("Div", {1, 2}, {"x", "c"}, c)).upper() == doctest::Approx(0.5));
  CHECK(has(test::error_text<numeric_error>([] { apply("Div", {1, 2}, {"x", "c"}, ramp("c", {2}, 0)); }), "is 0"));
}

TEST_CASE("onnx: Sum and Neg") {
  model_builder sum({1, 2});
  sum.store(ramp("c", {3, 1}));
  sum.node("Sum", {"x", "c", "x"});
  auto const net = sum.parse();
  CHECK(evaluate(net, {10, 20}) == numbers{21, 41, 22, 42, 23, 43});
  CHECK(test::certify(net).upper() == doctest::Approx(2 * std::sqrt(3.0)));
  model_builder one({1, 2});
  one.node("Sum", {"x"});
  CHECK(evaluate(one.parse(), {10, 20}) == numbers{10, 20});
  model_builder none({1, 2});
  none.node("Sum", {});
  CHECK(has(refused<format_error>(none), "0 inputs"));
  model_builder old({1, 2}, 7);
  old.store(ramp("c", {2}));
  old.node("Sum", {"x", "c"});
  CHECK(has(refused<format_error>(old), "needs equal ones"));
  model_builder negative({1, 2});
  negative.node("Neg", {"x"});
  CHECK(evaluate(negative.parse(), {10, -20}) == numbers{-10, 20});
}

TEST_CASE("onnx: arithmetic between constants keeps its value and adds nothing to the bound") {
  model_builder model({1, 2});
  model.store(ramp("a", {2})).store(ramp("b", {2}, 10, 10));
  model.node("Add", {"a", "b"}, {"ab"});
  model.node("Mul", {"ab", "b"}, {"abb"});
  model.node("Sub", {"abb", "x"});
  auto const net = model.parse();
  CHECK(evaluate(net, {1, 2}) == numbers{109, 438});
  CHECK(test::tight(test::certify(net).upper(), 1));
  // As a factor it is folded where no float is rounded; else it is enclosed where it is used, not guessed.
  for (float const second : {1.0f, 1e-9f}) {
    model_builder factor({1, 2});
    factor.store(ramp("a", {2})).store(ramp("b", {2}, second));
    factor.node("Add", {"a", "b"}, {"ab"});
    factor.node("Mul", {"x", "ab"});
    if (second == 1) {
      CHECK(evaluate(factor.parse(), {1, 2}) == numbers{2, 8});
    } else {
      double const sum = 3.0;  // 2 + (1e-9 + 1 rounded to float)
      auto const c = test::certify(factor.parse());
      CHECK(c.upper() >= sum);
      CHECK(c.upper() <= sum * (1 + 1e-6));
    }
  }
}

TEST_CASE("onnx: Reshape") {
  CHECK(reshaped("Reshape", {2, 3, 4}, {4, 6}) == tensor_shape{4, 6});
  CHECK(reshaped("Reshape", {2, 3, 4}, {0, -1}) == tensor_shape{2, 12});
  CHECK(reshaped("Reshape", {2, 3, 4}, {-1}) == tensor_shape{24});
  CHECK(reshaped("Reshape", {1, 1}, {}) == tensor_shape{});
  auto const why = [](extents const& from, extents const& to, std::int64_t opset = 13) {
    return test::error_text<format_error>([&] { reshaped("Reshape", from, to, opset); });
  };
  CHECK(has(why({2, 3}, {4, 2}), "cannot become"));
  CHECK(has(why({2, 3}, {-1, -1}), "more than one -1"));
  CHECK(has(why({2, 3}, {-2, 3}), "extent -2"));
  CHECK(has(why({2, 3}, {4, -1}), "cannot be spread"));
  CHECK(has(why({2, 3}, {2, 3, 0}), "copies axis 2"));
  CHECK(has(why({2, 3}, {INT64_MAX, INT64_MAX}), "cannot be addressed"));
  CHECK(has(why({2, 3}, extents(65, 1)), "65 axes"));
  CHECK(reshaped("Reshape", {2, 3}, {0, 3}, 14) == tensor_shape{2, 3});
  model_builder zero({2, 3}, 14);
  zero.store(integers("s", {0, 3}));
  zero.node("Reshape", {"x", "s"}).set("allowzero", 1);
  CHECK(has(refused<format_error>(zero), "cannot become"));
  model_builder old({2, 3}, 1);
  old.node("Reshape", {"x"}).set("shape", extents{3, -1});
  CHECK(old.parse().output_shape() == tensor_shape{3, 2});
  model_builder computed({2});
  computed.node("Reshape", {"x", "x"});
  CHECK(has(refused<unsupported_error>(computed), "shape is computed"));
  model_builder real({2});
  real.store(ramp("s", {1}));
  real.node("Reshape", {"x", "s"});
  CHECK(has(refused<format_error>(real), "must be int64"));
}

TEST_CASE("onnx: Flatten, Squeeze, Unsqueeze") {
  auto const flat = [](extents const& from, std::int64_t axis, std::int64_t opset = 13) {
    model_builder model(from, opset);
    model.node("Flatten", {"x"}).set("axis", axis);
    return model.parse().output_shape();
  };
  CHECK(flat({2, 3, 4}, 0) == tensor_shape{1, 24});
  CHECK(flat({2, 3, 4}, 2) == tensor_shape{6, 4});
  CHECK(flat({2, 3, 4}, 3) == tensor_shape{24, 1});
  CHECK(flat({2, 3, 4}, -1) == tensor_shape{6, 4});
  CHECK(has(test::error_text<format_error>([&] { flat({2, 3}, -1, 9); }), "not negative"));
  CHECK(has(test::error_text<format_error>([&] { flat({2, 3}, 3); }), "axis is 3"));
  model_builder plain({2, 3, 4});
  plain.node("Flatten", {"x"});
  CHECK(plain.parse().output_shape() == tensor_shape{2, 12});

  CHECK(reshaped("Squeeze", {1, 3, 1}, {0}) == tensor_shape{3, 1});
  CHECK(reshaped("Squeeze", {1, 3, 1}, {-1, 0}) == tensor_shape{3});
  CHECK(has(test::error_text<format_error>([] { reshaped("Squeeze", {1, 3}, {1}); }), "extent 3"));
  CHECK(has(test::error_text<format_error>([] { reshaped("Squeeze", {1, 3}, {0, -2}); }), "named twice"));
  model_builder all({1, 3, 1});
  all.node("Squeeze", {"x"});
  CHECK(all.parse().output_shape() == tensor_shape{3});
  model_builder old({1, 3, 1}, 11);
  old.node("Squeeze", {"x"}).set("axes", extents{2});
  CHECK(old.parse().output_shape() == tensor_shape{1, 3});
  model_builder late({1, 3, 1}, 13);
  late.node("Squeeze", {"x"}).set("axes", extents{2});
  CHECK(has(refused<unsupported_error>(late), "'axes' is not known"));

  CHECK(reshaped("Unsqueeze", {3}, {0, 2}) == tensor_shape{1, 3, 1});
  CHECK(reshaped("Unsqueeze", {3}, {-1}) == tensor_shape{3, 1});
  CHECK(has(test::error_text<format_error>([] { reshaped("Unsqueeze", {3}, {3}); }), "axis is 3"));
  model_builder before({3}, 11);
  before.node("Unsqueeze", {"x"}).set("axes", extents{0});
  CHECK(before.parse().output_shape() == tensor_shape{1, 3});
}

TEST_CASE("onnx: Transpose of computed values is an isometry") {
  model_builder model({2, 3});
  model.node("Transpose", {"x"});
  CHECK(evaluate(model.parse(), {1, 2, 3, 4, 5, 6}) == numbers{1, 4, 2, 5, 3, 6});
  CHECK(test::tight(test::certify(model.parse()).upper(), 1));
  model_builder cube({2, 2, 2});
  cube.node("Transpose", {"x"}).set("perm", extents{1, 2, 0});
  // y[i, j, k] = x[k, i, j]
  CHECK(evaluate(cube.parse(), {0, 1, 2, 3, 4, 5, 6, 7}) == numbers{0, 4, 1, 5, 2, 6, 3, 7});
  for (extents const& perm : {extents{0}, extents{0, 0}, extents{0, 2}}) {
    model_builder wrong({2, 3});
    wrong.node("Transpose", {"x"}).set("perm", perm);
    CHECK(refused<format_error>(wrong).find("(Transpose)") != std::string::npos);
  }
}

TEST_CASE("onnx: rearranged constants are folded exactly") {
  model_builder model({1, 3}, 13);
  model.store(ramp("w", {2, 3})).store(integers("s", {3, 2})).store(integers("axes", {0}));
  model.node("Transpose", {"w"}, {"t"});
  model.node("Identity", {"t"}, {"i"});
  model.node("MatMul", {"x", "i"});
  CHECK(evaluate(model.parse(), {1, 10, 100}) == numbers{321, 654});
  model_builder other({1, 3}, 13);
  other.store(ramp("w", {6})).store(integers("s", {3, 2})).store(integers("axes", {0}));
  other.node("Reshape", {"w", "s"}, {"m"});
  other.node("Unsqueeze", {"m", "axes"}, {"u"});
  other.node("Squeeze", {"u", "axes"}, {"q"});
  other.node("Flatten", {"q"}, {"f"});
  other.node("Gemm", {"x", "f"});
  CHECK(evaluate(other.parse(), {1, 10, 100}) == numbers{531, 642});
}

TEST_CASE("onnx: Constant in every form that makes sense") {
  auto const added = [](auto&& set) {
    model_builder model({1, 2});
    auto node = model.node("Constant", {}, {"c"});
    set(node);
    model.node("Add", {"x", "c"});
    return evaluate(model.parse(), {0, 0});
  };
  CHECK(added([](auto& node) { node.set("value", ramp("", {2})); }) == numbers{1, 2});
  CHECK(added([](auto& node) { node.set("value_float", 3.0f); }) == numbers{3, 3});
  CHECK(added([](auto& node) {
          auto& a = *node.proto().add_attribute();
          a.set_name("value_floats");
          a.set_type(onnx::AttributeProto::FLOATS);
          a.add_floats(5);
          a.add_floats(6);
        }) == numbers{5, 6});
  CHECK(
      has(test::error_text<unsupported_error>([&] { added([](auto& node) { node.set("value_int", 3); }); }), "int64"));
  CHECK(has(test::error_text<unsupported_error>(
                [&] { added([](auto& node) { node.set("value_string", std::string("s")); }); }),
            "value_string"));
  CHECK(has(test::error_text<format_error>([&] { added([](auto&) {}); }), "0 values"));
  CHECK(has(test::error_text<format_error>(
                [&] { added([](auto& node) { node.set("value_float", 1.0f).set("value_int", 1); }); }),
            "2 values"));
  CHECK(has(test::error_text<numeric_error>([&] { added([](auto& node) { node.set("value_float", std::nanf("")); }); }),
            "not finite"));
  model_builder shape({2, 3});
  shape.node("Constant", {}, {"s"}).set("value_ints", extents{3, 2});
  shape.node("Reshape", {"x", "s"});
  CHECK(shape.parse().output_shape() == tensor_shape{3, 2});
}

TEST_CASE("onnx: Cast keeps values or is refused") {
  model_builder model({1, 2});
  model.node("Cast", {"x"}, {"wide"}).set("to", static_cast<int>(onnx::TensorProto::DOUBLE));
  onnx::TensorProto c = ramp("c", {2});
  c.clear_float_data();
  c.set_data_type(onnx::TensorProto::DOUBLE);
  c.add_double_data(0.1);
  c.add_double_data(0.2);
  model.store(c);
  model.node("Add", {"wide", "c"});
  CHECK(evaluate(model.parse(), {0, 0}) == numbers{0.1, 0.2});

  model_builder constant({1, 2});
  constant.model().mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::DOUBLE);
  constant.store(ramp("c", {2}, 0.1f, 0.1f));
  constant.node("Cast", {"c"}, {"wide"}).set("to", static_cast<int>(onnx::TensorProto::DOUBLE));
  constant.node("Mul", {"x", "wide"});
  CHECK(evaluate(constant.parse(), {1, 1})[0] == double{0.1f});

  for (int const to : {7, 10, 16, 6, 9, 8, 0, 77, -1}) {
    model_builder down({1, 2});
    down.node("Cast", {"x"}).set("to", to);
    CHECK(has(refused<unsupported_error>(down), "changes values"));
  }
  model_builder mixed({1, 2});
  mixed.store(c);
  mixed.node("Add", {"x", "c"});
  CHECK(has(refused<format_error>(mixed), "types float and double"));
}

TEST_CASE("onnx: Dropout is the identity at inference and refused in training") {
  auto const flag = [](bool value) {
    onnx::TensorProto tensor;
    tensor.set_name("mode");
    tensor.set_data_type(onnx::TensorProto::BOOL);
    tensor.add_int32_data(value ? 1 : 0);
    return tensor;
  };
  for (bool const training : {false, true}) {
    model_builder model({1, 2});
    model.store(ramp("ratio", {}, 0.5f)).store(flag(training));
    model.node("Dropout", {"x", "ratio", "mode"}).set("seed", 3);
    if (training) {
      CHECK(has(refused<unsupported_error>(model), "training mode"));
    } else {
      CHECK(evaluate(model.parse(), {1, 2}) == numbers{1, 2});
    }
  }
  model_builder computed({1, 2});
  computed.store(ramp("ratio", {}, 0.5f));
  computed.node("Dropout", {"x", "ratio", "x"});
  CHECK(has(refused<unsupported_error>(computed), "computed"));
  model_builder plain({1, 2}, 13);
  plain.node("Dropout", {"x"}, {"y", "mask"});
  CHECK(evaluate(plain.parse(), {1, 2}) == numbers{1, 2});
  model_builder mask({1, 2}, 13);
  mask.node("Dropout", {"x"}, {"d", "mask"});
  mask.node("Relu", {"mask"});
  CHECK(has(refused<unsupported_error>(mask), "output of its node that is not supported"));
  model_builder middle({1, 2}, 10);
  middle.node("Dropout", {"x"}).set("ratio", 0.5f);
  CHECK(evaluate(middle.parse(), {1, 2}) == numbers{1, 2});
  model_builder ancient({1, 2}, 6);
  ancient.node("Dropout", {"x"});
  CHECK(has(refused<unsupported_error>(ancient), "training mode"));
  model_builder tested({1, 2}, 6);
  tested.node("Dropout", {"x"}).set("is_test", 1);
  CHECK(evaluate(tested.parse(), {1, 2}) == numbers{1, 2});
  model_builder ratio({1, 2}, 13);
  ratio.node("Dropout", {"x"}).set("ratio", 0.5f);
  CHECK(has(refused<unsupported_error>(ratio), "'ratio' is not known"));
}

TEST_CASE("onnx: every activation of the table has its value, its default parameters and its constant") {
  int count = 0;
  for (auto const& entry : lipschitz::rules::activation_table()) {
    std::string const type(entry.onnx_name);
    if (type.empty() || type == "QuickGelu" || type == "Swish" || type == "PRelu" || type == "Pow") continue;
    model_builder model({3}, 20);
    auto node = model.node(type.c_str(), {"x"});
    if (!entry.onnx_variant.empty()) node.set("approximate", std::string(entry.onnx_variant));
    auto const net = model.parse();
    lipschitz::rules::activation const expected(entry);
    numbers const x{-0.75, 0.25, 1.5};
    numbers y(3);
    expected.entry().formula.on_double(x, y, expected.parameters(), {});
    auto const got = evaluate(net, x);
    for (std::size_t i = 0; i < 3; ++i) CHECK((got[i] == y[i] || (std::isnan(got[i]) && std::isnan(y[i]))));
    auto const bound = test::certify(net, {.attack = false}).upper();
    CHECK(test::tight(bound, type == "Identity" ? 1.0 : expected.constant()));
    ++count;
  }
  CHECK(count >= 30);
}

TEST_CASE("onnx: activations with parameters") {
  auto const constant_of = [](model_builder const& model) {
    return test::certify(model.parse(), {.attack = false}).upper();
  };
  model_builder leaky({1, 2});
  leaky.node("LeakyRelu", {"x"}).set("alpha", -3.0f);
  CHECK(test::tight(constant_of(leaky), 3));
  CHECK(evaluate(leaky.parse(), {1, -1}) == numbers{1, 3});
  model_builder selu({1, 2}, 5);
  selu.node("Selu", {"x"});
  CHECK(constant_of(selu) == doctest::Approx(1.6732 * 1.0507));
  model_builder hard({1, 2});
  hard.node("HardSigmoid", {"x"}).set("alpha", 0.75f).set("beta", 0.25f);
  CHECK(test::tight(constant_of(hard), 0.75));
  model_builder wrong({1, 2});
  wrong.node("Relu", {"x"}).set("alpha", 1.0f);
  CHECK(has(refused<unsupported_error>(wrong), "'alpha' is not known"));
  model_builder gelu({1, 2}, 20);
  gelu.node("Gelu", {"x"}).set("approximate", std::string("sigmoid"));
  CHECK(has(refused<unsupported_error>(gelu), "'none' and 'tanh'"));
  model_builder erf({1, 2}, 20);
  erf.node("Gelu", {"x"});
  CHECK(constant_of(erf) == doctest::Approx(1.1289041));
}

TEST_CASE("onnx: PRelu takes one slope, one an element, or one a channel") {
  model_builder model({1, 2});
  model.store(ramp("s", {2}, -0.5f, 2.5f));
  model.node("PRelu", {"x", "s"});
  CHECK(evaluate(model.parse(), {-1, -1}) == numbers{0.5, -2});
  CHECK(test::tight(test::certify(model.parse()).upper(), 2));
  model_builder channel({1, 2, 2}, 6);
  channel.store(ramp("s", {2}));
  channel.node("PRelu", {"x", "s"});
  CHECK(evaluate(channel.parse(), {-1, -1, -1, -1}) == numbers{-1, -1, -2, -2});
  model_builder big({2});
  big.store(ramp("s", {3, 2}));
  big.node("PRelu", {"x", "s"});
  CHECK(has(refused<format_error>(big), "cannot be broadcast"));
  model_builder computed({2});
  computed.node("PRelu", {"x", "x"});
  CHECK(has(refused<unsupported_error>(computed), "computed"));
}

TEST_CASE("onnx: Clip by attributes and by inputs, Pow") {
  model_builder old({3}, 10);
  old.node("Clip", {"x"}).set("min", -1.0f).set("max", 2.0f);
  CHECK(evaluate(old.parse(), {-5, 0, 5}) == numbers{-1, 0, 2});
  model_builder late({3}, 13);
  late.store(ramp("high", {}, 2));
  late.node("Clip", {"x", "", "high"});
  CHECK(evaluate(late.parse(), {-5, 0, 5}) == numbers{-5, 0, 2});
  model_builder list({3}, 13);
  list.store(ramp("high", {2}));
  list.node("Clip", {"x", "", "high"});
  CHECK(has(refused<unsupported_error>(list), "2 elements"));
  model_builder square({3});
  square.store(ramp("p", {}, 2));
  square.node("Pow", {"x", "p"});
  auto const c = test::certify(square.parse(), {.attack = false});
  CHECK(!c.is_finite());
  CHECK(c.refused().size() == 1);
  model_builder base({3});
  base.store(ramp("p", {}, 2));
  base.node("Pow", {"p", "x"});
  CHECK(has(refused<unsupported_error>(base), "exponent is computed"));
}
