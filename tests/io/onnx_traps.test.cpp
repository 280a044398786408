// SPDX-License-Identifier: MIT
// Group 25: what makes importers certify another function than the file describes. Each trap has its exact bound, or
// is refused by name.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <onnx/onnx_pb.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using test::has;
using test::model_builder;

double upper_of(model_builder const& model, norm::any n = norm::linf) {
  return test::certify(model.parse(), {.norm = n, .attack = false}).upper();
}

/// The text of the refusal; a model that is accepted fails the test.
std::string refused(model_builder const& model) {
  try {
    model.parse();
  } catch (unsupported_error const& problem) {
    return problem.what();
  } catch (format_error const& problem) {
    return problem.what();
  }
  FAIL_CHECK("accepted");
  return {};
}

onnx::TensorProto stored(std::string const& name, std::int64_t rows, std::int64_t cols,
                         std::vector<float> const& values, int type = onnx::TensorProto::FLOAT) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  tensor.add_dims(rows);
  tensor.add_dims(cols);
  for (float const value : values) {
    if (type == onnx::TensorProto::FLOAT16) {
      tensor.add_int32_data(f16(value).bits);
    } else if (type == onnx::TensorProto::BFLOAT16) {
      tensor.add_int32_data(bf16(value).bits);
    } else if (type == onnx::TensorProto::INT8) {
      tensor.add_int32_data(static_cast<int>(value));
    } else {
      tensor.add_float_data(value);
    }
  }
  return tensor;
}

}  // namespace

TEST_CASE("group 25: onnx trap: attributes that are not there have the defaults of the operator") {
  // Gemm: alpha = beta = 1, transA = transB = 0: y = x B.
  model_builder gemm({1, 2});
  gemm.store(stored("B", 2, 2, {1, 10, 2, 20}));
  gemm.node("Gemm", {"x", "B"});
  CHECK(test::tight(upper_of(gemm), 30));  // column (10, 20)
  model_builder leaky({1, 2});
  leaky.node("LeakyRelu", {"x"});
  CHECK(test::evaluate(leaky.parse(), {-1, 1})[0] == -double{0.01f});
  model_builder elu({1, 2});
  elu.node("Elu", {"x"});
  CHECK(test::tight(upper_of(elu), 1));
  model_builder selu({1, 2});
  selu.node("Selu", {"x"});
  CHECK(upper_of(selu) >= 1.758);
}

TEST_CASE("group 25: onnx trap: alpha, transA and transB of Gemm count, beta touches the bias alone") {
  auto const gemm = [](int transposed, float alpha, float beta) {
    model_builder model({1, 2});
    model.store(stored("B", 2, 2, {1, 10, 2, 20})).store(stored("C", 1, 2, {5, 7}));
    model.node("Gemm", {"x", "B", "C"}).set("alpha", alpha).set("beta", beta).set("transB", transposed);
    return model;
  };
  CHECK(test::tight(upper_of(gemm(0, 1, 1)), 30));
  CHECK(test::tight(upper_of(gemm(1, 1, 1)), 22));  // row (2, 20)
  CHECK(test::tight(upper_of(gemm(0, -0.5f, 1000)), 15));
  CHECK(test::tight(upper_of(gemm(1, 2, 0)), 44));
  CHECK(test::evaluate(gemm(1, 2, 0.5f).parse(), {1, 1}) == std::vector<double>{24.5, 47.5});
}

TEST_CASE("group 25: onnx trap: an initializer that two layers share counts in both") {
  model_builder model({1, 2});
  model.store(stored("W", 2, 2, {3, 0, 0, 3}));
  model.node("MatMul", {"x", "W"}, {"a"});
  model.node("Relu", {"a"}, {"b"});
  model.node("MatMul", {"b", "W"});
  CHECK(test::tight(upper_of(model), 9));
  double const l2 = upper_of(model, norm::l2);
  CHECK(l2 >= 9);
  CHECK(l2 <= 9 * (1 + 1e-6));
}

