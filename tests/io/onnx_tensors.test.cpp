// SPDX-License-Identifier: MIT
// Stored tensors: every encoding, exactly; and everything that can be wrong with one.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/scalar.hpp>
#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using test::evaluate;
using test::extents;
using test::has;
using test::model_builder;
using test::ramp;
using numbers = std::vector<double>;

/// x of this element type, plus the tensor "c".
model_builder adding(onnx::TensorProto tensor, int type) {
  tensor.set_name("c");
  model_builder model({2});
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
  model.store(tensor);
  model.node("Add", {"x", "c"});
  return model;
}

onnx::TensorProto typed(int type, extents const& dims = {2}) {
  onnx::TensorProto tensor;
  tensor.set_data_type(type);
  for (auto const extent : dims) tensor.add_dims(extent);
  return tensor;
}

template <class T>
std::string raw(std::vector<T> const& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

numbers read(onnx::TensorProto const& tensor) { return evaluate(adding(tensor, tensor.data_type()).parse(), {0, 0}); }
template <class E>
std::string refused(onnx::TensorProto const& tensor) {
  return test::error_text<E>([&] { adding(tensor, onnx::TensorProto::FLOAT).parse(); });
}

}  // namespace

TEST_CASE("onnx: each real type is widened exactly, raw and listed") {
  auto f = typed(onnx::TensorProto::FLOAT);
  f.set_raw_data(raw<float>({0.1f, std::numeric_limits<float>::denorm_min()}));
  CHECK(read(f) == numbers{double{0.1f}, 0x1p-149});
  f.clear_raw_data();
  f.add_float_data(0.1f);
  f.add_float_data(-0.0f);
  CHECK(read(f) == numbers{double{0.1f}, 0});

  auto d = typed(onnx::TensorProto::DOUBLE);
  d.set_raw_data(raw<double>({0.1, 5e-324}));
  CHECK(read(d) == numbers{0.1, 5e-324});
  d.clear_raw_data();
  d.add_double_data(0.1);
  d.add_double_data(1e308);
  CHECK(read(d) == numbers{0.1, 1e308});

  auto h = typed(onnx::TensorProto::FLOAT16);
  h.set_raw_data(raw<std::uint16_t>({f16(0.1f).bits, 1}));
  CHECK(read(h) == numbers{static_cast<double>(f16(0.1f)), 0x1p-24});
  h.clear_raw_data();
  h.add_int32_data(f16(0.1f).bits);
  h.add_int32_data(0x7bff);
  CHECK(read(h) == numbers{static_cast<double>(f16(0.1f)), 65504});

  auto b = typed(onnx::TensorProto::BFLOAT16);
  b.set_raw_data(raw<std::uint16_t>({bf16(0.1f).bits, 1}));
  CHECK(read(b) == numbers{static_cast<double>(bf16(0.1f)), 0x1p-133});
  b.clear_raw_data();
  b.add_int32_data(bf16(0.1f).bits);
  b.add_int32_data(bf16(3.0f).bits);
  CHECK(read(b) == numbers{static_cast<double>(bf16(0.1f)), 3});
}

TEST_CASE("onnx: a weight in float16 keeps its norm") {
  model_builder model({1, 2});
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT16);
  auto w = typed(onnx::TensorProto::FLOAT16, {2, 2});
  w.set_name("w");
  for (float const value : {3.0f, 0.0f, 0.0f, 0.1f}) w.add_int32_data(f16(value).bits);
  model.store(w);
  model.node("MatMul", {"x", "w"});
  auto const c = test::certify(model.parse());
  CHECK(c.upper() >= 3);
  CHECK(c.upper() <= 3.000001);
}

TEST_CASE("onnx: NaN and infinity are refused with tensor and position") {
  // -infinity may be a mask: see onnx_attention.test.cpp for where it is refused.
  for (float const bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    auto tensor = typed(onnx::TensorProto::FLOAT, {3, 2});
    for (int i = 0; i < 6; ++i) tensor.add_float_data(i == 3 ? bad : 1.0f);
    auto const text = refused<numeric_error>(tensor);
    CHECK(has(text, "tensor 'c': element [1, 1] is "));
    CHECK(has(text, std::isnan(bad) ? "NaN" : "+infinity"));
  }
  auto half = typed(onnx::TensorProto::FLOAT16);
  half.add_int32_data(0);
  half.add_int32_data(0x7c00);
  CHECK(has(refused<numeric_error>(half), "[1] is +infinity"));
}

