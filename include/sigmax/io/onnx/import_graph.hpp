// SPDX-License-Identifier: MIT
/// @file
/// From a parsed ONNX model to a network, node by node.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/graph_builder.hpp>
#include <sigmax/io/onnx/graph_order.hpp>
#include <sigmax/io/onnx/memory_budget.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/table.hpp>
#include <sigmax/io/onnx/tensor_reader.hpp>
#include <sigmax/io/onnx/unsupported_operators.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

inline bool is_default_domain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

/// The version of the default operator set. @throws format_error if there is none or there are two,
/// unsupported_error if it is not in [1, newest_opset].
inline int read_opset(::onnx::ModelProto const& model) {
  std::int64_t version = 0;
  for (auto const& imported : model.opset_import()) {
    if (!is_default_domain(imported.domain())) continue;
    if (version != 0 && version != imported.version()) {
      throw format_error("the model imports the default operator set twice, versions " + std::to_string(version) +
                         " and " + std::to_string(imported.version()));
    }
    version = imported.version();
    if (version < 1 || version > newest_opset) {
      throw unsupported_error("operator set " + std::to_string(version) + " is not supported; versions 1 to " +
                              std::to_string(newest_opset) + " are");
    }
  }
  if (version == 0) throw format_error("the model does not say which operator set it uses (opset_import)");
  return static_cast<int>(version);
}

/// "'a', 'b'", at most ten.
template <class Names>
std::string name_list(Names const& names) {
  std::string text;
  int count = 0;
  for (auto const& name : names) {
    if (++count > 10) return text + ", ...";
    text += (text.empty() ? "" : ", ") + in_quotes(name);
  }
  return text;
}

/// The extents of the graph's input. A leading symbolic extent (the batch) is taken as 1.
/// @throws unsupported_error for other symbolic extents and types that are not real tensors.
inline tensor_shape read_input_shape(::onnx::ValueInfoProto const& input) {
  std::string const what = "input " + in_quotes(input.name());
  if (!input.type().has_tensor_type()) throw unsupported_error(what + " is no tensor");
  auto const& type = input.type().tensor_type();
  if (!is_real_type(type.elem_type())) {
    throw unsupported_error(what + " is of type " + data_type_name(type.elem_type()) + "; it must be real");
  }
  if (!type.has_shape()) throw unsupported_error(what + " has no shape");
  std::vector<std::int64_t> extents;
  for (auto const& dimension : type.shape().dim()) {
    if (dimension.has_dim_value()) {
      extents.push_back(dimension.dim_value());
    } else if (extents.empty()) {
      extents.push_back(1);
    } else {
      throw unsupported_error(
          what + ": the extent of axis " + std::to_string(extents.size()) + " is " +
          (dimension.dim_param().empty() ? std::string("unknown") : in_quotes(dimension.dim_param())) +
          "; only the first axis (the batch) may be left open");
    }
  }
  tensor_shape shape = read_shape(extents, what);
  if (lipschitz::element_count(shape) == 0) {
    throw unsupported_error(what + " has no elements (shape " + shape_text(shape) + ")");
  }
  return shape;
}

/// Operators of which a stored input may hold -infinity: they make masks, or move the elements of one.
inline bool may_hold_infinity(std::string_view type) {
  static constexpr std::string_view allowed[] = {"Add",     "Cast",  "Concat",  "Expand",    "Gather",    "Identity",
                                                 "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze", "Where"};
  for (std::string_view const each : allowed) {
    if (each == type) return true;
  }
  return false;
}

/// One import. Values are looked up by name; initializers are read when a node first asks for them.
class graph_import {
 public:
  graph_import(::onnx::ModelProto const& model, memory_budget& budget, std::string label)
      : model_(model), budget_(budget), label_(std::move(label)) {}

  lipschitz::network run() {
    if (!model_.has_graph()) throw format_error("not an ONNX model: there is no graph");
    opset_ = read_opset(model_);
    for (auto const& function : model_.functions()) {
      if (is_default_domain(function.domain())) {
        throw unsupported_error("the model redefines the operator " + in_quotes(function.name()));
      }
    }
    auto const& graph = model_.graph();
    graph_names const names(graph);
    names_ = &names;
    ::onnx::ValueInfoProto const& input = only_input(names);
    std::string_view const output = only_output(graph);
    std::vector<int> const order = evaluation_order(graph, names, output);
    refuse_unsupported(graph, order);

    graph_builder builder(read_input_shape(input), printable(input.name()), budget_);
    values_.emplace(input.name(), computed{0, input.type().tensor_type().elem_type()});
    for (int const i : order) import_node(graph.node(i), builder);
    graph_value const& result = find(output, "the graph's output");
    builder.network().set_output(builder.node_of(result));
    return lipschitz::rewritten(builder.network());
  }

