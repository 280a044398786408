// SPDX-License-Identifier: MIT
/// @file
/// Max, Min.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/extremum.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// The largest or smallest of the inputs, element by element. One number beside one computed value is a clip.
inline graph_value import_extremum(operation& op, lipschitz::rules::extremum::operation how) {
  op.attributes.ignore("consumed_inputs");
  op.expect_inputs(1, SIZE_MAX);
  int const type = op.real_type();
  auto& graph = op.graph;
  tensor_shape shape = op.shape(0);
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.opset < 8 && op.shape(i) != shape) {
      throw format_error(op.where + ": inputs have shapes " + shape_text(shape) + " and " + shape_text(op.shape(i)) +
                         "; operator set " + std::to_string(op.opset) + " needs equal ones");
    }
    shape = broadcast_shape(shape, op.shape(i), op.where);
  }
  bool const largest = how == lipschitz::rules::extremum::operation::maximum;
  if (op.inputs.size() == 2 && is_constant(op.input(0)) != is_constant(op.input(1))) {
    std::size_t const stored = is_constant(op.input(0)) ? 0 : 1;
    constant const& c = as_constant(op.input(stored));
    double const number = c.size() == 1 ? c[0] : infinity;
    if (is_finite(number) && op.shape(1 - stored) == shape) {
      node_id const x = graph.node_of(op.input(1 - stored));
      return computed{
          graph.add(lipschitz::clip(largest ? number : -infinity, largest ? infinity : number), {x}, op.name), type};
    }
  }
  std::vector<node_id> nodes;
  for (graph_value const* v : op.inputs) nodes.push_back(graph.broadcast(graph.node_of(*v), shape, op.name));
  if (nodes.size() == 1) return computed{nodes[0], type};
  std::size_t const count = nodes.size();
  return computed{graph.add(lipschitz::rules::extremum(how, count), std::move(nodes), op.name), type};
}
inline graph_value import_max(operation& op) {
  return import_extremum(op, lipschitz::rules::extremum::operation::maximum);
}
inline graph_value import_min(operation& op) {
  return import_extremum(op, lipschitz::rules::extremum::operation::minimum);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
