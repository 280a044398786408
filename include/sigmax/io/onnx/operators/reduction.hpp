// SPDX-License-Identifier: MIT
/// @file
/// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceL1, ReduceL2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/shape.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/axis_matrix.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Which axes are reduced, and the shape of the result.
struct reduction {
  std::vector<bool> reduced;
  tensor_shape to;
  bool none = false;
};

/// `axes_by_input`: the operator set since which the axes are an input.
inline reduction read_reduction(operation& op, int axes_by_input) {
  tensor_shape const& shape = op.shape(0);
  std::optional<std::vector<std::int64_t>> axes;
  bool empty_means_none = false;
  if (op.opset < axes_by_input) {
    op.expect_inputs(1, 1);
    axes = op.attributes.integers("axes");
  } else {
    op.expect_inputs(1, 2);
    if (op.optional_input(1) != nullptr) axes = op.integers(1, "the list of axes");
    empty_means_none = op.attributes.flag("noop_with_empty_axes", false);
  }
  bool const keeps = op.attributes.flag("keepdims", true);
  reduction result;
  bool const all = !axes || axes->empty();
  result.none = all && empty_means_none;
  result.reduced = all ? std::vector<bool>(shape.size(), true) : marked_axes(op, *axes, shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!result.reduced[axis]) result.to.push_back(shape[axis]);
    if (result.reduced[axis] && keeps) result.to.push_back(1);
  }
  return result;
}

/// The type of what is reduced; the axes are integers.
inline int type_of_reduced(operation const& op) {
  int const type = data_type_of(op.input(0));
  if (!is_real_type(type)) op.refuse("the input is of type " + data_type_name(type) + "; it must be real");
  return type;
}

/// Sums over axes, or means.
inline graph_value summed(operation& op, reduction const& how, node_id node, bool mean) {
  int const type = type_of_reduced(op);
  tensor_shape const shape = op.graph.shape(node);
  std::vector<lipschitz::rules::along_axes::step> steps;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!how.reduced[axis] || shape[axis] == 1) continue;
    op.graph.budget().charge(shape[axis], 64, op.where + ": an axis");
    lipschitz::rules::axis_matrix row(shape[axis]);
    interval const each = mean ? interval(1.0) / interval(static_cast<double>(shape[axis])) : interval(1.0);
    std::vector<lipschitz::rules::axis_matrix::element> elements;
    for (index_t i = 0; i < shape[axis]; ++i) elements.push_back({i, each});
    row.add_row(elements);
    steps.push_back({shape.size() - 1 - axis, std::move(row)});
  }
  char const* const name = mean ? "mean" : "sum_over_axes";
  if (!steps.empty()) node = op.graph.add(lipschitz::rules::along_axes(std::move(steps), name), {node}, op.name);
  return computed{op.graph.reshape(node, how.to, op.name + "/shape"), type};
}

inline graph_value import_reduce_sum(operation& op) {
  auto const how = read_reduction(op, 13);
  return how.none ? op.input(0) : summed(op, how, op.graph.node_of(op.input(0)), false);
}
inline graph_value import_reduce_mean(operation& op) {
  auto const how = read_reduction(op, 18);
  return how.none ? op.input(0) : summed(op, how, op.graph.node_of(op.input(0)), true);
}
inline graph_value import_reduce_l1(operation& op) {
  auto const how = read_reduction(op, 18);
  node_id const node = op.graph.add(lipschitz::abs(), {op.graph.node_of(op.input(0))}, op.name + "/abs");
  return how.none ? graph_value(computed{node, type_of_reduced(op)}) : summed(op, how, node, false);
}

/// Windows over all of the reduced axes.
inline graph_value reduced_by(operation& op, int axes_by_input, lipschitz::rules::window_pool::operation what) {
  auto const how = read_reduction(op, axes_by_input);
  int const type = type_of_reduced(op);
  node_id node = op.graph.node_of(op.input(0));
  if (how.none && what != lipschitz::rules::window_pool::operation::length) return op.input(0);
  tensor_shape const shape = op.shape(0);
  std::vector<lipschitz::rules::sliding_window> windows;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    op.graph.budget().charge(shape[axis], 64, op.where + ": an axis");
    windows.push_back({.kernel = how.reduced[axis] && !how.none ? shape[axis] : 1});
  }
  node = op.graph.add(lipschitz::rules::window_pool(std::move(windows), what), {node}, op.name);
  return computed{how.none ? node : op.graph.reshape(node, how.to, op.name + "/shape"), type};
}

inline graph_value import_reduce_max(operation& op) {
  return reduced_by(op, 18, lipschitz::rules::window_pool::operation::maximum);
}
inline graph_value import_reduce_min(operation& op) {
  return reduced_by(op, 18, lipschitz::rules::window_pool::operation::minimum);
}
inline graph_value import_reduce_l2(operation& op) {
  return reduced_by(op, 18, lipschitz::rules::window_pool::operation::length);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
