// SPDX-License-Identifier: MIT
/// @file
/// Pad, DepthToSpace, SpaceToDepth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/selection.hpp>
#include <sigmax/io/onnx/operators/shape.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Where position i of a padded axis comes from; -1 for a constant.
inline index_t padded_source(index_t i, index_t extent, std::string const& mode) {
  if (i >= 0 && i < extent) return i;
  if (mode == "edge") return i < 0 ? 0 : extent - 1;
  if (mode == "wrap") return (i % extent + extent) % extent;
  if (mode != "reflect") return -1;
  if (extent == 1) return 0;
  index_t const period = 2 * (extent - 1);
  index_t const folded = (i % period + period) % period;
  return folded < extent ? folded : period - folded;
}

/// The paddings of all axes, begins first, and the constant.
struct padding {
  std::vector<std::int64_t> pads;
  double value = 0;
};

inline padding read_padding(operation& op, std::size_t rank) {
  padding result;
  if (op.opset < 11) {
    op.expect_inputs(1, 1);
    auto const given = op.attributes.integers(op.opset < 2 ? "paddings" : "pads");
    if (!given) throw format_error(op.where + ": the paddings are missing");
    result.pads = *given;
    result.value = op.attributes.real("value").value_or(0.0);
  } else {
    op.expect_inputs(2, op.opset < 18 ? 3 : 4);
    auto const& given = op.integers(1, "the list of paddings");
    std::vector<std::int64_t> axes;
    if (op.optional_input(3) != nullptr) {
      axes = op.indices(3, "the list of axes");
    } else {
      for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
    }
    if (given.size() != 2 * axes.size()) {
      throw format_error(op.where + ": " + std::to_string(given.size()) + " paddings for " +
                         std::to_string(axes.size()) + " axes");
    }
    marked_axes(op, axes, rank);
    result.pads.assign(2 * rank, 0);
    for (std::size_t k = 0; k < axes.size(); ++k) {
      std::size_t const axis = checked_axis(axes[k], rank, op.where);
      result.pads[axis] = given[k];
      result.pads[rank + axis] = given[axes.size() + k];
    }
    if (graph_value const* value = op.optional_input(2)) {
      if (!is_constant(*value) || as_constant(*value).size() != 1) op.refuse("the constant is no stored number");
      result.value = as_constant(*value)[0];
    }
  }
  if (result.pads.size() != 2 * rank) {
    throw format_error(op.where + ": " + std::to_string(result.pads.size()) + " paddings for " + std::to_string(rank) +
                       " axes");
  }
  return result;
}

/// Negative paddings cut off.
inline graph_value import_pad(operation& op) {
  tensor_shape const shape = op.shape(0);
  std::string const mode = op.attributes.text("mode").value_or("constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    throw format_error(op.where + ": attribute 'mode' is " + in_quotes(mode));
  }
  if (mode == "wrap" && op.opset < 19) {
    op.refuse("mode 'wrap' is of operator set 19; the model uses " + std::to_string(op.opset));
  }
  auto const [pads, value] = read_padding(op, shape.size());
  int const type = data_type_of(op.input(0));
  if (!is_real_type(type)) op.refuse("the input is of type " + data_type_name(type) + "; it must be real");
  axis_tables tables;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::int64_t const before = pads[axis];
    std::int64_t const after = pads[shape.size() + axis];
    static constexpr std::int64_t most = std::int64_t{1} << 40;
    if (before < -most || before > most || after < -most || after > most) {
      throw format_error(op.where + ": a padding is " +
                         std::to_string(before < -most || before > most ? before : after));
    }
    if (mode == "wrap" && (before < 0 || after < 0)) {
      op.refuse("whether elements that are cut off are wrapped differs from program to program");
    }
    auto const count = static_cast<index_t>(shape[axis] + before + after);
    if (count < 1) op.refuse("the result has no elements");
    tables.push_back(positions_from(op, static_cast<index_t>(-before), count));
    for (index_t& at : tables.back()) {
      if (mode == "reflect" && (at < -(shape[axis] - 1) || at > 2 * (shape[axis] - 1))) {
        op.refuse("a reflected padding is longer than its axis");
      }
      at = padded_source(at, shape[axis], mode);
    }
  }
  auto const in = computed{op.graph.node_of(op.input(0)), type};
  if (value == 0 || mode != "constant") return op.graph.select(in, std::move(tables), "pad", op.name);
  tensor_shape to;
  for (auto const& table : tables) to.push_back(static_cast<index_t>(table.size()));
  require_usable(to, op.where + ": the result");
  op.graph.budget().charge(lipschitz::element_count(to), sizeof(double), op.where);
  std::vector<double> added(static_cast<std::size_t>(lipschitz::element_count(to)));
  table_walk walk(shape, tables);
  bool pads_any = false;
  for (double& element : added) {
    bool const outside = walk.next() < 0;
    element = outside ? value : 0.0;
    pads_any = pads_any || outside;
  }
  auto const result = std::get<computed>(op.graph.select(in, std::move(tables), "pad", op.name));
  if (!pads_any) return result;
  return computed{op.graph.add(lipschitz::rules::add_constant(std::move(added)), {result.node}, op.name + "/value"),
                  type};
}

