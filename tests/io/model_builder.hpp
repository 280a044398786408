// SPDX-License-Identifier: MIT
/// @file
/// ONNX models written by hand through the schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/io/onnx.hpp>
#include <sigmax/lipschitz/certify.hpp>

namespace sigmax::test {

using extents = std::vector<std::int64_t>;

/// The bytes of a message.
inline std::string bytes_of(google::protobuf::Message const& message) { return message.SerializeAsString(); }

inline std::span<std::byte const> as_span(std::string const& bytes) {
  return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

inline std::string read_bytes(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What instantiates much of the library is compiled once, in model_builder.cpp.

/// io::parse_onnx of these bytes.
sigmax::lipschitz::network parse(std::string const& bytes, sigmax::io::onnx_options const& options = {});

/// io::load_onnx.
sigmax::lipschitz::network load(std::filesystem::path const& path, sigmax::io::onnx_options const& options = {});

/// lipschitz::certify.
sigmax::lipschitz::certificate certify(sigmax::lipschitz::network const& net,
                                       sigmax::lipschitz::certify_options const& options = {});

/// io::onnx_bytes.
std::string save(sigmax::lipschitz::network const& net);

/// io::save_onnx.
void save(sigmax::lipschitz::network const& net, std::filesystem::path const& path);

/// The output of a network in double arithmetic, flat.
std::vector<double> evaluate(sigmax::lipschitz::network const& net, std::vector<double> const& x);

/// The text of the error of type E that f throws; what happened else.
template <class E, class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (E const& problem) {
    return problem.what();
  } catch (std::exception const& other) {
    return std::string("another type of exception: ") + other.what();
  }
  return "nothing was thrown";
}

/// True if an upper bound is the exact value but for the outward rounding of a few products.
inline bool tight(double bound, double exact) {
  return bound == exact || (bound >= exact && bound <= exact * (1 + 1e-14));
}

/// True if the text has the part; the text is shown where a check fails.
inline bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// A float tensor whose element i is `first + step * i`.
inline onnx::TensorProto ramp(std::string const& name, extents const& dims, float first = 1.0f, float step = 1.0f) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  std::int64_t count = 1;
  for (auto const extent : dims) {
    tensor.add_dims(extent);
    count *= extent;
  }
  for (std::int64_t i = 0; i < count; ++i) tensor.add_float_data(first + step * static_cast<float>(i));
  return tensor;
}

inline onnx::TensorProto integers(std::string const& name, extents const& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (auto const value : values) tensor.add_int64_data(value);
  return tensor;
}

/// Adds attributes to a node, one call each.
class node_builder {
 public:
  explicit node_builder(onnx::NodeProto& node) : node_(&node) {}

  node_builder& set(char const* name, std::int64_t value) {
    auto& a = add(name, onnx::AttributeProto::INT);
    a.set_i(value);
    return *this;
  }
  node_builder& set(char const* name, int value) { return set(name, static_cast<std::int64_t>(value)); }
  node_builder& set(char const* name, float value) {
    add(name, onnx::AttributeProto::FLOAT).set_f(value);
    return *this;
  }
  node_builder& set(char const* name, extents const& values) {
    auto& a = add(name, onnx::AttributeProto::INTS);
    for (auto const value : values) a.add_ints(value);
    return *this;
  }
  node_builder& set(char const* name, std::string const& value) {
    add(name, onnx::AttributeProto::STRING).set_s(value);
    return *this;
  }
  node_builder& set(char const* name, onnx::TensorProto const& value) {
    *add(name, onnx::AttributeProto::TENSOR).mutable_t() = value;
    return *this;
  }
  onnx::NodeProto& proto() { return *node_; }

 private:
  onnx::AttributeProto& add(char const* name, onnx::AttributeProto::AttributeType type) {
    auto& a = *node_->add_attribute();
    a.set_name(name);
    a.set_type(type);
    return a;
  }
  onnx::NodeProto* node_;
};

/// A model with one float input "x"; the output is "y" unless said otherwise.
class model_builder {
 public:
  explicit model_builder(extents const& input, std::int64_t opset = 13) {
    model_.set_ir_version(7);
    auto& imported = *model_.add_opset_import();
    imported.set_domain("");
    imported.set_version(opset);
    add_input("x", input);
    graph().add_output()->set_name("y");
  }

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  onnx::ValueInfoProto& add_input(std::string const& name, extents const& dims, int type = onnx::TensorProto::FLOAT) {
    auto& input = *graph().add_input();
    input.set_name(name);
    auto& tensor = *input.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    auto& shape = *tensor.mutable_shape();
    for (auto const extent : dims) shape.add_dim()->set_dim_value(extent);
    return input;
  }
  model_builder& store(onnx::TensorProto const& tensor) {
    *graph().add_initializer() = tensor;
    return *this;
  }
  node_builder node(char const* type, std::vector<std::string> const& inputs,
                    std::vector<std::string> const& outputs = {"y"}) {
    auto& node = *graph().add_node();
    node.set_op_type(type);
    for (auto const& name : inputs) node.add_input(name);
    for (auto const& name : outputs) node.add_output(name);
    return node_builder(node);
  }
  std::string bytes() const { return bytes_of(model_); }

  sigmax::lipschitz::network parse(sigmax::io::onnx_options const& options = {}) const {
    return test::parse(bytes(), options);
  }

 private:
  onnx::ModelProto model_;
};

}  // namespace sigmax::test
