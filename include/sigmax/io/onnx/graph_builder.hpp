// SPDX-License-Identifier: MIT
/// @file
/// The network an import grows, and the few rearrangements all operators need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/memory_budget.hpp>
#include <sigmax/io/onnx/shapes.hpp>
#include <sigmax/io/onnx/value.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/constant.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

class graph_builder {
 public:
  graph_builder(tensor_shape input, std::string name, memory_budget& budget)
      : network_(account(std::move(input), budget), std::move(name)), budget_(budget) {}

  lipschitz::network& network() { return network_; }
  memory_budget& budget() { return budget_; }
  tensor_shape const& shape(node_id node) const { return network_[node].shape; }
  tensor_shape const& shape(graph_value const& v) const {
    return is_constant(v) ? as_constant(v).shape : shape(std::get<computed>(v).node);
  }

  /// Adds a node of the network. @throws format_error if the shapes do not fit or the memory does not suffice.
  node_id add(lipschitz::any_rule rule, std::vector<node_id> inputs, std::string const& name) {
    node_id node = 0;
    try {
      node = network_.add(std::move(rule), std::move(inputs), name);
    } catch (shape_error const& problem) {
      throw format_error(problem.what());
    }
    account(shape(node), budget_);
    return node;
  }

  /// The elements of a real constant as doubles, which is exact.
  std::vector<double> doubles(constant const& c) {
    require_real(c);
    budget_.charge(c.size(), sizeof(double), "tensor " + in_quotes(c.name));
    std::vector<double> values(static_cast<std::size_t>(c.size()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = c[static_cast<index_t>(i)];
    return values;
  }

  /// The doubles of a constant as they are broadcast to `to`: all of them, or the part that repeats along the leading
  /// axes, which is what the rules take.
  std::vector<double> repeating_doubles(constant const& c, tensor_shape const& to) {
    std::size_t first = 0;
    while (first < c.shape.size() && c.shape[first] == 1) ++first;
    std::size_t const length = c.shape.size() - first;
    bool const trailing = length <= to.size() && std::equal(c.shape.begin() + static_cast<index_t>(first),
                                                            c.shape.end(), to.end() - static_cast<index_t>(length));
    return doubles(trailing ? c : broadcast(c, to));
  }

  /// A value as a node; a constant becomes a node without inputs.
  node_id node_of(graph_value const& v) {
    if (!is_constant(v)) return std::get<computed>(v).node;
    constant const& c = as_constant(v);
    auto values = doubles(c);
    return add(lipschitz::rules::constant(c.shape, std::move(values)), {}, printable(c.name));
  }

  constant broadcast(constant const& c, tensor_shape const& to) {
    auto walk = broadcast_walk(c.shape, to);
    return c.gathered(
        to, [&](index_t) { return walk.next(); }, budget_);
  }
  node_id broadcast(node_id node, tensor_shape const& to, std::string const& name) {
    if (shape(node) == to) return node;
    if (lipschitz::element_count(shape(node)) == lipschitz::element_count(to)) return reshape(node, to, name);
    return rearrange(node, to, broadcast_walk(shape(node), to), "broadcast", name + "/broadcast");
  }
  graph_value broadcast(graph_value const& v, tensor_shape const& to, std::string const& name) {
    if (is_constant(v)) return broadcast(as_constant(v), to);
    auto const [node, type] = std::get<computed>(v);
    return computed{broadcast(node, to, name), type};
  }

  constant permute(constant const& c, std::vector<std::size_t> const& order) {
    auto to = permuted_shape(c.shape, order);
    if (keeps_order(c.shape, order)) return c.reshaped(std::move(to));
    auto walk = permuted_walk(c.shape, order);
    return c.gathered(
        std::move(to), [&](index_t) { return walk.next(); }, budget_);
  }
  node_id permute(node_id node, std::vector<std::size_t> const& order, std::string const& name) {
    auto const to = permuted_shape(shape(node), order);
    if (keeps_order(shape(node), order)) return reshape(node, to, name);
    return rearrange(node, to, permuted_walk(shape(node), order), "transpose", name);
  }

  /// The same elements in the same order; nothing is added if the shape is the same.
  node_id reshape(node_id node, tensor_shape const& to, std::string const& name) {
    if (shape(node) == to) return node;
    return add(lipschitz::rules::rearrange(to), {node}, name);
  }

  /// Element i of the result is element walk.next() of the node, or 0 where that is -1.
  template <class Walk>
  node_id rearrange(node_id node, tensor_shape const& to, Walk walk, char const* operation, std::string const& name) {
    index_t const count = lipschitz::element_count(to);
    budget_.charge(count, 2 * sizeof(index_t), "the positions of " + in_quotes(name));
    std::vector<index_t> map(static_cast<std::size_t>(count));
    for (index_t& from : map) from = walk.next();
    return add(lipschitz::rules::rearrange(to, std::move(map), operation), {node}, name);
  }

  /// Element (p_0, p_1, ..) of the result is element (tables[0][p_0], ..) of the value, or 0 where one of these is -1:
  /// slices, repeats, paddings.
  graph_value select(graph_value const& v, std::vector<std::vector<index_t>> tables, char const* operation,
                     std::string const& name) {
    tensor_shape to;
    bool same = true;
    for (std::size_t axis = 0; axis < tables.size(); ++axis) {
      to.push_back(static_cast<index_t>(tables[axis].size()));
      same = same && to.back() == shape(v)[axis];
      for (std::size_t i = 0; i < tables[axis].size() && same; ++i) same = tables[axis][i] == static_cast<index_t>(i);
    }
    if (same) return v;
    require_usable(to, operation);
    table_walk walk(shape(v), std::move(tables));
    if (is_constant(v)) {
      return as_constant(v).gathered(
          to, [&](index_t) { return walk.next(); }, budget_);
    }
    auto const [node, type] = std::get<computed>(v);
    return computed{rearrange(node, to, std::move(walk), operation, name), type};
  }

 private:
  /// Values, derivatives and intervals of one node, as certificates and attacks hold them.
  static constexpr std::uint64_t bytes_per_element = 32;

  static tensor_shape account(tensor_shape shape, memory_budget& budget) {
    require_usable(shape, "a value");
    index_t const count = lipschitz::element_count(shape);
    if (count == 0) throw unsupported_error("a value of shape " + shape_text(shape) + " has no elements");
    budget.charge(count, bytes_per_element, "a value of shape " + shape_text(shape));
    return shape;
  }

  static void require_real(constant const& c) {
    if (!c.is_real()) {
      throw unsupported_error("tensor " + in_quotes(c.name) + " holds integers; real numbers are needed here");
    }
  }

  lipschitz::network network_;
  memory_budget& budget_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
