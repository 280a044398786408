// SPDX-License-Identifier: MIT
/// @file
/// BatchNormalization at inference.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/convolution.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/convolution.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// y = scale (x - mean) / sqrt(variance + epsilon) + bias as factors and shifts that hold the exact numbers.
struct affine_channels {
  std::vector<interval> factors;
  std::vector<interval> shifts;
};

inline affine_channels read_normalization(operation& op, index_t count) {
  interval const epsilon(op.attributes.real("epsilon").value_or(double{1e-5f}));
  std::vector<std::vector<double>> numbers;
  for (std::size_t i = 1; i < 5; ++i) {
    if (!is_constant(op.input(i))) op.refuse("input " + std::to_string(i) + " is computed; it must be constant");
    numbers.push_back(op.graph.doubles(as_constant(op.input(i))));
    if (static_cast<index_t>(numbers.back().size()) != count) {
      throw format_error(op.where + ": input " + std::to_string(i) + " has " + std::to_string(numbers.back().size()) +
                         " elements; " + std::to_string(count) + " are needed");
    }
  }
  affine_channels result;
  for (std::size_t c = 0; c < numbers[0].size(); ++c) {
    interval const deviation = sqrt(interval(numbers[3][c]) + epsilon);
    interval const factor = numbers[0][c] == 0 ? interval(0.0) : interval(numbers[0][c]) / deviation;
    interval const shift = interval(numbers[1][c]) - factor * interval(numbers[2][c]);
    if (!(deviation.lower > 0) || !factor.is_bounded() || !shift.is_bounded()) {
      throw numeric_error(op.where + ": channel " + std::to_string(c) +
                          " has variance + epsilon that is not positive, " + "or numbers that are not finite");
    }
    result.factors.push_back(factor);
    result.shifts.push_back(shift);
  }
  return result;
}

/// The node without the numbers added behind a product, and those numbers.
struct bare_product {
  node_id node;
  std::vector<interval> bias;
};

inline bare_product without_bias(graph_builder& graph, node_id node, std::size_t channels) {
  auto const& at = graph.network()[node];
  std::vector<interval> bias(channels, interval(0.0));
  if (auto const* const shift = at.rule.as<lipschitz::rules::channel>(); shift != nullptr && !shift->multiplies()) {
    return shift->numbers().size() == channels ? bare_product{at.inputs[0], shift->numbers()}
                                               : bare_product{node, bias};
  }
  auto const* const added = at.rule.as<lipschitz::rules::add_constant>();
  if (added == nullptr || added->values().size() != channels) return {node, bias};
  for (std::size_t c = 0; c < channels; ++c) {
    bias[c] = interval(added->coefficient()) * interval(added->values()[c]);
  }
  return {at.inputs[0], bias};
}

/// A product of stored numbers with what the node reads, with the factors in it: the norm of the whole is never larger
/// than the product of the norms. Nothing if the node is no such product. The node itself stays for others who read it.
inline std::optional<node_id> folded(operation& op, node_id node, std::vector<interval> const& factors) {
  auto& graph = op.graph;
  auto const rule = graph.network()[node].rule;
  auto const inputs = graph.network()[node].inputs;
  std::string const name = graph.network()[node].name + "/normalized";
  if (auto const* const k = rule.as<lipschitz::rules::convolution>()) {
    return graph.add(k->followed_by(factors), inputs, name);
  }
  if (auto const* const k = rule.as<lipschitz::rules::transposed_convolution>()) {
    return graph.add(k->followed_by(factors), inputs, name);
  }
  auto const* const product = rule.as<lipschitz::rules::linear>();
  if (product == nullptr || graph.shape(node).size() != 2) return std::nullopt;
  std::vector<interval> gains;
  for (interval const factor : factors) gains.push_back(factor * interval(product->coefficient()));
  return graph.add(lipschitz::rules::convolution(product->matrix(), {}, {}, std::move(gains)), inputs, name);
}

inline graph_value import_batch_normalization(operation& op) {
  op.expect_inputs(5, 5);
  op.attributes.ignore("momentum");
  op.attributes.ignore("consumed_inputs");
  char const* const training = "training mode: the output depends on the batch; export the model for inference";
  // Before operator set 7 the attribute is_test chose, and its default was training.
  if (op.opset < 7 && !op.attributes.flag("is_test", false)) op.refuse(training);
  if (op.opset >= 14 && op.attributes.flag("training_mode", false)) op.refuse(training);
  // Between them the outputs beside the first did: they are there in training.
  for (int i = 1; i < op.node.output_size(); ++i) {
    if (!op.node.output(i).empty()) op.refuse(training);
  }
  bool const of_channels = op.opset >= 9 || op.attributes.flag("spatial", true);
  int const type = op.opset < 14 ? op.real_type() : data_type_of(op.input(0));
  auto& graph = op.graph;
  tensor_shape const shape = op.shape(0);
  if (shape.size() < 2 && op.opset < 9) throw format_error(op.where + ": input has shape " + shape_text(shape));
  // (N, C, ..); a vector has one channel.
  index_t const channels = shape.size() < 2 ? 1 : shape[1];
  index_t plane = shape.size() < 2 ? lipschitz::element_count(shape) : plane_of(shape);
  index_t const count = of_channels ? channels : channels * plane;
  if (!of_channels) plane = 1;
  auto affine = read_normalization(op, count);
  node_id node = graph.node_of(op.input(0));
  if (of_channels) {
    auto const [product, bias] = without_bias(graph, node, static_cast<std::size_t>(channels));
    if (auto const together = folded(op, product, affine.factors)) {
      for (std::size_t c = 0; c < bias.size(); ++c) affine.shifts[c] += affine.factors[c] * bias[c];
      return computed{
          graph.add(lipschitz::rules::channel::shift(std::move(affine.shifts), plane), {*together}, op.name), type};
    }
  }
  node = graph.add(lipschitz::rules::channel::scale(std::move(affine.factors), plane), {node}, op.name + "/scale");
  return computed{graph.add(lipschitz::rules::channel::shift(std::move(affine.shifts), plane), {node}, op.name), type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
