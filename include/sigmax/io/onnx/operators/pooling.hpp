// SPDX-License-Identifier: MIT
/// @file
/// MaxPool, AveragePool, LpPool and their global forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/spatial.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/average_matrix.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using pool_windows = std::vector<lipschitz::rules::sliding_window>;

/// The operator sets since which a pool knows an attribute.
struct pool_versions {
  int ceil_mode;
  int dilations;
};

/// The windows of a pool, one for each spatial axis.
inline pool_windows read_windows(operation& op, pool_versions since) {
  op.expect_inputs(1, 1);
  auto attributes = read_spatial(op, {}, op.opset >= since.dilations);
  bool const ceiling = op.opset >= since.ceil_mode && op.attributes.flag("ceil_mode", false);
  resolve_auto_pad(op, attributes);
  pool_windows windows;
  for (std::size_t axis = 0; axis < attributes.kernel.size(); ++axis) {
    windows.push_back({.kernel = attributes.kernel[axis],
                       .stride = attributes.strides[axis],
                       .dilation = attributes.dilations[axis],
                       .pad_begin = attributes.pads_begin[axis],
                       .pad_end = attributes.pads_end[axis],
                       .ceiling = ceiling});
  }
  return windows;
}

/// One window over each spatial axis.
inline pool_windows global_windows(operation const& op) {
  op.expect_inputs(1, 1);
  tensor_shape const& shape = op.shape(0);
  if (shape.size() < 3) {
    throw format_error(op.where + ": input has shape " + shape_text(shape) + "; it must have spatial axes behind two");
  }
  pool_windows windows;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) {
    windows.push_back(lipschitz::rules::sliding_window::whole(shape[axis]));
  }
  return windows;
}

/// Positions of windows are listed when bounds are computed: no more than could be stored.
inline void charge_windows(operation const& op, pool_windows const& windows) {
  double positions = 0;
  for (std::size_t k = 0; k < windows.size(); ++k) {
    index_t const extent = op.shape(0)[op.shape(0).size() - windows.size() + k];
    positions += static_cast<double>(windows[k].count(extent)) * static_cast<double>(windows[k].kernel);
  }
  if (positions > 0x1p60) throw format_error(op.where + ": the windows have too many elements");
  op.graph.budget().charge(static_cast<index_t>(positions), sizeof(index_t), op.where + ": the windows");
}

inline graph_value pooled(operation& op, pool_windows windows, lipschitz::rules::window_pool::operation what) {
  int const type = op.real_type();
  charge_windows(op, windows);
  auto& graph = op.graph;
  return computed{
      graph.add(lipschitz::rules::window_pool(std::move(windows), what), {graph.node_of(op.input(0))}, op.name), type};
}

inline graph_value averaged(operation& op, pool_windows const& windows, bool count_padding) {
  int const type = op.real_type();
  charge_windows(op, windows);
  auto& graph = op.graph;
  tensor_shape const shape = op.shape(0);
  std::vector<lipschitz::rules::along_axes::step> steps;
  try {
    for (std::size_t k = 0; k < windows.size(); ++k) {
      std::size_t const from_last = windows.size() - 1 - k;
      index_t const extent = shape[shape.size() - 1 - from_last];
      steps.push_back({from_last, lipschitz::rules::average_matrix(windows[k], extent, count_padding)});
    }
  } catch (shape_error const& problem) {
    throw format_error(op.where + ": " + problem.what());
  }
  return computed{
      graph.add(lipschitz::rules::along_axes(std::move(steps), "average_pool"), {graph.node_of(op.input(0))}, op.name),
      type};
}

inline graph_value import_max_pool(operation& op) {
  op.attributes.ignore("storage_order");  // of the second output, which is not supported
  return pooled(op, read_windows(op, {10, 10}), lipschitz::rules::window_pool::operation::maximum);
}
inline graph_value import_global_max_pool(operation& op) {
  return pooled(op, global_windows(op), lipschitz::rules::window_pool::operation::maximum);
}

inline graph_value import_average_pool(operation& op) {
  auto const windows = read_windows(op, {10, 19});
  return averaged(op, windows, op.opset >= 7 && op.attributes.flag("count_include_pad", false));
}
inline graph_value import_global_average_pool(operation& op) { return averaged(op, global_windows(op), false); }

/// p = 2 alone: attribute p was a float in operator set 1.
inline void require_euclidean(operation& op) {
  double const p = op.opset < 2 ? op.attributes.real("p").value_or(2.0)
                                : static_cast<double>(op.attributes.integer("p").value_or(2));
  if (p != 2) op.refuse("the exponent p of the pool is not 2");
}
inline graph_value import_lp_pool(operation& op) {
  require_euclidean(op);
  return pooled(op, read_windows(op, {18, 18}), lipschitz::rules::window_pool::operation::length);
}
inline graph_value import_global_lp_pool(operation& op) {
  require_euclidean(op);
  return pooled(op, global_windows(op), lipschitz::rules::window_pool::operation::length);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
