// SPDX-License-Identifier: MIT
/// @file
/// Max, Min, Where with a constant condition.
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
    if (op.inputs[i] == nullptr) throw format_error(op.where + ": input " + std::to_string(i) + " is missing");
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

/// condition ? x : y with a constant condition: each branch times its 0s and 1s.
inline graph_value import_where(operation& op) {
  op.expect_inputs(3, 3);
  if (!is_constant(op.input(0))) op.refuse("the condition is computed: the output jumps where it changes");
  constant const& condition = as_constant(op.input(0));
  if (condition.data_type != data_type::boolean) {
    throw format_error(op.where + ": the condition is of type " + data_type_name(condition.data_type) +
                       "; it must hold truth values");
  }
  int const type = data_type_of(op.input(1));
  if (!is_real_type(type) || data_type_of(op.input(2)) != type) {
    op.refuse("the branches must be of one real type");
  }
  auto& graph = op.graph;
  auto const branches = broadcast_shape(op.shape(1), op.shape(2), op.where);
  auto const shape = broadcast_shape(condition.shape, branches, op.where);
  constant const wide = graph.broadcast(condition, shape);
  auto const& chosen = wide.integers();
  std::vector<node_id> terms;
  std::vector<double> stored(chosen.size(), 0.0);
  bool any_stored = false;
  for (std::size_t k = 1; k < 3; ++k) {
    bool const first = k == 1;
    if (is_constant(op.input(k))) {
      constant const values = graph.broadcast(as_constant(op.input(k)), shape);
      any_stored = true;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if ((chosen[i] != 0) == first) stored[i] = values[static_cast<index_t>(i)];
      }
      continue;
    }
    std::vector<double> mask(chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) mask[i] = (chosen[i] != 0) == first ? 1.0 : 0.0;
    node_id const x = graph.broadcast(graph.node_of(op.input(k)), shape, op.name);
    terms.push_back(graph.add(lipschitz::rules::scale(std::move(mask)), {x}, op.name + (first ? "/where" : "/else")));
  }
  if (terms.empty()) op.refuse("both branches are constant");
  node_id node = terms[0];
  if (terms.size() == 2) node = graph.add(lipschitz::rules::weighted_sum({1.0, 1.0}, "where"), terms, op.name);
  if (any_stored) node = graph.add(lipschitz::rules::add_constant(std::move(stored)), {node}, op.name);
  return computed{node, type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