TEST_CASE("group 25: onnx trap: float16 and bfloat16 weights are widened exactly, int8 weights are refused") {
  for (int const type : {onnx::TensorProto::FLOAT16, onnx::TensorProto::BFLOAT16}) {
    model_builder model({1, 2});
    model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    model.store(stored("W", 2, 2, {0.1f, 0, 0, 0.1f}, type));
    model.node("MatMul", {"x", "W"});
    double const exact =
        type == onnx::TensorProto::FLOAT16 ? static_cast<double>(f16(0.1f)) : static_cast<double>(bf16(0.1f));
    CHECK(exact != 0.1);
    CHECK(test::tight(upper_of(model), exact));
  }
  model_builder quantised({1, 2});
  quantised.store(stored("W", 2, 2, {1, 0, 0, 1}, onnx::TensorProto::INT8));
  quantised.node("MatMul", {"x", "W"});
  CHECK(has(refused(quantised), "'W'"));
}

TEST_CASE("group 25: onnx trap: operators that are not what inference runs are refused, named") {
  struct trap {
    char const* type;
    char const* domain;
    std::int64_t opset;
  };
  for (auto const [type, domain, opset] :
       {trap{"If", "", 13}, trap{"Loop", "", 13}, trap{"Scan", "", 13}, trap{"Upsample", "", 6},
        trap{"RandomNormalLike", "", 13}, trap{"Gelu", "com.example", 13}, trap{"Relu", "com.microsoft", 13}}) {
    model_builder model({1, 1, 2, 2}, opset);
    model.node(type, {"x"}).proto().set_domain(domain);
    CHECK(has(refused(model), type));
    // Behind another operator, and with one behind it.
    model_builder middle({1, 1, 2, 2}, opset);
    middle.node("Relu", {"x"}, {"a"});
    middle.node(type, {"a"}, {"b"}).proto().set_domain(domain);
    middle.node("Neg", {"b"});
    CHECK(has(refused(middle), type));
  }
}

TEST_CASE("group 25: onnx trap: training_mode of BatchNormalization and Dropout is refused") {
  model_builder norm({1, 2, 1, 1}, 15);
  for (char const* const name : {"s", "b", "m", "v"}) norm.store(test::ramp(name, {2}));
  norm.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y", "running_mean", "running_var"})
      .set("training_mode", 1);
  CHECK_FALSE(refused(norm).empty());
  model_builder dropout({1, 2}, 13);
  dropout.store(test::ramp("ratio", {}, 0.5f));
  onnx::TensorProto mode;
  mode.set_name("mode");
  mode.set_data_type(onnx::TensorProto::BOOL);
  mode.add_int32_data(1);
  dropout.store(mode);
  dropout.node("Dropout", {"x", "ratio", "mode"});
  CHECK(has(refused(dropout), "training mode"));
}

TEST_CASE("group 25: onnx trap: values that leave the reals, the file, or what is known of shapes") {
  model_builder cast({1, 2});
  cast.node("Cast", {"x"}, {"i"}).set("to", static_cast<int>(onnx::TensorProto::INT64));
  cast.node("Cast", {"i"}).set("to", static_cast<int>(onnx::TensorProto::FLOAT));
  CHECK(has(refused(cast), "changes values"));

  model_builder external({1, 2});
  auto w = stored("W", 2, 2, {});
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& entry = *w.add_external_data();
  entry.set_key("location");
  entry.set_value("weights.bin");
  external.store(w);
  external.node("MatMul", {"x", "W"});
  CHECK(has(refused(external), "'weights.bin'"));

  // A shape that is computed from the input is not a constant to be folded.
  model_builder dynamic({1, 2});
  dynamic.node("NonZero", {"x"}, {"where"});
  dynamic.node("Reshape", {"x", "where"});
  CHECK_FALSE(refused(dynamic).empty());

  model_builder twice({1, 2});
  twice.store(stored("W", 2, 2, {1, 0, 0, 1})).store(stored("W", 2, 2, {9, 0, 0, 9}));
  twice.node("MatMul", {"x", "W"});
  CHECK(has(refused(twice), "'W' is defined twice"));
}
