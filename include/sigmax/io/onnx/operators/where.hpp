// SPDX-License-Identifier: MIT
/// @file
/// Where with a constant condition, and masks that hold -infinity.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/constants.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/attention_mask.hpp>
#include <sigmax/lipschitz/rules/masked.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// condition ? a : b of stored tensors of one type.
inline constant chosen_constant(operation& op, std::vector<std::int64_t> const& condition, tensor_shape const& shape) {
  auto& graph = op.graph;
  constant const a = graph.broadcast(as_constant(op.input(1)), shape);
  constant const b = graph.broadcast(as_constant(op.input(2)), shape);
  constant result{op.name, shape, a.data_type, {}};
  result.infinite = a.infinite.empty() ? b.infinite : a.infinite;
  std::visit(
      [&]<class T>(shared_elements<T> const& of_a) {
        graph.budget().charge(a.size(), sizeof(T), op.where);
        auto const& of_b = std::get<shared_elements<T>>(b.elements);
        auto values = std::make_shared<std::vector<T>>(condition.size());
        for (std::size_t i = 0; i < condition.size(); ++i) {
          (*values)[i] = condition[i] != 0 ? (*of_a)[i] : (*of_b)[i];
        }
        result.elements = shared_elements<T>(std::move(values));
      },
      a.elements);
  return result;
}

/// condition ? x : y with a constant condition: stored branches are chosen now, computed ones multiplied by 0 and 1.
inline graph_value import_where(operation& op) {
  op.expect_inputs(3, 3);
  if (!is_constant(op.input(0))) op.refuse("the condition is computed: the output would be discontinuous");
  constant const& condition = as_constant(op.input(0));
  if (condition.data_type != data_type::boolean) {
    throw format_error(op.where + ": the condition must hold truth values");
  }
  int const type = data_type_of(op.input(1));
  if (data_type_of(op.input(2)) != type) throw format_error(op.where + ": the two branches are of different types");
  auto& graph = op.graph;
  tensor_shape const shape =
      broadcast_shape(broadcast_shape(op.shape(0), op.shape(1), op.where), op.shape(2), op.where);
  require_usable(shape, op.where + ": the result");
  constant const wide = graph.broadcast(condition, shape);
  auto const& chosen = wide.integers();
  if (is_constant(op.input(1)) && is_constant(op.input(2))) return chosen_constant(op, chosen, shape);
  if (!is_real_type(type)) op.refuse("the branches are of type " + data_type_name(type));
  graph.budget().charge(lipschitz::element_count(shape), 2 * sizeof(double), op.where);
  auto const takes = [&](std::size_t i, std::size_t branch) { return (chosen[i] != 0) == (branch == 1); };
  std::size_t const fixed = is_constant(op.input(1)) ? 1 : is_constant(op.input(2)) ? 2 : 0;
  std::vector<double> stored(fixed == 0 ? 0 : chosen.size(), 0.0);
  if (fixed != 0) {
    constant const values = graph.broadcast(as_constant(op.input(fixed)), shape);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      if (takes(i, fixed)) stored[i] = values[static_cast<index_t>(i)];
    }
  }
  if (std::find(stored.begin(), stored.end(), -infinity) != stored.end()) {
    // -infinity plus 0 times the score is no number in place of it: the element is replaced.
    node_id const x = graph.broadcast(graph.node_of(op.input(3 - fixed)), shape, op.name);
    std::vector<char> replaces(stored.size());
    for (std::size_t i = 0; i < stored.size(); ++i) replaces[i] = takes(i, fixed) ? 1 : 0;
    lipschitz::rules::attention_mask mask(std::move(stored), std::move(replaces));
    return computed{graph.add(lipschitz::rules::masked(std::move(mask)), {x}, op.name), type};
  }
  std::vector<node_id> terms;
  for (std::size_t branch = 1; branch < 3; ++branch) {
    if (branch == fixed) continue;
    std::vector<double> shown(chosen.size());
    for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = takes(i, branch) ? 1.0 : 0.0;
    std::string const name = op.name + "/branch_" + std::to_string(branch);
    node_id const x = graph.broadcast(graph.node_of(op.input(branch)), shape, name);
    terms.push_back(graph.add(lipschitz::rules::scale(std::move(shown)), {x}, name));
  }
  if (fixed == 0) return computed{graph.add(lipschitz::rules::weighted_sum({1.0, 1.0}, "where"), terms, op.name), type};
  return computed{graph.add(lipschitz::rules::add_constant(std::move(stored)), {terms[0]}, op.name), type};
}

/// x + stored where the stored tensor holds -infinity: a mask. Nothing else may hold it.
inline graph_value masked_sum(operation& op, graph_value const& x, constant const& stored, tensor_shape const& shape,
                              int type) {
  auto& graph = op.graph;
  node_id const wide = graph.broadcast(graph.node_of(x), shape, op.name);
  lipschitz::rules::attention_mask mask(graph.repeating_doubles(stored, shape));
  return computed{graph.add(lipschitz::rules::masked(std::move(mask)), {wide}, op.name), type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
