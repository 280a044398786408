// SPDX-License-Identifier: MIT
/// @file
/// ONNX models that are well formed and wrong: changes of fields, which random bytes rarely hit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <onnx/onnx_pb.h>

#include "mutator.hpp"

namespace sigmax::test {

/// Changes fields of one model.
class model_mutator {
 public:
  model_mutator(onnx::ModelProto& model, mutator& random)
      : model_(model), graph_(*model.mutable_graph()), random_(random) {}

  void change() {
    switch (next(12)) {
      case 0:
        return change_tensor();
      case 1:
        if (auto* const node = any(graph_.mutable_node())) change_node(*node);
        return;
      case 2:
        if (auto const* const node = any(graph_.mutable_node())) graph_.add_node()->CopyFrom(onnx::NodeProto(*node));
        return;
      case 3:
        return drop(graph_.mutable_node());
      case 4:
        return drop(graph_.mutable_initializer());
      case 5:
        if (graph_.node_size() > 1)
          graph_.mutable_node()->SwapElements(place(graph_.node_size()), place(graph_.node_size()));
        return;
      case 6:
        if (auto* const opset = any(model_.mutable_opset_import())) opset->set_version(notable());
        return;
      case 7:
        if (auto* const input = any(graph_.mutable_input())) change_value(*input);
        return;
      case 8:
        if (auto* const output = any(graph_.mutable_output())) output->set_name(some_name());
        return;
      case 9:
        if (auto* const tensor = any(graph_.mutable_initializer())) tensor->set_name(some_name());
        return;
      default:
        if (auto* const node = any(graph_.mutable_node())) change_attribute(*node);
    }
  }

 private:
  int next(int below) { return static_cast<int>(random_.next(static_cast<std::size_t>(below))); }
  int place(int size) { return next(size); }
  std::int64_t notable() {
    static constexpr std::array<std::int64_t, 12> numbers{0,  1,  2,       -1,        3,         7,
                                                          13, 22, 1 << 20, INT64_MAX, INT64_MIN, std::int64_t{1} << 33};
    return numbers[static_cast<std::size_t>(next(static_cast<int>(numbers.size())))];
  }
  template <class List>
  auto any(List* list) -> decltype(list->Mutable(0)) {
    return list->size() == 0 ? nullptr : list->Mutable(next(list->size()));
  }
  template <class List>
  void drop(List* list) {
    if (list->size() > 0) list->DeleteSubrange(next(list->size()), 1);
  }

  /// A name that is in use, as a rule.
  std::string some_name() {
    int const kind = next(4);
    if (kind == 0 && graph_.initializer_size() > 0) return graph_.initializer(next(graph_.initializer_size())).name();
    if (kind == 1 && graph_.input_size() > 0) return graph_.input(next(graph_.input_size())).name();
    if (kind == 2 && graph_.node_size() > 0) {
      auto const& node = graph_.node(next(graph_.node_size()));
      if (node.output_size() > 0) return node.output(0);
    }
    return next(2) == 0 ? "" : "nobody";
  }

  void change_tensor() {
    auto* const tensor = any(graph_.mutable_initializer());
    if (tensor == nullptr) return;
    int const kind = next(6);
    if (kind == 0 && tensor->dims_size() > 0) tensor->set_dims(next(tensor->dims_size()), notable());
    if (kind == 1) tensor->add_dims(notable());
    if (kind == 2 && tensor->dims_size() > 0) tensor->mutable_dims()->RemoveLast();
    if (kind == 3) tensor->set_data_type(next(24));
    if (kind == 4) tensor->set_raw_data(tensor->raw_data() + std::string(static_cast<std::size_t>(next(16)), 'x'));
    if (kind == 5) tensor->add_float_data(1);
  }

  void change_node(onnx::NodeProto& node) {
    static constexpr std::array<char const*, 16> types{"Gemm",    "MatMul",  "Add",       "Sub",     "Mul",      "Div",
                                                       "Flatten", "Reshape", "Transpose", "Squeeze", "Identity", "Relu",
                                                       "Clip",    "Sum",     "Unsqueeze", "Conv"};
    int const kind = next(5);
    if (kind == 0) node.set_op_type(types[static_cast<std::size_t>(next(static_cast<int>(types.size())))]);
    if (kind == 1 && node.input_size() > 0) node.set_input(next(node.input_size()), some_name());
    if (kind == 2) node.add_input(some_name());
    if (kind == 3 && node.input_size() > 0) node.mutable_input()->RemoveLast();
    if (kind == 4 && node.output_size() > 0) node.set_output(next(node.output_size()), some_name());
  }

  void change_attribute(onnx::NodeProto& node) {
    static constexpr std::array<char const*, 8> names{"axis", "axes",   "perm",   "alpha",
                                                      "beta", "transA", "transB", "value"};
    auto* const attribute =
        next(3) == 0 || node.attribute_size() == 0 ? node.add_attribute() : any(node.mutable_attribute());
    int const kind = next(5);
    if (kind == 0 || attribute->name().empty()) {
      attribute->set_name(names[static_cast<std::size_t>(next(static_cast<int>(names.size())))]);
    }
    if (kind == 1) attribute->set_i(notable());
    if (kind == 2) attribute->add_ints(notable());
    if (kind == 3) attribute->set_f(next(2) == 0 ? 1e38f : -0.5f);
    if (kind == 4) attribute->set_type(static_cast<onnx::AttributeProto::AttributeType>(1 + next(8)));
  }

  void change_value(onnx::ValueInfoProto& value) {
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    int const kind = next(4);
    if (kind == 0) tensor.set_elem_type(next(24));
    if (kind == 1) tensor.mutable_shape()->add_dim()->set_dim_value(notable());
    if (kind == 2 && tensor.shape().dim_size() > 0) {
      tensor.mutable_shape()->mutable_dim(next(tensor.shape().dim_size()))->set_dim_value(notable());
    }
    if (kind == 3) value.set_name(some_name());
  }

  onnx::ModelProto& model_;
  onnx::GraphProto& graph_;
  mutator& random_;
};

/// One to three fields of the model changed.
inline std::string mutated_model(std::string const& file, mutator& random) {
  onnx::ModelProto model;
  if (!model.ParseFromString(file)) return file;
  model_mutator change(model, random);
  for (std::size_t changes = 1 + random.next(3); changes > 0; --changes) change.change();
  return model.SerializeAsString();
}

}  // namespace sigmax::test
