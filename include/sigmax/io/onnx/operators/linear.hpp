// SPDX-License-Identifier: MIT
/// @file
/// Gemm and MatMul.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/matrix_product.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// alpha op(A) op(B): m x n, with one of A and B constant.
inline node_id gemm_product(operation& op, double alpha, bool trans_a, bool trans_b) {
  auto& graph = op.graph;
  for (std::size_t i = 0; i < 2; ++i) {
    if (op.shape(i).size() != 2) {
      throw format_error(op.where + ": input " + std::to_string(i) + " has shape " + shape_text(op.shape(i)) +
                         "; it must be a matrix");
    }
  }
  if (is_constant(op.input(1))) {
    // Row i of the result is alpha op(B)^T times row i of op(A). B: k x n as stored, or n x k with transB.
    constant const& b = as_constant(op.input(1));
    index_t const k = b.shape[trans_b ? 1 : 0];
    index_t const n = b.shape[trans_b ? 0 : 1];
    auto w = trans_b ? b.as_weight(n, k, k, 1) : b.as_weight(n, k, 1, n);
    node_id a = graph.node_of(op.input(0));
    if (trans_a) a = graph.permute(a, {1, 0}, op.name + "/transpose_a");
    return graph.add(lipschitz::rules::linear(std::move(w), alpha), {a}, op.name);
  }
  if (!is_constant(op.input(0))) {
    node_id a = graph.node_of(op.input(0));
    node_id b = graph.node_of(op.input(1));
    if (trans_a) a = graph.permute(a, {1, 0}, op.name + "/transpose_a");
    if (trans_b) b = graph.permute(b, {1, 0}, op.name + "/transpose_b");
    node_id const product = graph.add(lipschitz::rules::matrix_product(), {a, b}, op.name);
    return alpha == 1 ? product : graph.add(lipschitz::rules::scale({alpha}), {product}, op.name + "/alpha");
  }
  // Column j of the result is alpha op(A) times column j of op(B). A: m x k as stored, or k x m with transA.
  constant const& a = as_constant(op.input(0));
  index_t const m = a.shape[trans_a ? 1 : 0];
  index_t const k = a.shape[trans_a ? 0 : 1];
  auto w = trans_a ? a.as_weight(m, k, 1, m) : a.as_weight(m, k, k, 1);
  node_id b = graph.node_of(op.input(1));
  if (!trans_b) b = graph.permute(b, {1, 0}, op.name + "/columns");
  node_id const product = graph.add(lipschitz::rules::linear(std::move(w), alpha), {b}, op.name);
  return graph.permute(product, {1, 0}, op.name + "/rows");
}

/// y = alpha op(A) op(B) + beta C.
inline graph_value import_gemm(operation& op) {
  op.expect_inputs(op.opset < 11 ? 3 : 2, 3);
  int const type = op.real_type();
  double const alpha = op.attributes.real("alpha").value_or(1.0);
  double const beta = op.attributes.real("beta").value_or(1.0);
  bool const trans_a = op.attributes.flag("transA", false);
  bool const trans_b = op.attributes.flag("transB", false);
  bool const broadcasts = op.opset >= 7 || op.attributes.flag("broadcast", false);
  auto& graph = op.graph;
  node_id const product = gemm_product(op, alpha, trans_a, trans_b);
  graph_value const* const c = op.optional_input(2);
  if (c == nullptr) return computed{product, type};

  tensor_shape const shape = graph.shape(product);
  if (graph.shape(*c) != shape && (!broadcasts || broadcast_shape(graph.shape(*c), shape, op.where) != shape)) {
    throw format_error(op.where + ": C has shape " + shape_text(graph.shape(*c)) + ", the product " +
                       shape_text(shape) +
                       (broadcasts ? "; C cannot be broadcast to it" : "; they must be equal without broadcast"));
  }
  if (is_constant(*c)) {
    auto values = graph.repeating_doubles(as_constant(*c), shape);
    return computed{graph.add(lipschitz::rules::add_constant(std::move(values), beta), {product}, op.name + "/bias"),
                    type};
  }
  node_id const added = graph.broadcast(std::get<computed>(*c).node, shape, op.name + "/c");
  return computed{graph.add(lipschitz::rules::weighted_sum({1.0, beta}), {product, added}, op.name + "/sum"), type};
}

/// numpy's matmul of two tensors that are computed, or of stacks of matrices: vectors become matrices of one row or
/// column, whose axis is dropped afterwards.
inline graph_value matrix_product(operation& op, int type) {
  auto& graph = op.graph;
  node_id a = graph.node_of(op.input(0));
  node_id b = graph.node_of(op.input(1));
  bool const row = graph.shape(a).size() == 1;
  bool const column = graph.shape(b).size() == 1;
  if (row) a = graph.reshape(a, {1, graph.shape(a)[0]}, op.name + "/row");
  if (column) b = graph.reshape(b, {graph.shape(b)[0], 1}, op.name + "/column");
  node_id const product = graph.add(lipschitz::rules::matrix_product(), {a, b}, op.name);
  tensor_shape shape = graph.shape(product);
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return computed{graph.reshape(product, shape, op.name + "/shape"), type};
}

/// numpy's matmul; of a computed tensor with a constant matrix or vector on one side a linear map.
inline graph_value import_matmul(operation& op) {
  op.expect_inputs(2, 2);
  int const type = op.real_type();
  auto& graph = op.graph;
  if (op.shape(0).empty() || op.shape(1).empty()) throw format_error(op.where + ": an input is a scalar");
  bool const right = is_constant(op.input(1));
  if (!right && !is_constant(op.input(0))) return matrix_product(op, type);
  constant const& stored = as_constant(op.input(right ? 1 : 0));

  // The constant as rows x cols; a vector is a column on the right and a row on the left. Leading axes must be 1.
  tensor_shape const& s = stored.shape;
  bool const vector = s.size() == 1;
  index_t const rows = vector ? (right ? s[0] : 1) : s[s.size() - 2];
  index_t const cols = vector ? (right ? 1 : s[0]) : s[s.size() - 1];
  if (rows * cols != stored.size()) return matrix_product(op, type);
  node_id data = graph.node_of(op.input(right ? 0 : 1));
  auto w = right ? stored.as_weight(cols, rows, 1, cols) : stored.as_weight(rows, cols, cols, 1);

  // What is multiplied must be the last axis: with the constant on the left it is the last but one.
  bool const data_is_vector = graph.shape(data).size() == 1;
  bool const columns = !right && !data_is_vector;
  auto const swap = [&](char const* part) {
    data = graph.permute(data, swap_last_axes(graph.shape(data).size()), op.name + part);
  };
  if (columns) swap("/columns");
  data = graph.add(lipschitz::rules::linear(std::move(w)), {data}, op.name);
  if (columns) swap("/rows");

  tensor_shape shape = graph.shape(data);
  if (vector) shape.erase(shape.end() - (columns ? 2 : 1));
  // Leading axes of the constant that the data does not have.
  std::size_t const rank = s.size() > 2 ? s.size() - (data_is_vector ? 1u : 0u) : 0;
  if (shape.size() < rank) shape.insert(shape.begin(), rank - shape.size(), 1);
  return computed{graph.reshape(data, shape, op.name + "/shape"), type};
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
