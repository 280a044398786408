// SPDX-License-Identifier: MIT
/// @file
/// Shape arithmetic of ONNX: broadcasting, permutations, axes, and the index maps they mean for row-major tensors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

using lipschitz::shape_text;
using lipschitz::tensor_shape;

/// Most axes a tensor may have. Shapes are copied from node to node, so their length must not be the file's choice.
inline constexpr std::size_t max_rank = 64;

/// @throws format_error if the shape has too many axes or more elements than can be addressed.
inline void require_usable(tensor_shape const& shape, std::string const& what) {
  if (shape.size() > max_rank) {
    throw format_error(what + " has " + std::to_string(shape.size()) + " axes; at most " + std::to_string(max_rank) +
                       " are supported");
  }
  try {
    lipschitz::element_count(shape);
  } catch (shape_error const&) {
    throw format_error(what + " has the shape " + shape_text(shape) + "; so many elements cannot be addressed");
  }
}

/// An axis counted from the front; negative ones count from the back.
/// @throws format_error unless -rank <= axis < rank + (one_past ? 1 : 0).
inline std::size_t checked_axis(std::int64_t axis, std::size_t rank, std::string const& where, bool one_past = false) {
  auto const extent = static_cast<std::int64_t>(rank);
  if (axis < -extent || axis >= extent + (one_past ? 1 : 0)) {
    throw format_error(where + ": axis is " + std::to_string(axis) + "; the tensor has " + std::to_string(rank) +
                       " axes");
  }
  return static_cast<std::size_t>(axis < 0 ? axis + extent : axis);
}

/// The shape two tensors are broadcast to (numpy's rules). @throws format_error if there is none.
inline tensor_shape broadcast_shape(tensor_shape const& a, tensor_shape const& b, std::string const& where) {
  tensor_shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t back = 1; back <= result.size(); ++back) {
    index_t const left = back <= a.size() ? a[a.size() - back] : 1;
    index_t const right = back <= b.size() ? b[b.size() - back] : 1;
    if (left != right && left != 1 && right != 1) {
      throw format_error(where + ": shapes " + shape_text(a) + " and " + shape_text(b) +
                         " cannot be broadcast together");
    }
    result[result.size() - back] = left == 1 ? right : left;
  }
  return result;
}

/// Strides of a dense row-major tensor.
inline std::vector<index_t> dense_strides(tensor_shape const& shape) {
  std::vector<index_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

/// Walks the elements of `shape` in order and tells the offset sum_k position_k * stride_k of each.
class strided_walk {
 public:
  strided_walk(tensor_shape shape, std::vector<index_t> strides)
      : shape_(std::move(shape)), strides_(std::move(strides)), position_(shape_.size(), 0) {}

  /// The offset of the current element; moves to the next one.
  index_t next() {
    index_t const result = offset_;
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      offset_ += strides_[axis];
      if (++position_[axis] < shape_[axis]) break;
      offset_ -= strides_[axis] * shape_[axis];
      position_[axis] = 0;
    }
    return result;
  }

 private:
  tensor_shape shape_;
  std::vector<index_t> strides_;
  tensor_shape position_;
  index_t offset_ = 0;
};

/// Walks the positions of a tensor that tables of each axis select, in order; -1 in a table is no position.
class table_walk {
 public:
  table_walk(tensor_shape const& from, std::vector<std::vector<index_t>> tables)
      : strides_(dense_strides(from)), tables_(std::move(tables)), position_(tables_.size(), 0) {}

  /// The offset of the current element, or -1; moves to the next one.
  index_t next() {
    index_t offset = 0;
    for (std::size_t axis = 0; axis < tables_.size() && offset >= 0; ++axis) {
      index_t const at = tables_[axis][position_[axis]];
      offset = at < 0 ? -1 : offset + at * strides_[axis];
    }
    for (std::size_t axis = tables_.size(); axis-- > 0;) {
      if (++position_[axis] < tables_[axis].size()) break;
      position_[axis] = 0;
    }
    return offset;
  }

 private:
  std::vector<index_t> strides_;
  std::vector<std::vector<index_t>> tables_;
  std::vector<std::size_t> position_;
};

/// Reads a tensor of shape `from` as if it had the shape `to` it broadcasts to.
inline strided_walk broadcast_walk(tensor_shape const& from, tensor_shape const& to) {
  auto const dense = dense_strides(from);
  std::vector<index_t> strides(to.size(), 0);
  for (std::size_t back = 1; back <= from.size(); ++back) {
    if (from[from.size() - back] != 1) strides[to.size() - back] = dense[from.size() - back];
  }
  return {to, std::move(strides)};
}

/// Extents after a permutation: axis k of the result is axis order[k] of the tensor.
inline tensor_shape permuted_shape(tensor_shape const& shape, std::vector<std::size_t> const& order) {
  tensor_shape result;
  for (std::size_t const axis : order) result.push_back(shape[axis]);
  return result;
}

/// Reads a tensor in the order of its permutation.
inline strided_walk permuted_walk(tensor_shape const& shape, std::vector<std::size_t> const& order) {
  auto const dense = dense_strides(shape);
  std::vector<index_t> strides;
  for (std::size_t const axis : order) strides.push_back(dense[axis]);
  return {permuted_shape(shape, order), std::move(strides)};
}

/// True if the permutation leaves the order of the elements as it is, because only axes of extent 1 change places.
inline bool keeps_order(tensor_shape const& shape, std::vector<std::size_t> const& order) {
  std::size_t last = 0;
  for (std::size_t const axis : order) {
    if (shape[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

/// The permutation that exchanges the last two axes of a tensor of this rank (>= 2).
inline std::vector<std::size_t> swap_last_axes(std::size_t rank) {
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[rank - 1], order[rank - 2]);
  return order;
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
