// SPDX-License-Identifier: MIT
/// @file
/// Elementwise activations: everything the table of rules knows by an ONNX name.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/activation_names.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using activation_values = std::vector<std::pair<std::string, double>>;

/// The one element of a constant input. @throws unsupported_error if the input is computed or longer.
inline double constant_number(operation const& op, std::size_t i, char const* meaning) {
  if (!is_constant(op.input(i))) op.refuse(std::string(meaning) + " is computed; it must be constant");
  constant const& c = as_constant(op.input(i));
  if (c.size() != 1) {
    op.refuse(std::string(meaning) + " has " + std::to_string(c.size()) + " elements; only one is supported");
  }
  return c[0];
}

/// min and max of Clip: attributes before operator set 11, inputs since.
inline activation_values read_clip(operation& op) {
  constexpr double largest = double{std::numeric_limits<float>::max()};
  if (op.opset < 11) {
    op.expect_inputs(1, 1);
    return {{"min", op.attributes.real("min").value_or(-largest)},
            {"max", op.attributes.real("max").value_or(largest)}};
  }
  op.expect_inputs(1, 3);
  op.real_type();
  activation_values values;
  if (op.optional_input(1) != nullptr) values.emplace_back("min", constant_number(op, 1, "min"));
  if (op.optional_input(2) != nullptr) values.emplace_back("max", constant_number(op, 2, "max"));
  return values;
}

/// The slopes of PRelu, broadcast to the input; before operator set 7 a list of slopes belonged to axis 1.
inline std::vector<double> read_slopes(operation& op) {
  op.expect_inputs(2, 2);
  op.real_type();
  if (!is_constant(op.input(1))) op.refuse("the slope is computed; it must be constant");
  constant slope = as_constant(op.input(1));
  tensor_shape const& shape = op.shape(0);
  if (op.opset < 7 && slope.size() > 1) {
    if (slope.shape.size() != 1 || shape.size() < 2 || shape[1] != slope.shape[0]) {
      throw format_error(op.where + ": slopes of shape " + shape_text(slope.shape) + " for an input of shape " +
                         shape_text(shape) + "; there must be one for each channel");
    }
    tensor_shape channels(shape.size() - 1, 1);
    channels.front() = shape[1];
    slope = slope.reshaped(channels);
  }
  if (broadcast_shape(slope.shape, shape, op.where) != shape) {
    throw format_error(op.where + ": slopes of shape " + shape_text(slope.shape) + " cannot be broadcast to " +
                       shape_text(shape));
  }
  return op.graph.repeating_doubles(slope, shape);
}

inline graph_value import_activation(operation& op) {
  std::string const& type = op.node.op_type();
  op.attributes.ignore("consumed_inputs");
  std::string variant;
  if (type == "Gelu") variant = op.attributes.text("approximate").value_or("none");
  auto const* const entry = lipschitz::rules::find_activation_by_onnx(type, variant);
  if (entry == nullptr)
    op.refuse("attribute 'approximate' is " + in_quotes(variant) + "; 'none' and 'tanh' are supported");

  activation_values values;
  std::vector<double> slopes;
  if (type == "Clip") {
    values = read_clip(op);
  } else if (type == "PRelu") {
    slopes = read_slopes(op);
  } else if (type == "Pow") {
    op.expect_inputs(2, 2);
    values.emplace_back("exponent", constant_number(op, 1, "the exponent"));
  } else {
    op.expect_inputs(1, 1);
    if (type == "Selu" && op.opset < 6) values = {{"alpha", double{1.6732f}}, {"gamma", double{1.0507f}}};
    for (std::string_view const name : activation_attributes(*entry)) {
      if (auto const x = op.attributes.real(name)) values.emplace_back(std::string(name), *x);
    }
  }
  int const real = data_type_of(op.input(0));
  if (!is_real_type(real)) op.refuse("the input is of type " + data_type_name(real) + "; it must be real");
  node_id const x = op.graph.node_of(op.input(0));
  return computed{op.graph.add(lipschitz::rules::activation(*entry, values, std::move(slopes)), {x}, op.name), real};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