/// The blocks of DepthToSpace and SpaceToDepth: elements in the order of a permutation of a finer shape.
inline graph_value moved_blocks(operation& op, tensor_shape const& fine, std::vector<std::size_t> const& order,
                                tensor_shape const& to, char const* name) {
  require_usable(to, op.where + ": the result");
  if (is_constant(op.input(0))) return op.graph.permute(as_constant(op.input(0)).reshaped(fine), order).reshaped(to);
  auto const [node, type] = std::get<computed>(op.input(0));
  return computed{op.graph.rearrange(node, to, permuted_walk(fine, order), name, op.name), type};
}

inline index_t read_block(operation& op) {
  op.expect_inputs(1, 1);
  std::int64_t const block = op.attributes.integer("blocksize").value_or(0);
  if (block < 1 || block > (1 << 20)) {
    throw format_error(op.where + ": attribute 'blocksize' is " + std::to_string(block));
  }
  if (op.shape(0).size() != 4) {
    throw format_error(op.where + ": input has shape " + shape_text(op.shape(0)) + "; it must have four axes");
  }
  return static_cast<index_t>(block);
}

inline graph_value import_depth_to_space(operation& op) {
  index_t const b = read_block(op);
  tensor_shape const s = op.shape(0);
  std::string const mode = op.opset < 11 ? "DCR" : op.attributes.text("mode").value_or("DCR");
  if (mode != "DCR" && mode != "CRD") throw format_error(op.where + ": attribute 'mode' is " + in_quotes(mode));
  if (s[1] % (b * b) != 0) {
    throw format_error(op.where + ": " + std::to_string(s[1]) + " channels for blocks of " + std::to_string(b));
  }
  index_t const c = s[1] / (b * b);
  tensor_shape const to{s[0], c, s[2] * b, s[3] * b};
  if (mode == "DCR") return moved_blocks(op, {s[0], b, b, c, s[2], s[3]}, {0, 3, 4, 1, 5, 2}, to, "depth_to_space");
  return moved_blocks(op, {s[0], c, b, b, s[2], s[3]}, {0, 1, 4, 2, 5, 3}, to, "depth_to_space");
}

inline graph_value import_space_to_depth(operation& op) {
  index_t const b = read_block(op);
  tensor_shape const s = op.shape(0);
  if (s[2] % b != 0 || s[3] % b != 0) {
    throw format_error(op.where + ": shape " + shape_text(s) + " does not fall into blocks of " + std::to_string(b));
  }
  return moved_blocks(op, {s[0], s[1], s[2] / b, b, s[3] / b, b}, {0, 3, 5, 1, 2, 4},
                      {s[0], s[1] * b * b, s[2] / b, s[3] / b}, "space_to_depth");
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
