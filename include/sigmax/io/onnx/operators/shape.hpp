// SPDX-License-Identifier: MIT
/// @file
/// Flatten, Reshape, Squeeze, Unsqueeze, Transpose: of computed values they become nodes, of constants other constants.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Input 0 with as many elements under another shape.
inline graph_value reshaped(operation& op, tensor_shape to) {
  require_usable(to, op.where + ": the result");
  if (lipschitz::element_count(to) != lipschitz::element_count(op.shape(0))) {
    throw format_error(op.where + ": shape " + shape_text(op.shape(0)) + " cannot become " + shape_text(to));
  }
  if (is_constant(op.input(0))) return as_constant(op.input(0)).reshaped(std::move(to));
  auto const [node, type] = std::get<computed>(op.input(0));
  return computed{op.graph.reshape(node, to, op.name), type};
}

inline graph_value import_flatten(operation& op) {
  op.expect_inputs(1, 1);
  tensor_shape const& shape = op.shape(0);
  std::int64_t const axis = op.attributes.integer("axis").value_or(1);
  if (axis < 0 && op.opset < 11) {
    throw format_error(op.where + ": axis is " + std::to_string(axis) + "; operator set " + std::to_string(op.opset) +
                       " needs it not negative");
  }
  auto const split = static_cast<index_t>(checked_axis(axis, shape.size(), op.where, true));
  index_t const rows = lipschitz::element_count({shape.begin(), shape.begin() + split});
  index_t const cols = lipschitz::element_count({shape.begin() + split, shape.end()});
  return reshaped(op, {rows, cols});
}

/// Extents of Reshape: 0 takes the input's extent (unless `zero_is_zero`), one -1 takes what is left.
inline tensor_shape resolved_shape(operation const& op, std::vector<std::int64_t> const& wanted, bool zero_is_zero) {
  tensor_shape const& shape = op.shape(0);
  tensor_shape result;
  std::optional<std::size_t> open;
  for (std::size_t axis = 0; axis < wanted.size(); ++axis) {
    std::int64_t const extent = wanted[axis];
    if (extent < -1) throw format_error(op.where + ": the new shape has the extent " + std::to_string(extent));
    if (extent == -1 && open) throw format_error(op.where + ": the new shape has more than one -1");
    if (extent == -1) open = axis;
    if (extent == 0 && !zero_is_zero && axis >= shape.size()) {
      throw format_error(op.where + ": the new shape copies axis " + std::to_string(axis) + "; the input has " +
                         std::to_string(shape.size()) + " axes");
    }
    bool const copies = extent == 0 && !zero_is_zero;
    result.push_back(copies ? shape[axis] : extent == -1 ? 1 : static_cast<index_t>(extent));
  }
  require_usable(result, op.where + ": the result");
  if (open) {
    index_t const known = lipschitz::element_count(result);
    index_t const all = lipschitz::element_count(shape);
    if (known == 0 || all % known != 0) {
      throw format_error(op.where + ": " + std::to_string(all) + " elements cannot be spread over " +
                         std::to_string(known));
    }
    result[*open] = all / known;
  }
  return result;
}

inline graph_value import_reshape(operation& op) {
  if (op.opset < 5) {
    op.attributes.ignore("consumed_inputs");
    op.expect_inputs(1, 1);
    auto const wanted = op.attributes.integers("shape");
    if (!wanted) throw format_error(op.where + ": attribute 'shape' is missing");
    return reshaped(op, resolved_shape(op, *wanted, false));
  }
  op.expect_inputs(2, 2);
  bool const zero_is_zero = op.opset >= 14 && op.attributes.flag("allowzero", false);
  return reshaped(op, resolved_shape(op, op.integers(1, "the shape"), zero_is_zero));
}

/// The axes of Squeeze and Unsqueeze: an attribute before operator set 13, an input since. Empty if not given.
inline std::optional<std::vector<std::int64_t>> read_axes(operation& op) {
  if (op.opset < 13) {
    op.expect_inputs(1, 1);
    return op.attributes.integers("axes");
  }
  op.expect_inputs(1, 2);
  if (op.optional_input(1) == nullptr) return std::nullopt;
  return op.integers(1, "the list of axes");
}

/// Which of `rank` axes are named. @throws format_error if one is named twice or does not exist.
inline std::vector<bool> marked_axes(operation const& op, std::vector<std::int64_t> const& axes, std::size_t rank) {
  std::vector<bool> marked(rank, false);
  for (std::int64_t const axis : axes) {
    std::size_t const at = checked_axis(axis, rank, op.where);
    if (marked[at]) throw format_error(op.where + ": axis " + std::to_string(axis) + " is named twice");
    marked[at] = true;
  }
  return marked;
}

inline graph_value import_squeeze(operation& op) {
  auto const axes = read_axes(op);
  tensor_shape const& shape = op.shape(0);
  std::vector<bool> const dropped = marked_axes(op, axes.value_or(std::vector<std::int64_t>{}), shape.size());
  tensor_shape result;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (dropped[axis] && shape[axis] != 1) {
      throw format_error(op.where + ": axis " + std::to_string(axis) + " has the extent " +
                         std::to_string(shape[axis]) + "; only axes of extent 1 can be squeezed");
    }
    bool const keeps = axes ? !dropped[axis] : shape[axis] != 1;
    if (keeps) result.push_back(shape[axis]);
  }
  return reshaped(op, std::move(result));
}

inline graph_value import_unsqueeze(operation& op) {
  auto const axes = read_axes(op);
  if (!axes) throw format_error(op.where + ": no axes are given");
  tensor_shape const& shape = op.shape(0);
  if (axes->size() > max_rank) throw format_error(op.where + ": " + std::to_string(axes->size()) + " axes are named");
  std::vector<bool> const inserted = marked_axes(op, *axes, shape.size() + axes->size());
  tensor_shape result;
  std::size_t next = 0;
  for (bool const is_new : inserted) result.push_back(is_new ? 1 : shape[next++]);
  return reshaped(op, std::move(result));
}

inline graph_value import_transpose(operation& op) {
  op.expect_inputs(1, 1);
  std::size_t const rank = op.shape(0).size();
  std::vector<std::size_t> order(rank);
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  if (auto const perm = op.attributes.integers("perm")) {
    if (perm->size() != rank) {
      throw format_error(op.where + ": perm names " + std::to_string(perm->size()) + " axes; the tensor has " +
                         std::to_string(rank));
    }
    marked_axes(op, *perm, rank);
    std::transform(perm->begin(), perm->end(), order.begin(),
                   [&](std::int64_t axis) { return checked_axis(axis, rank, op.where); });
  }
  if (is_constant(op.input(0))) return op.graph.permute(as_constant(op.input(0)), order);
  auto const [node, type] = std::get<computed>(op.input(0));
  return computed{op.graph.permute(node, order, op.name), type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
