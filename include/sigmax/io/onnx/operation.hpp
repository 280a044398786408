// SPDX-License-Identifier: MIT
/// @file
/// One node of an ONNX graph, as the functions that import operators see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/attribute_reader.hpp>
#include <sigmax/io/onnx/data_type.hpp>
#include <sigmax/io/onnx/graph_builder.hpp>
#include <sigmax/io/onnx/value.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Inputs, attributes and operator set of a node, and the network it is added to.
struct operation {
  ::onnx::NodeProto const& node;
  /// Of the default operator set.
  int opset;
  /// "node 'gemm_1' (Gemm)": the front of every message.
  std::string where;
  /// What the nodes of the network are called.
  std::string name;
  attribute_reader attributes;
  /// Null where an optional input is left out.
  std::vector<graph_value const*> inputs;
  graph_builder& graph;
  /// Outputs behind the first one, where the operator has several.
  std::vector<graph_value> further_outputs = {};

  /// @throws format_error unless the number of inputs is in the range and the first `least` are given.
  void expect_inputs(std::size_t least, std::size_t most) const {
    if (inputs.size() < least || inputs.size() > most) {
      throw format_error(where + ": " + std::to_string(inputs.size()) + " inputs; it takes " + std::to_string(least) +
                         (most == least ? "" : " to " + std::to_string(most)));
    }
    for (std::size_t i = 0; i < least; ++i) input(i);
  }
  /// @throws format_error if it is not given.
  graph_value const& input(std::size_t i) const {
    if (i >= inputs.size() || inputs[i] == nullptr) {
      throw format_error(where + ": input " + std::to_string(i) + " is missing");
    }
    return *inputs[i];
  }
  /// Null if left out.
  graph_value const* optional_input(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
  tensor_shape const& shape(std::size_t i) const { return graph.shape(input(i)); }

  /// The element type all given inputs have in common. @throws format_error if they differ, unsupported_error if it is
  /// not a real type.
  int real_type() const {
    int type = 0;
    for (graph_value const* v : inputs) {
      if (v == nullptr) continue;
      int const its = data_type_of(*v);
      if (!is_real_type(its)) {
        throw unsupported_error(where + ": an input is of type " + data_type_name(its) + "; it must be real");
      }
      if (type != 0 && type != its) {
        throw format_error(where + ": inputs are of types " + data_type_name(type) + " and " + data_type_name(its) +
                           "; they must be the same");
      }
      type = its;
    }
    return type;
  }

  /// The integers of a constant input. @throws unsupported_error if it is computed.
  std::vector<std::int64_t> const& integers(std::size_t i, char const* meaning) const {
    if (!is_constant(input(i))) throw unsupported_error(where + ": " + meaning + " is computed; it must be constant");
    constant const& c = as_constant(input(i));
    if (c.data_type != data_type::int64) {
      throw format_error(where + ": " + meaning + " is of type " + data_type_name(c.data_type) + "; it must be int64");
    }
    return c.integers();
  }

  /// The same for an input of int32 or int64.
  std::vector<std::int64_t> const& indices(std::size_t i, char const* meaning) const {
    if (!is_constant(input(i))) throw unsupported_error(where + ": " + meaning + " is computed; it must be constant");
    constant const& c = as_constant(input(i));
    if (c.data_type != data_type::int64 && c.data_type != data_type::int32) {
      throw format_error(where + ": " + meaning + " is of type " + data_type_name(c.data_type) +
                         "; it must be int32 or int64");
    }
    return c.integers();
  }

  [[noreturn]] void refuse(std::string const& reason) const { throw unsupported_error(where + ": " + reason); }
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
