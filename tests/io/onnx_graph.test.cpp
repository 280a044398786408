// SPDX-License-Identifier: MIT
// Graphs: names, order, inputs and outputs, operator sets, and everything that must be refused by name.
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
using test::model_builder;
using test::ramp;
using numbers = std::vector<double>;

template <class E>
std::string refused(model_builder const& builder) {
  auto const text = test::error_text<E>([&] { builder.parse(); });
  CHECK(text.find('\n') == std::string::npos);
  return text;
}

model_builder relu_model() {
  model_builder model({1, 2});
  model.node("Relu", {"x"});
  return model;
}

/// The first input's extent number `axis`.
onnx::TensorShapeProto_Dimension& extent(model_builder& model, int axis) {
  return *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(axis);
}

}  // namespace

TEST_CASE("onnx: initializers that are also listed as inputs are constants, as in IR version 3") {
  model_builder model({1, 3}, 8);
  model.model().set_ir_version(3);
  model.add_input("w", {3, 2});
  model.store(ramp("w", {3, 2}));
  model.node("MatMul", {"x", "w"});
  CHECK(evaluate(model.parse(), {1, 10, 100}) == numbers{531, 642});
}

TEST_CASE("onnx: a symbolic batch is one sample, other symbols are refused by name") {
  auto model = relu_model();
  extent(model, 0).set_dim_param("batch");
  CHECK(model.parse().input_shape() == tensor_shape{1, 2});
  extent(model, 0).clear_dim_param();
  CHECK(model.parse().input_shape() == tensor_shape{1, 2});
  extent(model, 0).set_dim_value(3);
  CHECK(model.parse().input_shape() == tensor_shape{3, 2});
  extent(model, 1).set_dim_param("width");
  CHECK(has(refused<unsupported_error>(model), "axis 1 is 'width'"));
  extent(model, 1).clear_dim_param();
  CHECK(has(refused<unsupported_error>(model), "axis 1 is unknown"));
  extent(model, 1).set_dim_value(-1);
  CHECK(has(refused<format_error>(model), "extent -1"));
  extent(model, 1).set_dim_value(0);
  CHECK(has(refused<unsupported_error>(model), "no elements"));
  extent(model, 1).set_dim_value(INT64_MAX);
  CHECK(has(refused<format_error>(model), "addressed"));
}

TEST_CASE("onnx: inputs that are no real tensor with a shape") {
  auto model = relu_model();
  auto& type = *model.graph().mutable_input(0)->mutable_type();
  type.mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
  CHECK(has(refused<unsupported_error>(model), "type int64"));
  type.mutable_tensor_type()->set_elem_type(onnx::TensorProto::DOUBLE);
  CHECK_NOTHROW(model.parse());
  type.mutable_tensor_type()->clear_shape();
  CHECK(has(refused<unsupported_error>(model), "no shape"));
  type.mutable_sequence_type();
  CHECK(has(refused<unsupported_error>(model), "no tensor"));
  model.graph().mutable_input(0)->clear_type();
  CHECK(has(refused<unsupported_error>(model), "no tensor"));
}

TEST_CASE("onnx: one input and one output, else their names") {
  auto inputs = relu_model();
  inputs.add_input("second", {1});
  CHECK(has(refused<unsupported_error>(inputs), "2 inputs ('x', 'second')"));
  auto outputs = relu_model();
  outputs.graph().add_output()->set_name("x");
  CHECK(has(refused<unsupported_error>(outputs), "2 outputs ('y', 'x')"));
  auto none = relu_model();
  none.graph().clear_output();
  CHECK(has(refused<format_error>(none), "no output"));
  auto blind = relu_model();
  blind.graph().clear_input();
  CHECK(has(refused<format_error>(blind), "no input"));
  auto lost = relu_model();
  lost.graph().mutable_output(0)->set_name("z");
  CHECK(has(refused<format_error>(lost), "'z', which nothing defines"));
}

