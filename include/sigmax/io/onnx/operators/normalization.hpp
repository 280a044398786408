// SPDX-License-Identifier: MIT
/// @file
/// LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization, LpNormalization,
/// MeanVarianceNormalization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/shape.hpp>
#include <sigmax/lipschitz/rewrite/reductions.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/normalization.hpp>
#include <sigmax/lipschitz/rules/radial_divisor.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// Adds the rule behind input 0.
inline graph_value normalized_input(operation& op, lipschitz::rules::normalization_options options) {
  int const type = data_type_of(op.input(0));
  if (!is_real_type(type)) op.refuse("the input is of type " + data_type_name(type) + "; it must be real");
  node_id const x = op.graph.node_of(op.input(0));
  return computed{op.graph.add(lipschitz::rules::normalization(std::move(options)), {x}, op.name), type};
}

/// A constant input as it repeats over input 0; `shape` is how it is to be read.
inline std::vector<double> repeated_parameter(operation& op, std::size_t i, char const* meaning, tensor_shape shape) {
  if (!is_constant(op.input(i))) op.refuse(std::string(meaning) + " is computed; it must be constant");
  constant const& c = as_constant(op.input(i));
  if (lipschitz::element_count(shape) != c.size()) {
    throw format_error(op.where + ": " + meaning + " has shape " + shape_text(c.shape) + "; it must have " +
                       std::to_string(lipschitz::element_count(shape)) + " elements");
  }
  constant const as_read = c.reshaped(std::move(shape));
  if (broadcast_shape(as_read.shape, op.shape(0), op.where) != op.shape(0)) {
    throw format_error(op.where + ": " + meaning + " of shape " + shape_text(c.shape) +
                       " does not fit the input of shape " + shape_text(op.shape(0)));
  }
  return op.graph.repeating_doubles(as_read, op.shape(0));
}

/// Axes from the given one to the last, a gain, a bias.
inline graph_value import_normalization_of_last_axes(operation& op, bool centred) {
  op.expect_inputs(2, centred ? 3 : 2);
  op.attributes.ignore("stash_type");  // the type runtimes compute in
  std::size_t const rank = op.shape(0).size();
  auto const axis = checked_axis(op.attributes.integer("axis").value_or(-1), rank, op.where);
  lipschitz::rules::normalization_options options{.axes = {static_cast<index_t>(axis), -1}, .centred = centred};
  options.divisor.epsilon = op.attributes.real("epsilon").value_or(double{1e-5f});
  options.operator_name = centred ? "layer_normalization" : "rms_normalization";
  options.gain = repeated_parameter(op, 1, "the scale", op.shape(1));
  if (op.optional_input(2) != nullptr) options.bias = repeated_parameter(op, 2, "the bias", op.shape(2));
  return normalized_input(op, std::move(options));
}
inline graph_value import_layer_normalization(operation& op) { return import_normalization_of_last_axes(op, true); }
inline graph_value import_rms_normalization(operation& op) { return import_normalization_of_last_axes(op, false); }

/// Parts of the axis of channels, the second, with all axes behind it.
inline lipschitz::rules::normalization_options normalized_channels(operation& op, index_t groups) {
  tensor_shape const& shape = op.shape(0);
  if (groups < 1 || shape[1] % groups != 0) {
    throw format_error(op.where + ": " + std::to_string(shape[1]) + " channels in " + std::to_string(groups) +
                       " groups; they must be equal parts");
  }
  lipschitz::rules::normalization_options options{.axes = {1, -1, groups}, .centred = true};
  options.divisor.epsilon = op.attributes.real("epsilon").value_or(double{1e-5f});
  return options;
}

/// One value for each group, each repeated over its channels and what is behind them.
inline std::vector<double> repeated_groups(operation& op, std::size_t i, char const* meaning, index_t groups) {
  if (!is_constant(op.input(i))) op.refuse(std::string(meaning) + " is computed; it must be constant");
  constant const& c = as_constant(op.input(i));
  if (c.size() != groups) {
    throw format_error(op.where + ": " + meaning + " has " + std::to_string(c.size()) + " elements for " +
                       std::to_string(groups) + " groups");
  }
  tensor_shape const& shape = op.shape(0);
  index_t const each = lipschitz::element_count({shape.begin() + 1, shape.end()}) / groups;
  auto const wide = op.graph.broadcast(c.reshaped({groups, 1}), {groups, each});
  return op.graph.doubles(wide);
}

inline graph_value import_group_normalization(operation& op) {
  op.expect_inputs(3, 3);
  op.attributes.ignore("stash_type");
  auto const groups = op.attributes.integer("num_groups");
  if (!groups) throw format_error(op.where + ": attribute 'num_groups' is missing");
  if (op.shape(0).size() < 2) throw format_error(op.where + ": the input has no axis of channels");
  auto options = normalized_channels(op, static_cast<index_t>(*groups));
  options.operator_name = "group_normalization";
  // One value a group in operator set 18, one a channel since 21.
  index_t const values = op.opset < 21 ? static_cast<index_t>(*groups) : op.shape(0)[1];
  options.gain = repeated_groups(op, 1, "the scale", values);
  options.bias = repeated_groups(op, 2, "the bias", values);
  return normalized_input(op, std::move(options));
}

inline graph_value import_instance_normalization(operation& op) {
  op.expect_inputs(3, 3);
  op.attributes.ignore("consumed_inputs");
  if (op.shape(0).size() < 2) throw format_error(op.where + ": the input has no axis of channels");
  index_t const channels = op.shape(0)[1];
  auto options = normalized_channels(op, channels);
  options.operator_name = "instance_normalization";
  options.gain = repeated_groups(op, 1, "the scale", channels);
  options.bias = repeated_groups(op, 2, "the bias", channels);
  return normalized_input(op, std::move(options));
}

/// x / ||x||_2 along an axis: finite bounds only away from 0.
inline graph_value import_lp_normalization(operation& op) {
  op.expect_inputs(1, 1);
  auto const axis = checked_axis(op.attributes.integer("axis").value_or(-1), op.shape(0).size(), op.where);
  std::int64_t const p = op.attributes.integer("p").value_or(2);
  if (p != 2) op.refuse("attribute 'p' is " + std::to_string(p) + "; only 2 is supported");
  auto const at = static_cast<index_t>(axis);
  return normalized_input(
      op, {.axes = {at, at}, .root_mean_square = false, .divisor = {}, .operator_name = "l2_normalization"});
}

/// (x - mean) / (sqrt(variance) + 1e-9), as the function of the operator's specification says.
inline graph_value import_mean_variance_normalization(operation& op) {
  op.expect_inputs(1, 1);
  auto const axes = op.attributes.integers("axes").value_or(std::vector<std::int64_t>{0, 2, 3});
  auto const marked = marked_axes(op, axes, op.shape(0).size());
  std::vector<bool> wide = marked;
  for (std::size_t axis = 0; axis < wide.size(); ++axis) wide[axis] = wide[axis] && op.shape(0)[axis] != 1;
  auto const range = lipschitz::rewrite::neighbouring(wide, op.shape(0));
  if (!range) op.refuse("the normalised axes must be neighbours, with more than one element");
  return normalized_input(op, {.axes = *range,
                               .centred = true,
                               .divisor = {lipschitz::rules::radial_divisor::form::sum, double{1e-9f}},
                               .operator_name = "mean_variance_normalization"});
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
