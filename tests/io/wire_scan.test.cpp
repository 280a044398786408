// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/io/onnx/wire_scan.hpp>

#include "model_builder.hpp"

namespace {

using namespace sigmax;
using test::as_span;

constexpr std::uint64_t plenty = std::uint64_t{1} << 32;

io::wire_summary scan(std::string const& bytes, std::uint64_t limit = plenty) {
  return io::scan_onnx_wire(as_span(bytes), limit);
}

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>((value & 0x7f) | 0x80);
  return text + static_cast<char>(value);
}
std::string field(unsigned number, std::string const& payload) {
  return varint(number << 3 | 2) + varint(payload.size()) + payload;
}
std::string why(std::string const& bytes, std::uint64_t limit = plenty) {
  try {
    scan(bytes, limit);
  } catch (format_error const& problem) {
    return problem.what();
  }
  return "accepted";
}
bool says(std::string const& text, char const* part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

/// A model that uses most of the schema.
onnx::ModelProto rich_model() {
  test::model_builder builder({1, 3});
  builder.store(test::ramp("w", {3, 4})).store(test::integers("s", {1, 4}));
  builder.node("Gemm", {"x", "w"}, {"h"}).set("alpha", 2.0f).set("transB", 0).set("names", std::string(100, 'n'));
  builder.node("Constant", {}, {"c"}).set("value", test::ramp("", {40}));
  builder.node("Transpose", {"h"}).set("perm", test::extents{1, 0});
  auto model = builder.model();
  auto& entry = *model.add_metadata_props();
  entry.set_key("author");
  entry.set_value(std::string(70, 'a'));
  auto& sparse = *model.mutable_graph()->add_sparse_initializer();
  *sparse.mutable_values() = test::ramp("v", {2});
  sparse.add_dims(100);
  auto& annotation = *model.mutable_graph()->add_quantization_annotation();
  annotation.set_tensor_name("w");
  auto& function = *model.add_functions();
  function.set_name("f");
  function.add_node()->set_op_type("Relu");
  auto& attribute = *model.mutable_graph()->mutable_node(0)->add_attribute();
  attribute.mutable_g()->add_node()->set_op_type("Relu");
  attribute.mutable_tp()->mutable_map_type()->mutable_value_type()->mutable_sequence_type();
  *model.add_training_info()->mutable_algorithm() = model.graph();
  return model;
}

}  // namespace

TEST_CASE("wire scan: what protobuf writes is accepted, and the memory it then takes is covered") {
  auto const model = rich_model();
  auto const summary = scan(test::bytes_of(model));
  CHECK(summary.fields > 100);
  CHECK(summary.depth >= 6);
  CHECK(summary.memory >= static_cast<std::uint64_t>(model.SpaceUsedLong()));
  CHECK(scan("").depth == 1);
}

TEST_CASE("wire scan: the estimate covers protobuf on mutated models too") {
  std::string const bytes = test::bytes_of(rich_model());
  random_sequence const random(7);
  int parsed = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    std::string mutated = bytes;
    for (std::uint64_t j = 0; j < 1 + i % 4; ++j) {
      auto const at = random.bits(20 * i + 2 * j) % mutated.size();
      mutated[at] = static_cast<char>(random.bits(20 * i + 2 * j + 1));
    }
    try {
      auto const summary = scan(mutated);
      onnx::ModelProto model;
      if (!model.ParseFromString(mutated)) continue;
      ++parsed;
      REQUIRE(summary.memory >= static_cast<std::uint64_t>(model.SpaceUsedLong()));
    } catch (format_error const&) {
    }
  }
  CHECK(parsed > 100);
}

TEST_CASE("wire scan: every message costs at least its object") {
  using io::wire::message;
  using io::wire::message_cost;
  CHECK(message_cost(message::model) >= sizeof(onnx::ModelProto));
  CHECK(message_cost(message::graph) >= sizeof(onnx::GraphProto));
  CHECK(message_cost(message::node) >= sizeof(onnx::NodeProto));
  CHECK(message_cost(message::attribute) >= sizeof(onnx::AttributeProto));
  CHECK(message_cost(message::tensor) >= sizeof(onnx::TensorProto));
  CHECK(message_cost(message::function) >= sizeof(onnx::FunctionProto));
  CHECK(message_cost(message::training) >= sizeof(onnx::TrainingInfoProto));
  CHECK(message_cost(message::type) >= sizeof(onnx::TypeProto));
}

