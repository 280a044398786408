// SPDX-License-Identifier: MIT
/// @file
/// Constant, Identity, Cast, Dropout.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/tensor_reader.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

namespace detail {

template <class T>
constant listed(std::string const& name, tensor_shape shape, int type, std::vector<T> values) {
  constant result{name, std::move(shape), type, {}};
  result.elements = shared_elements<T>(std::make_shared<std::vector<T>>(std::move(values)));
  return result;
}

}  // namespace detail

inline graph_value import_constant(operation& op) {
  op.expect_inputs(0, 0);
  for (char const* const name : {"value_string", "value_strings", "sparse_value"}) {
    for (auto const& attribute : op.node.attribute()) {
      if (attribute.name() == name) op.refuse(std::string("attribute '") + name + "' is not supported");
    }
  }
  std::string const& name = op.name;
  std::vector<constant> given;
  if (auto const* tensor = op.attributes.tensor("value"))
    given.push_back(read_tensor(*tensor, name, op.graph.budget()));
  if (auto const x = op.attributes.real("value_float")) {
    given.push_back(detail::listed<float>(name, {}, data_type::float32, {static_cast<float>(*x)}));
  }
  if (auto x = op.attributes.reals("value_floats")) {
    if (x->empty()) op.refuse("the constant has no elements");
    auto const count = static_cast<index_t>(x->size());
    given.push_back(detail::listed<float>(name, {count}, data_type::float32, std::move(*x)));
  }
  if (auto const x = op.attributes.integer("value_int")) {
    given.push_back(detail::listed<std::int64_t>(name, {}, data_type::int64, {*x}));
  }
  if (auto x = op.attributes.integers("value_ints")) {
    auto const count = static_cast<index_t>(x->size());
    given.push_back(detail::listed<std::int64_t>(name, {count}, data_type::int64, std::move(*x)));
  }
  if (given.size() != 1) {
    throw format_error(op.where + ": " + std::to_string(given.size()) + " values are given; there must be one");
  }
  return given.front();
}

inline graph_value import_identity(operation& op) {
  op.expect_inputs(1, 1);
  return op.input(0);
}

namespace detail {

/// The elements of a constant in a wider real type; exact.
template <class Wide>
constant widened(constant const& c, int type, memory_budget& budget) {
  budget.charge(c.size(), sizeof(Wide), "tensor " + in_quotes(c.name));
  auto elements = std::make_shared<std::vector<Wide>>(static_cast<std::size_t>(c.size()));
  for (std::size_t i = 0; i < elements->size(); ++i) (*elements)[i] = static_cast<Wide>(c[static_cast<index_t>(i)]);
  constant result{c.name, c.shape, type, {}};
  result.elements = shared_elements<Wide>(std::move(elements));
  return result;
}

}  // namespace detail

/// Only casts that keep every value: to the same type or to a wider real one. A cast that rounds would make the network
/// another function than its real-arithmetic reading.
inline graph_value import_cast(operation& op) {
  op.expect_inputs(1, 1);
  auto const to = op.attributes.integer("to");
  op.attributes.ignore("saturate");  // only for 8-bit floats
  if (!to) throw format_error(op.where + ": attribute 'to' is missing");
  int const from = data_type_of(op.input(0));
  if (*to == from) return op.input(0);
  if (*to < 0 || *to > 100 || !is_real_type(from) || !is_real_type(static_cast<int>(*to)) ||
      !widens(from, static_cast<int>(*to))) {
    op.refuse("a cast from " + data_type_name(from) + " to " +
              data_type_name(*to < 0 || *to > 100 ? -1 : static_cast<int>(*to)) + " changes values");
  }
  int const type = static_cast<int>(*to);
  if (!is_constant(op.input(0))) return computed{std::get<computed>(op.input(0)).node, type};
  constant const& c = as_constant(op.input(0));
  if (type == data_type::float64) return detail::widened<double>(c, type, op.graph.budget());
  return detail::widened<float>(c, type, op.graph.budget());
}

/// Dropout at inference is the identity; in training mode it is random and refused.
inline graph_value import_dropout(operation& op) {
  op.attributes.ignore("seed");
  char const* const training = "training mode: the output is random; export the model for inference";
  if (op.opset < 12) {
    op.expect_inputs(1, 1);
    op.attributes.real("ratio");
    op.attributes.ignore("consumed_inputs");
    // Before operator set 7 the attribute is_test chose, and its default was training.
    if (op.opset < 7 && !op.attributes.flag("is_test", false)) op.refuse(training);
    return op.input(0);
  }
  op.expect_inputs(1, 3);
  if (graph_value const* mode = op.optional_input(2)) {
    if (!is_constant(*mode)) op.refuse("training_mode is computed; it must be constant");
    constant const& c = as_constant(*mode);
    if (c.data_type != data_type::boolean || c.size() != 1) {
      throw format_error(op.where + ": training_mode must be one truth value");
    }
    if (c.integers().front() != 0) op.refuse(training);
  }
  return op.input(0);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