TEST_CASE("onnx: the output may be the input, or constant") {
  model_builder identity({1, 2});
  identity.graph().mutable_output(0)->set_name("x");
  CHECK(evaluate(identity.parse(), {1, 2}) == numbers{1, 2});
  CHECK(test::tight(test::certify(identity.parse()).upper(), 1));
  model_builder constant({1, 2});
  constant.store(ramp("y", {3}));
  CHECK(evaluate(constant.parse(), {1, 2}) == numbers{1, 2, 3});
  CHECK(test::certify(constant.parse()).upper() == 0);
}

TEST_CASE("onnx: nodes in any order are sorted") {
  model_builder model({1, 2});
  model.node("Relu", {"b"});
  model.node("Add", {"a", "x"}, {"b"});
  model.node("Neg", {"x"}, {"a"});
  CHECK(evaluate(model.parse(), {1, 2}) == numbers{0, 0});
  model_builder chain({1, 1});
  for (int i = 20000; i > 0; --i) {
    chain.node("Neg", {i == 1 ? "x" : "v" + std::to_string(i - 1)}, {i == 20000 ? "y" : "v" + std::to_string(i)});
  }
  CHECK(chain.parse().size() == 20001);
}

TEST_CASE("onnx: a cycle names a node that is on it") {
  model_builder model({1, 2});
  model.node("Add", {"x", "b"}, {"a"}).proto().set_name("first");
  model.node("Relu", {"a"}, {"b"}).proto().set_name("second");
  model.node("Relu", {"b"}).proto().set_name("behind");
  auto const text = refused<format_error>(model);
  CHECK(has(text, "cycle"));
  CHECK((has(text, "'first'") || has(text, "'second'")));
  model_builder itself({1, 2});
  itself.node("Relu", {"y"});
  CHECK(has(refused<format_error>(itself), "cycle"));
}

TEST_CASE("onnx: names that are defined twice, not at all, or are empty") {
  auto twice = relu_model();
  twice.node("Neg", {"x"});
  CHECK(has(refused<format_error>(twice), "'y' is defined twice"));
  auto shadow = relu_model();
  shadow.node("Neg", {"x"}, {"x"});
  CHECK(has(refused<format_error>(shadow), "'x' is defined twice"));
  auto stored = relu_model();
  stored.store(ramp("w", {1})).store(ramp("w", {1}));
  CHECK(has(refused<format_error>(stored), "'w' is defined twice"));
  auto both = relu_model();
  both.store(ramp("y", {1}));
  CHECK(has(refused<format_error>(both), "'y' is defined twice"));
  auto inputs = relu_model();
  inputs.add_input("x", {1});
  CHECK(has(refused<format_error>(inputs), "'x' is defined twice"));
  model_builder missing({1, 2});
  missing.node("Add", {"x", "nowhere"});
  CHECK(has(refused<format_error>(missing), "'nowhere', which nothing defines"));
  model_builder left_out({1, 2});
  left_out.node("Add", {"x", ""});
  CHECK(has(refused<format_error>(left_out), "missing"));
  auto unnamed = relu_model();
  unnamed.store(ramp("", {1}));
  CHECK(has(refused<format_error>(unnamed), "without a name"));
}

TEST_CASE("onnx: all operators without a rule are named at once") {
  model_builder model({1, 2});
  model.node("NonZero", {"x"}, {"a"});
  model.node("If", {"a"}, {"b"});
  model.node("FusedGemm", {"b"}, {"c"}).proto().set_domain("com.microsoft");
  model.node("NonZero", {"c"}, {"d"});
  model.node("Relu", {"d"});
  try {
    model.parse();
    FAIL("accepted");
  } catch (io::unsupported_operators_error const& e) {
    CHECK(e.operators() == std::vector<std::string>{"If", "NonZero", "com.microsoft.FusedGemm"});
    CHECK(std::string(e.what()) == "ONNX model: operators not supported: If, NonZero, com.microsoft.FusedGemm");
  }
  // What the output does not depend on has no influence on the function.
  auto unused = relu_model();
  unused.node("Loop", {"x"}, {"z"});
  CHECK_NOTHROW(unused.parse());
}

TEST_CASE("onnx: control flow, sequences, quantised and contributed operators are all refused") {
  for (char const* const type : {"If", "Loop", "Scan", "QuantizeLinear", "DequantizeLinear", "LSTM", "RoiAlign", "TopK",
                                 "Swish", "QuickGelu", "", "relu"}) {
    model_builder model({1, 2});
    model.node(type, {"x"});
    CHECK_THROWS_AS(model.parse(), io::unsupported_operators_error);
  }
}

