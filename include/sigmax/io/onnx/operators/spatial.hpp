// SPDX-License-Identifier: MIT
/// @file
/// The attributes of operators that slide a kernel or a window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// kernel_shape, strides, dilations, pads and auto_pad, one entry a spatial axis.
struct spatial_attributes {
  std::vector<index_t> kernel;
  std::vector<index_t> strides;
  std::vector<index_t> dilations;
  std::vector<index_t> pads_begin;
  std::vector<index_t> pads_end;
  /// "NOTSET", "VALID", "SAME_UPPER" or "SAME_LOWER".
  std::string auto_pad;
};

/// One entry a spatial axis. @throws format_error for another number of entries or one below `least`.
inline std::vector<index_t> spatial_list(operation& op, char const* name, std::size_t count, index_t otherwise,
                                         index_t least) {
  auto const given = op.attributes.integers(name);
  if (!given) return std::vector<index_t>(count, otherwise);
  if (given->size() != count) {
    throw format_error(op.where + ": attribute '" + name + "' has " + std::to_string(given->size()) + " entries for " +
                       std::to_string(count));
  }
  std::vector<index_t> result;
  for (std::int64_t const entry : *given) {
    if (entry < least || entry > (std::int64_t{1} << 31)) {
      throw format_error(op.where + ": attribute '" + name + "' holds " + std::to_string(entry));
    }
    result.push_back(static_cast<index_t>(entry));
  }
  return result;
}

/// Reads the attributes for an input of shape (N, C, extents). `kernel` may be given by the weights; else
/// attribute kernel_shape must be there. Without `dilated` the operator knows no dilations.
inline spatial_attributes read_spatial(operation& op, std::vector<index_t> kernel, bool dilated = true) {
  tensor_shape const& shape = op.shape(0);
  if (shape.size() < 3) {
    throw format_error(op.where + ": input has shape " + shape_text(shape) + "; it must have spatial axes behind two");
  }
  std::size_t const rank = shape.size() - 2;
  spatial_attributes result;
  result.kernel = spatial_list(op, "kernel_shape", rank, 0, 1);
  if (!kernel.empty() && result.kernel.front() != 0 && result.kernel != kernel) {
    throw format_error(op.where + ": attribute 'kernel_shape' differs from the shape of the weights");
  }
  if (!kernel.empty()) result.kernel = std::move(kernel);
  if (result.kernel.front() == 0) throw format_error(op.where + ": attribute 'kernel_shape' is missing");
  result.strides = spatial_list(op, "strides", rank, 1, 1);
  result.dilations = dilated ? spatial_list(op, "dilations", rank, 1, 1) : std::vector<index_t>(rank, 1);
  auto const pads = spatial_list(op, "pads", 2 * rank, 0, 0);
  auto const half = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  result.pads_begin.assign(pads.begin(), half);
  result.pads_end.assign(half, pads.end());
  result.auto_pad = op.attributes.text("auto_pad").value_or("NOTSET");
  if (result.auto_pad.empty()) result.auto_pad = "NOTSET";
  if (result.auto_pad != "NOTSET" && result.auto_pad != "VALID" && result.auto_pad != "SAME_UPPER" &&
      result.auto_pad != "SAME_LOWER") {
    throw format_error(op.where + ": attribute 'auto_pad' is " + in_quotes(result.auto_pad));
  }
  return result;
}

/// Puts the paddings that auto_pad means in place of pads, for a convolution or a pool of the input: SAME makes
/// ceil(extent / stride) outputs, an odd padding is larger at the end (UPPER) or the beginning (LOWER).
inline void resolve_auto_pad(operation const& op, spatial_attributes& attributes) {
  if (attributes.auto_pad == "NOTSET") return;
  for (std::size_t axis = 0; axis < attributes.kernel.size(); ++axis) {
    index_t total = 0;
    if (attributes.auto_pad != "VALID") {
      index_t const extent = op.shape(0)[axis + 2];
      index_t const stride = attributes.strides[axis];
      index_t const outputs = (extent + stride - 1) / stride;
      total = (outputs - 1) * stride + attributes.dilations[axis] * (attributes.kernel[axis] - 1) + 1 - extent;
      if (total < 0) total = 0;
    }
    index_t const less = total / 2;
    bool const upper = attributes.auto_pad == "SAME_UPPER";
    attributes.pads_begin[axis] = upper ? less : total - less;
    attributes.pads_end[axis] = upper ? total - less : less;
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
