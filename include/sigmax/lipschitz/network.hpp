// SPDX-License-Identifier: MIT
/// @file
/// A network as a directed acyclic graph of rules. Importers build one node by node; the combinators `sequential` and
/// `residual` build one from layers written in C++.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Position of a node in its network. Node 0 is the input.
using node_id = index_t;

/// One value of a network: an operator applied to earlier values.
struct network_node {
  std::string name;
  any_rule rule;
  std::vector<node_id> inputs;
  tensor_shape shape;
};

/// A directed acyclic graph with one input and one output. A node can only refer to nodes that exist already, so the
/// order of the nodes is an order of evaluation and a cycle cannot be written down.
/// (`template <class = void>`: functions that a file does not call are not compiled with it.)
class network {
 public:
  /// A network whose input has this shape; the output is the input until nodes are added.
  template <class = void>
  explicit network(tensor_shape input, std::string input_name = "input") {
    element_count(input);
    nodes_.push_back({std::move(input_name), rules::identity{}, {}, std::move(input)});
  }

  /// Adds `rule` applied to `inputs`; the new node becomes the output. An empty name becomes "<operator>_<n>".
  /// @throws domain_error if an input is not a node of this network, shape_error if the shapes do not fit the rule;
  ///         both name the node. The network is unchanged then.
  template <class = void>
  node_id add(any_rule rule, std::vector<node_id> inputs, std::string name = {});

  /// Makes an existing node the output. @throws domain_error if there is no such node.
  void set_output(node_id output);

  std::vector<network_node> const& nodes() const { return nodes_; }
  network_node const& operator[](node_id id) const { return nodes_[static_cast<std::size_t>(id)]; }
  node_id size() const { return static_cast<node_id>(nodes_.size()); }
  static constexpr node_id input() { return 0; }
  node_id output() const { return output_; }
  tensor_shape const& input_shape() const { return nodes_.front().shape; }
  tensor_shape const& output_shape() const { return (*this)[output_].shape; }

 private:
  std::vector<network_node> nodes_;
  node_id output_ = 0;
};

template <class>
node_id network::add(any_rule rule, std::vector<node_id> inputs, std::string name) {
  if (name.empty()) name = rule.operator_name() + "_" + std::to_string(size());
  std::vector<tensor_shape> shapes;
  shapes.reserve(inputs.size());
  for (node_id const id : inputs) {
    if (id < 0 || id >= size()) {
      sigmax::detail::raise<domain_error>(
          {"network: node '", name, "' reads node ", id, "; the network has nodes 0 to ", size() - 1});
    }
    shapes.push_back((*this)[id].shape);
  }
  tensor_shape shape;
  try {
    shape = rule.output_shape(shapes);
    element_count(shape);
  } catch (shape_error const& problem) {
    sigmax::detail::raise<shape_error>({"network: node '", name, "': ", problem.what()});
  }
  nodes_.push_back({std::move(name), std::move(rule), std::move(inputs), std::move(shape)});
  output_ = size() - 1;
  return output_;
}

inline void network::set_output(node_id output) {
  if (output < 0 || output >= size()) {
    sigmax::detail::raise<domain_error>(
        {"network: output is node ", output, "; the network has nodes 0 to ", size() - 1});
  }
  output_ = output;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
