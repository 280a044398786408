// SPDX-License-Identifier: MIT
/// @file
/// Conv, ConvTranspose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/spatial.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Elements of a channel of a node of shape (N, C, extents).
inline index_t plane_of(tensor_shape const& shape) {
  return lipschitz::element_count({shape.begin() + 2, shape.end()});
}

/// The stored weights of a convolution as a matrix, and what the options must say.
template <class Rule>
graph_value convolved(operation& op, lipschitz::rules::convolution_options const& options,
                      std::vector<index_t> const& kernel, int type) {
  constant const& w = as_constant(op.input(1));
  index_t const rows = w.shape[0];
  if (w.size() == 0) throw format_error(op.where + ": the weights have shape " + shape_text(w.shape));
  index_t const cols = w.size() / rows;
  auto& graph = op.graph;
  node_id node = 0;
  index_t channels = 0;
  try {
    Rule rule(w.as_weight(rows, cols, cols, 1), kernel, options);
    channels = rule.out_channels();
    node = graph.add(std::move(rule), {graph.node_of(op.input(0))}, op.name);
  } catch (shape_error const& problem) {
    throw format_error(op.where + ": " + problem.what());
  } catch (domain_error const& problem) {
    throw format_error(op.where + ": " + problem.what());
  }
  graph_value const* const bias = op.optional_input(2);
  if (bias == nullptr) return computed{node, type};
  if (!is_constant(*bias)) op.refuse("the bias is computed; it must be constant");
  if (graph.shape(*bias) != tensor_shape{channels}) {
    throw format_error(op.where + ": the bias has shape " + shape_text(graph.shape(*bias)) + " for " +
                       std::to_string(channels) + " channels");
  }
  auto const values = graph.doubles(as_constant(*bias));
  index_t const plane = plane_of(graph.shape(node));
  return computed{
      graph.add(lipschitz::rules::channel::shift({values.begin(), values.end()}, plane), {node}, op.name + "/bias"),
      type};
}

/// @throws what both convolutions do for their inputs.
inline std::vector<index_t> kernel_of_weights(operation const& op) {
  op.expect_inputs(2, 3);
  if (!is_constant(op.input(1))) op.refuse("the weights are computed; they must be constant");
  tensor_shape const& shape = as_constant(op.input(1)).shape;
  if (shape.size() != op.shape(0).size() || shape.size() < 3) {
    throw format_error(op.where + ": input has shape " + shape_text(op.shape(0)) + ", the weights " +
                       shape_text(shape) + "; both must have the same number of axes, 3 at least");
  }
  return {shape.begin() + 2, shape.end()};
}

inline graph_value import_conv(operation& op) {
  auto attributes = read_spatial(op, kernel_of_weights(op));
  int const type = op.real_type();
  std::int64_t const groups = op.attributes.integer("group").value_or(1);
  resolve_auto_pad(op, attributes);
  return convolved<lipschitz::rules::convolution>(op,
                                                  {.strides = attributes.strides,
                                                   .dilations = attributes.dilations,
                                                   .pads_begin = attributes.pads_begin,
                                                   .pads_end = attributes.pads_end,
                                                   .groups = static_cast<index_t>(groups)},
                                                  attributes.kernel, type);
}

/// The paddings of a transposed convolution come from pads, or from the wanted output (output_shape, auto_pad SAME); of an
/// odd total the versions of ONNX disagree on the longer end, so that is refused.
inline graph_value import_conv_transpose(operation& op) {
  auto attributes = read_spatial(op, kernel_of_weights(op));
  int const type = op.real_type();
  std::int64_t const groups = op.attributes.integer("group").value_or(1);
  std::size_t const rank = attributes.kernel.size();
  auto const output_padding = spatial_list(op, "output_padding", rank, 0, 0);
  auto const wanted = spatial_list(op, "output_shape", rank, 0, 0);
  bool const same = attributes.auto_pad == "SAME_UPPER" || attributes.auto_pad == "SAME_LOWER";
  for (std::size_t axis = 0; axis < rank; ++axis) {
    index_t const extent = op.shape(0)[axis + 2];
    if (extent > (index_t{1} << 31)) throw format_error(op.where + ": an extent is " + std::to_string(extent));
    index_t const output = wanted[axis] > 0 ? wanted[axis] : same ? extent * attributes.strides[axis] : 0;
    if (output == 0) {
      if (attributes.auto_pad == "VALID") attributes.pads_begin[axis] = attributes.pads_end[axis] = 0;
      continue;
    }
    index_t const total = (extent - 1) * attributes.strides[axis] + output_padding[axis] +
                          attributes.dilations[axis] * (attributes.kernel[axis] - 1) + 1 - output;
    if (total < 0 || total % 2 != 0) {
      op.refuse("an output of " + std::to_string(output) + " takes a total padding of " + std::to_string(total) +
                ", which is negative or odd; export the model with explicit pads");
    }
    attributes.pads_begin[axis] = attributes.pads_end[axis] = total / 2;
  }
  return convolved<lipschitz::rules::transposed_convolution>(op,
                                                             {.strides = attributes.strides,
                                                              .dilations = attributes.dilations,
                                                              .pads_begin = attributes.pads_begin,
                                                              .pads_end = attributes.pads_end,
                                                              .groups = static_cast<index_t>(groups),
                                                              .output_padding = output_padding},
                                                             attributes.kernel, type);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
