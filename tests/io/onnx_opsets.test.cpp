// SPDX-License-Identifier: MIT
// What the versions of ONNX's operator set changed in the operators we read: another meaning is never assumed.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using test::error_text;
using test::extents;
using test::has;
using test::integers;
using test::model_builder;
using test::ramp;
using numbers = std::vector<double>;

std::string refused(model_builder const& model) {
  return error_text<unsupported_error>([&] { model.parse(); });
}

onnx::TensorProto empty_tensor(std::string const& name) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(0);
  return tensor;
}

}  // namespace

TEST_CASE("group 25: onnx: operators are of the sets that have them") {
  struct version {
    char const* type;
    std::int64_t first;
    std::int64_t last;
  };
  for (auto const& [operator_type, first, last] :
       {version{"Sin", 7, 23}, version{"Erf", 9, 23}, version{"Celu", 12, 23}, version{"HardSwish", 14, 23},
        version{"Mish", 18, 23}, version{"Gelu", 20, 23}, version{"Relu", 1, 23}, version{"Selu", 1, 23}}) {
    for (std::int64_t opset = 1; opset <= 23; ++opset) {
      auto const& type = operator_type;
      CAPTURE(type);
      CAPTURE(opset);
      model_builder model({1, 2}, opset);
      model.node(type, {"x"});
      if (first <= opset && opset <= last) {
        CHECK(test::evaluate(model.parse(), {0.5, -0.5}).size() == 2);
      } else {
        CHECK(has(refused(model), "the operator is of the operator sets " + std::to_string(first) + " to"));
      }
    }
  }
  for (std::int64_t const opset : {22, 23}) {
    model_builder rms({1, 2}, opset);
    rms.store(ramp("s", {2}));
    rms.node("RMSNormalization", {"x", "s"});
    if (opset == 23) CHECK(test::evaluate(rms.parse(), {3, 4}).size() == 2);
    if (opset == 22) CHECK(has(refused(rms), "operator sets 23 to 23"));
  }
  model_builder upsample({1, 1, 2, 2}, 10);
  upsample.store(ramp("s", {4}, 1.0f, 0.0f));
  upsample.node("Upsample", {"x", "s"});
  CHECK(has(refused(upsample), "operator sets 1 to 9"));
  for (std::int64_t const opset : {0, 24, 99}) {
    model_builder model({1, 2}, opset);
    model.node("Relu", {"x"});
    CHECK(has(refused(model), "versions 1 to 23 are"));
  }
}

TEST_CASE("group 25: onnx: batch normalisation of training, said by its outputs before operator set 14") {
  for (std::int64_t const opset : {7, 9, 13, 14, 15}) {
    for (int const outputs : {1, 3, 5}) {
      CAPTURE(opset);
      CAPTURE(outputs);
      model_builder model({1, 2, 3}, opset);
      for (char const* const name : {"s", "b", "m", "v"}) model.store(ramp(name, {2}));
      std::vector<std::string> names{"y", "m1", "v1", "m2", "v2"};
      names.resize(static_cast<std::size_t>(outputs));
      model.node("BatchNormalization", {"x", "s", "b", "m", "v"}, names);
      if (outputs == 1) CHECK(test::evaluate(model.parse(), numbers(6, 1.0)).size() == 6);
      if (outputs > 1) CHECK(has(refused(model), "training mode"));
    }
  }
  // Outputs without a name are left out.
  model_builder unnamed({1, 2, 3}, 9);
  for (char const* const name : {"s", "b", "m", "v"}) unnamed.store(ramp(name, {2}));
  unnamed.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y", "", ""});
  CHECK(test::evaluate(unnamed.parse(), numbers(6, 1.0)).size() == 6);
}

TEST_CASE("group 25: onnx: attributes are of the sets that have them") {
  struct attribute {
    char const* type;
    char const* name;
    std::int64_t first;
  };
  for (auto const& [operator_type, name, first] :
       {attribute{"MaxPool", "ceil_mode", 10}, attribute{"AveragePool", "ceil_mode", 10},
        attribute{"LpPool", "ceil_mode", 18}, attribute{"AveragePool", "count_include_pad", 7}}) {
    for (std::int64_t const opset : {first - 1, first}) {
      auto const& type = operator_type;
      CAPTURE(type);
      CAPTURE(opset);
      model_builder model({1, 1, 5}, opset);
      model.node(type, {"x"}).set("kernel_shape", extents{2}).set(name, 1);
      if (opset < first) CHECK(has(refused(model), std::string("attribute '") + name + "' is not known"));
      if (opset == first) CHECK(test::evaluate(model.parse(), numbers(5, 1.0)).size() == 4);
    }
  }
  for (auto const& [type, first] :
       {std::pair<char const*, std::int64_t>{"MaxPool", 10}, {"AveragePool", 19}, {"LpPool", 18}}) {
    for (std::int64_t const opset : {first - 1, first}) {
      model_builder model({1, 1, 5}, opset);
      model.node(type, {"x"}).set("kernel_shape", extents{2}).set("dilations", extents{2});
      if (opset < first) CHECK(has(refused(model), "attribute 'dilations' is not known"));
      if (opset == first) CHECK(test::evaluate(model.parse(), numbers(5, 1.0)).size() == 3);
    }
  }
  for (std::int64_t const opset : {14, 15}) {
    model_builder model({2, 3}, opset);
    model.store(integers("rest", {-1}));
    model.node("Shape", {"x"}, {"s"}).set("end", 1);
    model.node("Concat", {"s", "rest"}, {"to"}).set("axis", 0);
    model.node("Reshape", {"x", "to"});
    if (opset == 14) CHECK(has(refused(model), "attribute 'end' is not known"));
    if (opset == 15) CHECK(test::evaluate(model.parse(), numbers(6, 1.0)).size() == 6);
  }
  for (std::int64_t const opset : {12, 13}) {
    model_builder model({1, 6}, opset);
    model.store(integers("sizes", {2, 4}));
    model.node("Split", {"x", "sizes"}, {"y", "z"}).set("axis", 1);
    if (opset == 12) CHECK(has(error_text<format_error>([&] { model.parse(); }), "it takes 1"));
    if (opset == 13) CHECK(test::evaluate(model.parse(), numbers(6, 1.0)).size() == 2);
  }
}

