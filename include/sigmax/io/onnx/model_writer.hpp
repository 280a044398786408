// SPDX-License-Identifier: MIT
/// @file
/// Builds the messages of an ONNX model: nodes, stored tensors, descriptions of values.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/data_type.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using lipschitz::tensor_shape;

/// True if the double is a float.
inline bool is_float(double value) {
  return std::fabs(value) <= double{std::numeric_limits<float>::max()} &&
         static_cast<double>(static_cast<float>(value)) == value;
}

/// A model under construction whose real tensors all have one type, float or double.
class model_writer {
 public:
  explicit model_writer(int type) : type_(type) {
    model_.set_producer_name("sigmax");
    model_.set_producer_version(version);
    graph().set_name("sigmax");
  }

  ::onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  int type() const { return type_; }
  /// Asks for at least this version of the default operator set.
  void need_opset(int opset) { opset_ = opset > opset_ ? opset : opset_; }

  ::onnx::ModelProto finish() {
    auto& imported = *model_.add_opset_import();
    imported.set_domain("");
    imported.set_version(opset_);
    model_.set_ir_version(opset_ > 15 ? 9 : 8);
    return std::move(model_);
  }

  void describe(::onnx::ValueInfoProto& info, char const* name, tensor_shape const& shape) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type_);
    auto& dims = *tensor.mutable_shape();
    for (index_t const extent : shape) dims.add_dim()->set_dim_value(extent);
  }

  ::onnx::NodeProto& add_node(char const* type, std::initializer_list<std::string> inputs, std::string const& result,
                              std::string const& name) {
    auto& added = *graph().add_node();
    added.set_op_type(type);
    added.set_name(printable(name));
    for (auto const& each : inputs) added.add_input(each);
    added.add_output(result);
    return added;
  }
  /// Stores `at(i)`, i < count, and returns the tensor's name.
  template <class At>
  std::string store(tensor_shape const& shape, index_t count, At&& at, int type) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name("constant_" + std::to_string(graph().initializer_size()));
    tensor.set_data_type(type);
    for (index_t const extent : shape) tensor.add_dims(extent);
    for (index_t i = 0; i < count; ++i) {
      if (type == data_type::float32) tensor.add_float_data(static_cast<float>(at(i)));
      if (type == data_type::float64) tensor.add_double_data(static_cast<double>(at(i)));
      if (type == data_type::int64) tensor.add_int64_data(static_cast<std::int64_t>(at(i)));
    }
    return tensor.name();
  }
  std::string store(tensor_shape const& shape, std::vector<double> const& values) {
    return store(
        shape, static_cast<index_t>(values.size()), [&](index_t i) { return values[static_cast<std::size_t>(i)]; },
        type_);
  }
  std::string store(double value) { return store({}, {value}); }

  /// Stores values that repeat along the leading axes of `shape`, under the shape of the axes they fill.
  std::string store_repeating(std::vector<double> const& values, tensor_shape const& shape) {
    if (values.size() == 1) return store(values.front());
    std::size_t first = shape.size();
    index_t filled = 1;
    while (first > 0 && filled < static_cast<index_t>(values.size())) filled *= shape[--first];
    return store({shape.begin() + static_cast<index_t>(first), shape.end()}, values);
  }

 private:
  ::onnx::ModelProto model_;
  int type_;
  int opset_ = 13;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