 private:
  static ::onnx::ValueInfoProto const& only_input(graph_names const& names) {
    if (names.inputs().size() == 1) return *names.inputs().front();
    if (names.inputs().empty()) throw format_error("the graph has no input");
    std::vector<std::string_view> listed;
    for (auto const* input : names.inputs()) listed.push_back(input->name());
    throw unsupported_error("the graph has " + std::to_string(listed.size()) + " inputs (" + name_list(listed) +
                            "); one is supported");
  }

  static std::string_view only_output(::onnx::GraphProto const& graph) {
    if (graph.output_size() == 1) return graph.output(0).name();
    if (graph.output_size() == 0) throw format_error("the graph has no output");
    std::vector<std::string_view> listed;
    for (auto const& output : graph.output()) listed.push_back(output.name());
    throw unsupported_error("the graph has " + std::to_string(listed.size()) + " outputs (" + name_list(listed) +
                            "); one is supported");
  }

  void refuse_unsupported(::onnx::GraphProto const& graph, std::vector<int> const& order) const {
    std::vector<std::string> refused;
    for (int const i : order) {
      auto const& node = graph.node(i);
      if (!is_default_domain(node.domain())) {
        refused.push_back(node.domain() + "." + node.op_type());
      } else if (find_operator(node.op_type()) == nullptr) {
        refused.push_back(node.op_type().empty() ? "(without a name)" : node.op_type());
      }
    }
    if (!refused.empty()) throw unsupported_operators_error(label_, std::move(refused));
  }

  graph_value const& find(std::string_view name, std::string const& who) {
    if (auto const found = values_.find(name); found != values_.end()) return found->second;
    if (auto const stored = names_->stored().find(name); stored != names_->stored().end()) {
      if (stored->second == nullptr)
        throw unsupported_error("tensor " + in_quotes(name) + " is stored as a sparse tensor");
      return values_.emplace(name, read_tensor(*stored->second, name, budget_)).first->second;
    }
    if (names_->computed_by(name) >= 0) {
      throw unsupported_error(who + " reads " + in_quotes(name) + ", an output of its node that is not supported");
    }
    throw format_error(who + " reads " + in_quotes(name) + ", which nothing defines");
  }

  void import_node(::onnx::NodeProto const& node, graph_builder& builder) {
    std::string const where = node_text(node);
    auto const [first, last] = operator_sets_of(node.op_type());
    if (opset_ < first || opset_ > last) {
      throw unsupported_error(where + ": the operator is of the operator sets " + std::to_string(first) + " to " +
                              std::to_string(last) + "; the model uses " + std::to_string(opset_));
    }
    std::vector<graph_value const*> inputs;
    for (int k = 0; k < node.input_size(); ++k) {
      bool const given = !node.input(k).empty() && is_read(node, k);
      inputs.push_back(given ? &find(node.input(k), where) : nullptr);
    }
    std::string name = node.name();
    if (name.empty() && node.output_size() > 0) name = node.output(0);
    for (graph_value const* v : inputs) {
      if (v != nullptr && is_constant(*v) && !as_constant(*v).infinite.empty() && !may_hold_infinity(node.op_type())) {
        throw numeric_error(as_constant(*v).infinite);
      }
    }
    operation op{node, opset_, where, printable(name), attribute_reader(node, where), std::move(inputs), builder};
    graph_value result = find_operator(node.op_type())(op);
    op.attributes.finish();
    if (node.output_size() > 0 && !node.output(0).empty()) values_.emplace(node.output(0), std::move(result));
    for (std::size_t k = 0; k < op.further_outputs.size(); ++k) {
      auto const at = static_cast<int>(k) + 1;
      if (at >= node.output_size()) break;
      if (!node.output(at).empty()) values_.emplace(node.output(at), std::move(op.further_outputs[k]));
    }
  }

  ::onnx::ModelProto const& model_;
  memory_budget& budget_;
  std::string label_;
  int opset_ = 0;
  graph_names const* names_ = nullptr;
  std::unordered_map<std::string_view, graph_value> values_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