TEST_CASE("onnx: lengths must fit the shape") {
  auto tensor = typed(onnx::TensorProto::FLOAT);
  for (std::size_t const size : {0u, 4u, 7u, 9u, 12u}) {
    tensor.set_raw_data(std::string(size, '\0'));
    CHECK(has(refused<format_error>(tensor), "bytes of raw data"));
  }
  auto list = typed(onnx::TensorProto::FLOAT);
  list.add_float_data(1);
  CHECK(has(refused<format_error>(list), "1 elements; its shape needs 2"));
  auto wrong_list = typed(onnx::TensorProto::FLOAT);
  wrong_list.add_double_data(1);
  wrong_list.add_double_data(1);
  CHECK(has(refused<format_error>(wrong_list), "0 elements; its shape needs 2"));
  auto both = typed(onnx::TensorProto::FLOAT);
  both.set_raw_data(std::string(8, '\0'));
  both.add_float_data(1);
  CHECK(has(refused<format_error>(both), "twice"));
  auto bits = typed(onnx::TensorProto::FLOAT16);
  bits.add_int32_data(1);
  bits.add_int32_data(65536);
  CHECK(has(refused<format_error>(bits), "0 to 65535"));
  // A shape of 2^62 elements needs a file of that size; nothing is allocated before that is known.
  CHECK(has(refused<format_error>(typed(onnx::TensorProto::FLOAT, {std::int64_t{1} << 31, std::int64_t{1} << 31})),
            "0 elements"));
  CHECK(has(refused<format_error>(typed(onnx::TensorProto::FLOAT, {std::int64_t{1} << 32, std::int64_t{1} << 32})),
            "addressed"));
}

TEST_CASE("onnx: negative extents and tensors without elements") {
  CHECK(has(refused<format_error>(typed(onnx::TensorProto::FLOAT, {-1})), "extent -1"));
  CHECK(has(refused<unsupported_error>(typed(onnx::TensorProto::FLOAT, {0})), "no elements"));
  CHECK(has(refused<unsupported_error>(typed(onnx::TensorProto::FLOAT, {2, 0, 3})), "no elements"));
  CHECK(has(refused<format_error>(typed(onnx::TensorProto::FLOAT, extents(65, 1))), "65 axes"));
}

TEST_CASE("onnx: types that hold no real numbers are named") {
  struct row {
    int type;
    char const* name;
  };
  for (auto const [type, name] :
       {row{onnx::TensorProto::INT8, "int8"}, row{onnx::TensorProto::UINT8, "uint8"},
        row{onnx::TensorProto::STRING, "string"}, row{onnx::TensorProto::COMPLEX64, "complex64"},
        row{17, "float8e4m3fn"}, row{0, "undefined"}, row{99, "data type 99"}}) {
    CHECK(has(refused<unsupported_error>(typed(type)), std::string("is of type ") + name));
  }
  auto integers = typed(onnx::TensorProto::INT64);
  integers.add_int64_data(1);
  integers.add_int64_data(2);
  CHECK(has(refused<unsupported_error>(integers), "type int64; it must be real"));
}

TEST_CASE("onnx: data outside the file, segments and sparse tensors are refused by name") {
  auto external = typed(onnx::TensorProto::FLOAT);
  external.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& entry = *external.add_external_data();
  entry.set_key("location");
  entry.set_value("../../etc/passwd");
  auto const text = refused<unsupported_error>(external);
  CHECK(has(text, "tensor 'c'"));
  CHECK(has(text, "'../../etc/passwd'"));
  external.set_data_location(onnx::TensorProto::DEFAULT);
  CHECK(has(refused<unsupported_error>(external), "another file"));
  auto segment = typed(onnx::TensorProto::FLOAT);
  segment.mutable_segment()->set_begin(0);
  CHECK(has(refused<unsupported_error>(segment), "segments"));
  model_builder sparse({2});
  auto& stored = *sparse.graph().add_sparse_initializer();
  *stored.mutable_values() = ramp("c", {1});
  stored.add_dims(2);
  sparse.node("Add", {"x", "c"});
  CHECK(has(test::error_text<unsupported_error>([&] { sparse.parse(); }), "tensor 'c' is stored as a sparse tensor"));
}

TEST_CASE("onnx: initializers nobody reads are not looked at, shared ones are read once") {
  model_builder model({1, 2});
  auto unused = typed(onnx::TensorProto::STRING);
  unused.set_name("labels");
  model.store(unused).store(ramp("w", {2, 2}));
  model.node("MatMul", {"x", "w"}, {"h"});
  model.node("MatMul", {"h", "w"});
  CHECK(evaluate(model.parse(), {1, 0}) == numbers{7, 10});
}