TEST_CASE("wire scan: truncation at every byte is noticed or ends between two fields of the model") {
  std::string const bytes = test::bytes_of(rich_model());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string const part = bytes.substr(0, size);
    onnx::ModelProto model;
    bool const parses = model.ParseFromString(part);
    CHECK((why(part) == "accepted") == parses);
  }
}

TEST_CASE("wire scan: hostile numbers and lengths") {
  CHECK(says(why("\x08"), "cut off"));
  CHECK(says(why("\x08" + std::string(10, '\xff') + '\x01'), "more than 64 bits"));
  CHECK(says(why("\x08" + std::string(9, '\xff') + '\x02'), "more than 64 bits"));
  CHECK(why("\x08" + std::string(9, '\xff') + '\x01') == "accepted");
  CHECK(says(why(std::string(5, '\xff') + '\x01'), "longer than 5 bytes"));
  CHECK(says(why(std::string("\xff\xff\xff\xff\x7f\x00", 6)), "does not exist"));
  CHECK(says(why(std::string("\x00\x00", 2)), "field number 0"));
  CHECK(says(why("\x3a" + varint(UINT64_MAX)), "goes beyond the end"));
  CHECK(says(why("\x3a" + varint(1000) + "abc"), "3 are left"));
  CHECK(says(why("\x39"
                 "1234567"),
             "goes beyond the end"));
  CHECK(says(why("\x3b"), "wire type 3"));
  CHECK(says(why("\x3c"), "wire type 4"));
  CHECK(says(why("\x3e"), "wire type 6"));
  CHECK(says(why("\x3f"), "wire type 7"));
  // A length inside a message must not reach beyond that message, though the file goes on.
  CHECK(says(why(field(7,
                       "\x0a\x05"
                       "ab") +
                 std::string(100, '\x08')),
             "goes beyond the end"));
  // Unknown fields are passed over as protobuf does.
  CHECK(why(field(1000, "anything")) == "accepted");
}

TEST_CASE("wire scan: nesting bombs") {
  auto const nested = [](int levels) {
    std::string bytes;
    for (int i = 0; i < levels; ++i)
      bytes = field(6, field(1, field(5, bytes)));  // attribute.g, graph.node, node.attribute
    return field(7, field(1, field(5, bytes)));
  };
  CHECK(why(nested(10)) == "accepted");
  CHECK(scan(nested(10)).depth == 34);
  CHECK(says(why(nested(30)), "nested more than 64 deep"));
  CHECK(says(why(nested(3000)), "nested more than 64 deep"));
  std::string types;
  for (int i = 0; i < 2000; ++i) types = field(4, field(1, types));
  CHECK(says(why(field(7, field(11, field(2, types)))), "nested more than 64 deep"));
}

TEST_CASE("wire scan: count bombs are refused by the memory they would take") {
  std::uint64_t const megabyte = 1 << 20;
  std::string empty_nodes;
  for (int i = 0; i < 100000; ++i) empty_nodes += std::string("\x0a\x00", 2);
  CHECK(says(why(field(7, empty_nodes), 64 * megabyte), "max_memory"));

  std::string dims;  // one byte on the wire, up to 24 in memory
  for (int i = 0; i < 100000; ++i) dims += '\x01';
  std::string const packed = field(7, field(5, field(1, dims)));
  CHECK(says(why(packed, megabyte), "max_memory"));
  CHECK(why(packed, 4 * megabyte) == "accepted");

  std::string unpacked;
  for (int i = 0; i < 100000; ++i) unpacked += "\x08\x01";
  CHECK(says(why(field(7, field(5, unpacked)), megabyte), "max_memory"));

  std::string strings;
  for (int i = 0; i < 100000; ++i) strings += std::string("\x0a\x00", 2);
  CHECK(says(why(field(7, field(1, strings)), 8 * megabyte), "max_memory"));

  std::string unknown;
  for (int i = 0; i < 100000; ++i) unknown += std::string("\xf8\x07\x00", 3);
  CHECK(says(why(unknown, 4 * megabyte), "max_memory"));
}

TEST_CASE("wire scan: lists of fixed numbers must divide evenly") {
  CHECK(says(why(field(7, field(5, field(4, "12345")))), "4-byte numbers"));
  CHECK(says(why(field(7, field(5, field(10, "123456789")))), "8-byte numbers"));
  CHECK(why(field(7, field(5, field(4, "12345678")))) == "accepted");
  CHECK(says(why(field(7, field(5, field(7, "\x80")))), "cut off"));
}
