// SPDX-License-Identifier: MIT
/// @file
/// Who computes what in an ONNX graph, and an order in which it can be computed.
#pragma once

#include <cstddef>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/attribute_reader.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// The names of a graph, checked: every value has exactly one source.
class graph_names {
 public:
  /// @throws format_error if two sources define one name, or an input or initializer has no name.
  explicit graph_names(::onnx::GraphProto const& graph) {
    for (auto const& tensor : graph.initializer()) define_stored(tensor.name(), &tensor);
    for (auto const& tensor : graph.sparse_initializer()) define_stored(tensor.values().name(), nullptr);
    std::unordered_set<std::string_view> listed;
    for (auto const& input : graph.input()) {
      if (input.name().empty()) throw format_error("the graph has an input without a name");
      if (!listed.insert(input.name()).second) throw twice(input.name());
      // Before IR version 4 every initializer is listed as an input too.
      if (stored_.contains(input.name())) continue;
      inputs_.push_back(&input);
    }
    for (int i = 0; i < graph.node_size(); ++i) {
      for (auto const& name : graph.node(i).output()) {
        if (name.empty()) continue;
        if (listed.contains(name) || stored_.contains(name) || !computed_by_.emplace(name, i).second) throw twice(name);
      }
    }
  }

  /// Inputs that are no initializers.
  std::vector<::onnx::ValueInfoProto const*> const& inputs() const { return inputs_; }
  /// The node that computes a value, or -1.
  int computed_by(std::string_view name) const {
    auto const found = computed_by_.find(name);
    return found == computed_by_.end() ? -1 : found->second;
  }
  /// All initializers; null for a sparse one.
  std::unordered_map<std::string_view, ::onnx::TensorProto const*> const& stored() const { return stored_; }

 private:
  void define_stored(std::string_view name, ::onnx::TensorProto const* tensor) {
    if (name.empty()) throw format_error("the graph has an initializer without a name");
    if (!stored_.emplace(name, tensor).second) throw twice(name);
  }
  static format_error twice(std::string_view name) {
    return format_error("the name " + in_quotes(name) + " is defined twice");
  }

  std::vector<::onnx::ValueInfoProto const*> inputs_;
  std::unordered_map<std::string_view, ::onnx::TensorProto const*> stored_;
  std::unordered_map<std::string_view, int> computed_by_;
};

/// False for inputs that change nothing whatever they hold: the region of Resize, which only an unsupported mode reads, and
/// its scales where there are sizes. Exporters write empty tensors there.
inline bool is_read(::onnx::NodeProto const& node, int input) {
  if (node.op_type() != "Resize" || node.input_size() < 3) return true;
  bool const by_size = node.input_size() > 3 && !node.input(3).empty();
  return input != 1 && !(input == 2 && by_size);
}

/// Nodes that the value `output` depends on, in an order in which each comes after what it reads; nodes that need not
/// move keep the order of the file. @complexity O(n log n) in nodes and their inputs; no recursion.
/// @throws format_error that names a node on a cycle, wherever in the graph it is.
inline std::vector<int> evaluation_order(::onnx::GraphProto const& graph, graph_names const& names,
                                         std::string_view output) {
  auto const count = static_cast<std::size_t>(graph.node_size());
  std::vector<std::vector<int>> readers(count);
  std::vector<std::size_t> waiting(count, 0);
  for (int i = 0; i < graph.node_size(); ++i) {
    for (auto const& name : graph.node(i).input()) {
      int const source = names.computed_by(name);
      if (source < 0) continue;
      readers[static_cast<std::size_t>(source)].push_back(i);
      ++waiting[static_cast<std::size_t>(i)];
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < count; ++i) {
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  order.reserve(count);
  while (!ready.empty()) {
    int const node = ready.top();
    ready.pop();
    order.push_back(node);
    for (int const reader : readers[static_cast<std::size_t>(node)]) {
      if (--waiting[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }
  if (order.size() < count) {
    // A node that waits reads another node that waits, so walking back comes to a node for the second time.
    int at = 0;
    while (waiting[static_cast<std::size_t>(at)] == 0) ++at;
    std::vector<char> seen(count, 0);
    while (seen[static_cast<std::size_t>(at)] == 0) {
      seen[static_cast<std::size_t>(at)] = 1;
      for (auto const& name : graph.node(at).input()) {
        int const source = names.computed_by(name);
        if (source >= 0 && waiting[static_cast<std::size_t>(source)] > 0) {
          at = source;
          break;
        }
      }
    }
    throw format_error(node_text(graph.node(at)) + " depends on itself: the graph has a cycle");
  }

  std::vector<char> needed(count, 0);
  if (int const last = names.computed_by(output); last >= 0) needed[static_cast<std::size_t>(last)] = 1;
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    if (needed[static_cast<std::size_t>(*node)] == 0) continue;
    for (int k = 0; k < graph.node(*node).input_size(); ++k) {
      int const source = names.computed_by(graph.node(*node).input(k));
      if (source >= 0 && is_read(graph.node(*node), k)) needed[static_cast<std::size_t>(source)] = 1;
    }
  }
  std::erase_if(order, [&](int node) { return needed[static_cast<std::size_t>(node)] == 0; });
  return order;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
