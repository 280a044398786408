// SPDX-License-Identifier: MIT
/// @file
/// Add, Sub, Sum, Mul, Div.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/constants.hpp>
#include <sigmax/io/onnx/operators/where.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// The two inputs of a binary operator and the shape they are broadcast to.
struct operands {
  graph_value left;
  graph_value right;
  tensor_shape shape;
};

/// Before operator set 7 broadcasting had to be asked for, went from right to left and could name the axis at which the
/// right shape begins; later it is numpy's.
inline operands read_operands(operation& op) {
  op.expect_inputs(2, 2);
  auto& graph = op.graph;
  operands result{op.input(0), op.input(1), {}};
  if (op.opset >= 7) {
    result.shape = broadcast_shape(op.shape(0), op.shape(1), op.where);
    return result;
  }
  bool const broadcasts = op.attributes.flag("broadcast", false);
  auto const axis = op.attributes.integer("axis");
  tensor_shape const left = op.shape(0);
  tensor_shape right = op.shape(1);
  if (!broadcasts && left != right) {
    throw format_error(op.where + ": shapes " + shape_text(left) + " and " + shape_text(right) +
                       " differ; operator set " + std::to_string(op.opset) + " needs broadcast=1 for this");
  }
  if (broadcasts && axis) {
    std::size_t const first = checked_axis(*axis, left.size(), op.where, true);
    if (first + right.size() > left.size()) {
      throw format_error(op.where + ": shape " + shape_text(right) + " does not fit into " + shape_text(left) +
                         " from axis " + std::to_string(*axis));
    }
    right.resize(left.size() - first, 1);
    if (is_constant(result.right)) {
      result.right = as_constant(result.right).reshaped(right);
    } else {
      auto& [node, type] = std::get<computed>(result.right);
      node = graph.reshape(node, right, op.name + "/axis");
    }
  }
  result.shape = broadcast_shape(left, right, op.where);
  if (result.shape != left) {
    throw format_error(op.where + ": shape " + shape_text(right) + " does not fit into " + shape_text(left));
  }
  return result;
}

/// The numbers of a constant that has one for each channel of `shape`, as (C, 1, 1) for (N, C, H, W) has, and the
/// elements of a channel; nothing if it repeats in another way, or along the leading axes alone.
struct channel_numbers {
  std::vector<double> values;
  index_t plane;
};
inline std::optional<channel_numbers> numbers_of_channels(graph_builder& graph, constant const& c,
                                                          tensor_shape const& shape) {
  if (c.shape.size() > shape.size() || c.size() <= 1) return std::nullopt;
  std::size_t const offset = shape.size() - c.shape.size();
  std::size_t first = 0;
  std::size_t last = c.shape.size();
  while (c.shape[first] == 1) ++first;
  while (c.shape[last - 1] == 1) --last;
  index_t plane = 1;
  for (std::size_t axis = last; axis < c.shape.size(); ++axis) plane *= shape[offset + axis];
  if (plane == 1) return std::nullopt;
  for (std::size_t axis = first; axis < last; ++axis) {
    if (c.shape[axis] != shape[offset + axis]) return std::nullopt;
  }
  return channel_numbers{graph.doubles(c), plane};
}

/// left + sign right.
inline graph_value import_sum_of_two(operation& op, double sign) {
  op.attributes.ignore("consumed_inputs");
  auto [left, right, shape] = read_operands(op);
  if (auto known = folded_arithmetic(op, left, right, sign == 1 ? '+' : '-')) return *std::move(known);
  int const type = op.real_type();
  auto& graph = op.graph;
  auto const hides = [](graph_value const& v) { return is_constant(v) && !as_constant(v).infinite.empty(); };
  if (sign == 1 && hides(right)) return masked_sum(op, left, as_constant(right), shape, type);
  if (sign == 1 && hides(left)) return masked_sum(op, right, as_constant(left), shape, type);
  if (is_constant(right)) {
    node_id const x = graph.broadcast(graph.node_of(left), shape, op.name);
    if (auto const numbers = numbers_of_channels(graph, as_constant(right), shape)) {
      std::vector<interval> shifts;
      for (double const c : numbers->values) shifts.push_back(sign == 1 ? c : -c);
      return computed{graph.add(lipschitz::rules::channel::shift(std::move(shifts), numbers->plane), {x}, op.name),
                      type};
    }
    auto values = graph.repeating_doubles(as_constant(right), shape);
    return computed{graph.add(lipschitz::rules::add_constant(std::move(values), sign), {x}, op.name), type};
  }
  node_id y = graph.broadcast(graph.node_of(right), shape, op.name);
  if (is_constant(left)) {
    if (sign != 1) y = graph.add(lipschitz::rules::weighted_sum({sign}, "negate"), {y}, op.name + "/negate");
    if (auto const numbers = numbers_of_channels(graph, as_constant(left), shape)) {
      std::vector<interval> shifts(numbers->values.begin(), numbers->values.end());
      return computed{graph.add(lipschitz::rules::channel::shift(std::move(shifts), numbers->plane), {y}, op.name),
                      type};
    }
    auto values = graph.repeating_doubles(as_constant(left), shape);
    return computed{graph.add(lipschitz::rules::add_constant(std::move(values)), {y}, op.name), type};
  }
  node_id const x = graph.broadcast(graph.node_of(left), shape, op.name);
  return computed{
      graph.add(lipschitz::rules::weighted_sum({1.0, sign}, sign == 1 ? "add" : "subtract"), {x, y}, op.name), type};
}