TEST_CASE("group 25: onnx: padding knows axes since 18 and wrapping since 19, and wraps nothing that is cut off") {
  auto const padded = [](std::int64_t opset, std::string const& mode, extents const& pads, bool axes) {
    model_builder model({1, 4}, opset);
    model.store(integers("pads", pads)).store(integers("axes", {1}));
    if (axes) {
      model.node("Pad", {"x", "pads", "", "axes"}).set("mode", mode);
    } else {
      model.node("Pad", {"x", "pads"}).set("mode", mode);
    }
    return model;
  };
  CHECK(has(error_text<format_error>([&] { padded(17, "edge", {1, 1}, true).parse(); }), "it takes 2 to 3"));
  CHECK(test::evaluate(padded(18, "edge", {1, 1}, true).parse(), {1, 2, 3, 4}) == numbers{1, 1, 2, 3, 4, 4});
  CHECK(has(refused(padded(18, "wrap", {0, 1, 0, 1}, false)), "operator set 19"));
  CHECK(test::evaluate(padded(19, "wrap", {0, 1, 0, 1}, false).parse(), {1, 2, 3, 4}) == numbers{4, 1, 2, 3, 4, 1});
  CHECK(has(refused(padded(19, "wrap", {0, 2, 0, -1}, false)), "differs from program to program"));
  CHECK(test::evaluate(padded(19, "constant", {0, 1, 0, -1}, false).parse(), {1, 2, 3, 4}) == numbers{0, 1, 2, 3});
}

TEST_CASE("onnx: the empty regions and scales that exporters give to Resize are not read") {
  for (bool const by_node : {false, true}) {
    model_builder model({1, 1, 2, 2}, 13);
    if (by_node) {
      model.node("Constant", {}, {"none"}).set("value", empty_tensor("none"));
    } else {
      model.store(empty_tensor("none"));
    }
    model.store(integers("sizes", {1, 1, 4, 4}));
    model.node("Resize", {"x", "none", "none", "sizes"})
        .set("coordinate_transformation_mode", std::string("asymmetric"))
        .set("nearest_mode", std::string("floor"));
    CHECK(test::evaluate(model.parse(), {1, 2, 3, 4}) == numbers{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  }
  model_builder scales({1, 1, 2, 2}, 13);
  scales.store(empty_tensor("none"));
  auto factors = ramp("factors", {4}, 1.0f, 0.0f);
  factors.set_float_data(3, 2.0f);
  scales.store(factors);
  scales.node("Resize", {"x", "none", "factors"});
  CHECK(test::evaluate(scales.parse(), {1, 2, 3, 4}) == numbers{1, 1, 2, 2, 3, 3, 4, 4});
  // Without sizes empty scales say nothing.
  model_builder neither({1, 1, 2, 2}, 13);
  neither.store(empty_tensor("none"));
  neither.node("Resize", {"x", "none", "none"});
  CHECK(has(refused(neither), "has no elements"));
}

TEST_CASE("onnx: axes of ReduceLogSumExp are integers") {
  model_builder model({2, 2}, 18);
  model.store(integers("axes", {1}));
  model.node("ReduceLogSumExp", {"x", "axes"}).set("keepdims", 0);
  auto const y = test::evaluate(model.parse(), {0, 0, 1, 1});
  CHECK(y[0] == doctest::Approx(std::log(2.0)));
  CHECK(y[1] == doctest::Approx(1 + std::log(2.0)));
}

TEST_CASE("onnx: triangles and comparisons of stored numbers are folded, of computed ones refused") {
  model_builder model({3, 3}, 14);
  model.store(ramp("m", {3, 3}, 1.0f, 1.0f)).store(ramp("zero", {}, 0.0f)).store(integers("one", {1}));
  model.node("Trilu", {"m"}, {"lower"}).set("upper", 0);
  model.node("Trilu", {"m", "one"}, {"above"});
  model.node("Add", {"lower", "above"}, {"both"});
  model.node("Equal", {"above", "zero"}, {"low"});
  model.node("Where", {"low", "lower", "zero"}, {"chosen"});
  model.node("Mul", {"x", "chosen"}, {"part"});
  model.node("Add", {"part", "both"});
  CHECK(test::evaluate(model.parse(), numbers(9, 1.0)) == numbers{2, 2, 3, 8, 10, 6, 14, 16, 18});
  model_builder computed({3, 3}, 14);
  computed.node("Trilu", {"x"});
  CHECK(has(refused(computed), "a triangle of computed values"));
  model_builder compared({3, 3}, 14);
  compared.store(ramp("zero", {}, 0.0f));
  compared.node("Less", {"x", "zero"}, {"b"});
  compared.node("Where", {"b", "x", "zero"});
  CHECK(has(refused(compared), "discontinuous"));
}