TEST_CASE("onnx: operator sets") {
  auto model = relu_model();
  auto& opset = *model.model().mutable_opset_import(0);
  for (std::int64_t const number : {1, 6, 7, 13, 22, 23}) {
    opset.set_version(number);
    CHECK_NOTHROW(model.parse());
  }
  for (std::int64_t const number : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{24}, INT64_MAX}) {
    opset.set_version(number);
    CHECK(has(refused<unsupported_error>(model), "versions 1 to 23"));
  }
  opset.set_domain("ai.onnx");
  opset.set_version(13);
  CHECK_NOTHROW(model.parse());
  auto& second = *model.model().add_opset_import();
  second.set_version(12);
  CHECK(has(refused<format_error>(model), "versions 13 and 12"));
  second.set_domain("com.microsoft");
  CHECK_NOTHROW(model.parse());
  model.model().clear_opset_import();
  CHECK(has(refused<format_error>(model), "opset_import"));
}

TEST_CASE("onnx: functions that redefine an operator, attributes of functions") {
  auto model = relu_model();
  auto& function = *model.model().add_functions();
  function.set_name("Relu");
  CHECK(has(refused<unsupported_error>(model), "redefines the operator 'Relu'"));
  function.set_domain("mine");
  CHECK_NOTHROW(model.parse());
  model_builder reference({1, 2});
  reference.node("LeakyRelu", {"x"}).set("alpha", 0.5f).proto().mutable_attribute(0)->set_ref_attr_name("a");
  CHECK(has(refused<unsupported_error>(reference), "function's parameter"));
  model_builder twice({1, 2});
  twice.node("LeakyRelu", {"x"}).set("alpha", 0.5f).set("alpha", 0.25f);
  CHECK(has(refused<format_error>(twice), "occurs twice"));
}

TEST_CASE("onnx: whatever a file calls its tensors, the message is one line of valid text") {
  for (std::string const& name : {std::string("two\nlines"), std::string("\x1b[31mred"), std::string("nul\0byte", 8),
                                  std::string("\xff\xfe"), std::string(100000, 'n')}) {
    model_builder model({1, 2});
    model.node("Add", {"x", name}).proto().set_name(name);
    auto const text = refused<format_error>(model);
    CHECK(has(text, "which nothing defines"));
    CHECK(text.size() < 1000);
    for (char const c : text) CHECK((c >= 0x20 && c < 0x7f));
  }
}

TEST_CASE("onnx: memory is bounded before it is allocated") {
  // Kilobytes of file, terabytes of values.
  model_builder wide({1, 1});
  wide.store(ramp("c", {1 << 12, 1}));
  wide.node("Add", {"x", "c"}, {"a"});
  wide.node("Transpose", {"a"}, {"b"});
  wide.node("Add", {"a", "b"});
  CHECK_NOTHROW(wide.parse());
  CHECK(has(test::error_text<format_error>([&] { wide.parse({.max_memory = 16 << 20}); }), "max_memory"));
  model_builder huge({std::int64_t{1} << 40, 1});
  huge.node("Relu", {"x"});
  CHECK(has(refused<format_error>(huge), "max_memory"));
  model_builder copies({1, 2});
  copies.store(ramp("w", {512, 512}));
  copies.node("Transpose", {"w"}, {"t0"});
  for (int i = 0; i < 100; ++i) copies.node("Transpose", {"t" + std::to_string(i)}, {"t" + std::to_string(i + 1)});
  copies.node("Add", {"t100", "x"});
  CHECK(has(test::error_text<format_error>([&] { copies.parse({.max_memory = 64 << 20}); }), "max_memory"));
}

TEST_CASE("onnx: bytes that are no model") {
  auto const why = [](std::string const& bytes) { return test::error_text<format_error>([&] { test::parse(bytes); }); };
  CHECK(has(why(""), "no graph"));
  CHECK(has(why("this is text, not a model"), "not an ONNX model"));
  CHECK(has(why(std::string(1000, '\0')), "not an ONNX model"));
}
