// SPDX-License-Identifier: MIT
/// @file
/// Softmax, LogSoftmax, ReduceLogSumExp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/reduction.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/log_softmax.hpp>
#include <sigmax/lipschitz/rules/log_sum_exp.hpp>
#include <sigmax/lipschitz/rules/softmax.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Since operator set 13 one axis, the last unless given; before, all axes from the given one, the second, taken as one.
inline lipschitz::rules::axis_range softmax_axes(operation& op) {
  op.expect_inputs(1, 1);
  std::int64_t const given = op.attributes.integer("axis").value_or(op.opset < 13 ? 1 : -1);
  auto const axis = static_cast<index_t>(checked_axis(given, op.shape(0).size(), op.where));
  return {axis, op.opset < 13 ? -1 : axis};
}

inline graph_value import_softmax(operation& op) {
  auto const axes = softmax_axes(op);
  int const type = op.real_type();
  return computed{op.graph.add(lipschitz::rules::softmax(axes), {op.graph.node_of(op.input(0))}, op.name), type};
}

inline graph_value import_log_softmax(operation& op) {
  auto const axes = softmax_axes(op);
  int const type = op.real_type();
  return computed{op.graph.add(lipschitz::rules::log_softmax(axes), {op.graph.node_of(op.input(0))}, op.name), type};
}

/// The reduced axes become the last one.
inline graph_value import_reduce_log_sum_exp(operation& op) {
  auto const how = read_reduction(op, 18);
  if (how.none) return op.input(0);
  int const type = type_of_reduced(op);
  auto& graph = op.graph;
  node_id node = graph.node_of(op.input(0));
  tensor_shape const shape = graph.shape(node);
  std::vector<std::size_t> order;
  index_t reduced = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!how.reduced[axis]) order.push_back(axis);
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!how.reduced[axis]) continue;
    order.push_back(axis);
    reduced *= shape[axis];
  }
  node = graph.permute(node, order, op.name + "/axes");
  node = graph.reshape(node, {lipschitz::element_count(shape) / reduced, reduced}, op.name + "/rows");
  node = graph.add(lipschitz::rules::log_sum_exp(), {node}, op.name);
  return computed{graph.reshape(node, how.to, op.name + "/shape"), type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