inline graph_value import_add(operation& op) { return import_sum_of_two(op, 1.0); }
inline graph_value import_sub(operation& op) { return import_sum_of_two(op, -1.0); }

inline graph_value import_sum(operation& op) {
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
  std::vector<node_id> terms;
  for (graph_value const* v : op.inputs) terms.push_back(graph.broadcast(graph.node_of(*v), shape, op.name));
  std::vector<interval> coefficients(terms.size(), 1.0);
  return computed{graph.add(lipschitz::rules::weighted_sum(std::move(coefficients), "sum"), std::move(terms), op.name),
                  type};
}

/// left * right or left / right. Products of two computed values, and what is divided by one, are Lipschitz only where
/// ranges are known; x x is the square.
inline graph_value import_product(operation& op, bool divide) {
  op.attributes.ignore("consumed_inputs");
  auto [left, right, shape] = read_operands(op);
  if (auto known = folded_arithmetic(op, left, right, divide ? '/' : '*')) return *std::move(known);
  int const type = op.real_type();
  auto& graph = op.graph;
  if (!is_constant(right) && divide) {
    node_id const inverse = graph.add(lipschitz::reciprocal(), {graph.node_of(right)}, op.name + "/reciprocal");
    right = computed{inverse, type};
  }
  if (!is_constant(right) && is_constant(left)) {
    std::swap(left, right);
    divide = false;
  }
  if (is_constant(right)) {
    node_id const x = graph.broadcast(graph.node_of(left), shape, op.name);
    if (auto const numbers = numbers_of_channels(graph, as_constant(right), shape)) {
      std::vector<interval> factors;
      for (double const c : numbers->values) factors.push_back(divide ? interval(1.0) / interval(c) : interval(c));
      bool const bounded = std::all_of(factors.begin(), factors.end(), [](interval c) { return c.is_bounded(); });
      if (bounded) {
        return computed{graph.add(lipschitz::rules::channel::scale(std::move(factors), numbers->plane), {x}, op.name),
                        type};
      }
    }
    auto factors = graph.repeating_doubles(as_constant(right), shape);
    if (divide && std::find(factors.begin(), factors.end(), 0.0) != factors.end()) {
      throw numeric_error(op.where + ": the divisor " + in_quotes(as_constant(right).name) +
                          " has an element that is 0");
    }
    if (factors.size() == 1 && factors[0] == 1) return computed{x, type};
    using lipschitz::rules::scale;
    auto const how = divide ? scale::operation::divide : scale::operation::multiply;
    return computed{graph.add(scale(std::move(factors), how), {x}, op.name), type};
  }
  node_id const x = std::get<computed>(left).node;
  node_id const y = std::get<computed>(right).node;
  if (x == y) return computed{graph.add(lipschitz::square(), {x}, op.name), type};
  node_id const wide_x = graph.broadcast(x, shape, op.name + "/left");
  node_id const wide_y = graph.broadcast(y, shape, op.name + "/right");
  return computed{graph.add(lipschitz::rules::hadamard(), {wide_x, wide_y}, op.name), type};
}

inline graph_value import_mul(operation& op) { return import_product(op, false); }
inline graph_value import_div(operation& op) { return import_product(op, true); }

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
