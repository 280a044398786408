// SPDX-License-Identifier: MIT
/// @file
/// What is learnt: named matrices, rows being outputs.
#pragma once

#include <string>
#include <vector>

#include <sigmax/core/matrix.hpp>

#include "model_shape.hpp"

namespace transformer {

template <class T>
struct block_parameters {
  /// Heads one below the other: H d_k x d.
  sigmax::matrix<T> query, key, value;
  /// Heads side by side: d x H d_k.
  sigmax::matrix<T> output;
  /// H x context, or empty: what is added to the score of a key, column c of the key context - 1 - c tokens back.
  sigmax::matrix<T> position;
  /// mlp_width x d, d x mlp_width.
  sigmax::matrix<T> mlp_in, mlp_out;
};

/// Parameters, or gradients of them. Zero when made.
template <class T>
struct parameters {
  /// V x d, a token a row.
  sigmax::matrix<T> embedding;
  std::vector<block_parameters<T>> blocks;
  /// V x d.
  sigmax::matrix<T> head;

  explicit parameters(model_shape const& shape)
      : embedding(shape.vocabulary, shape.width), head(shape.vocabulary, shape.width) {
    index_t const d = shape.width;
    index_t const a = shape.attention_width();
    for (index_t i = 0; i < shape.blocks; ++i) {
      blocks.push_back({.query = sigmax::matrix<T>(a, d),
                        .key = sigmax::matrix<T>(a, d),
                        .value = sigmax::matrix<T>(a, d),
                        .output = sigmax::matrix<T>(d, a),
                        .position = sigmax::matrix<T>(shape.heads, shape.position_bias ? shape.context : 0),
                        .mlp_in = sigmax::matrix<T>(shape.mlp_width, d),
                        .mlp_out = sigmax::matrix<T>(d, shape.mlp_width)});
    }
  }
};

/// What a matrix is for; optimizers and constraints treat them differently.
enum class weight_role { embedding, query, key, value, attention_output, position_bias, mlp_in, mlp_out, head };

/// A linear map that tokens pass through: what spectra, norms and caps are of.
constexpr bool is_map(weight_role role) { return role != weight_role::embedding && role != weight_role::position_bias; }

/// f(name, role, matrix) for every matrix, in the order of the forward pass. Names are those of checkpoints.
template <class Parameters, class F>
void for_each_weight(Parameters& all, F const& f) {
  f(std::string("embedding"), weight_role::embedding, all.embedding);
  for (std::size_t i = 0; i < all.blocks.size(); ++i) {
    auto& block = all.blocks[i];
    std::string const prefix = "blocks." + std::to_string(i) + ".";
    f(prefix + "attention.query", weight_role::query, block.query);
    f(prefix + "attention.key", weight_role::key, block.key);
    f(prefix + "attention.value", weight_role::value, block.value);
    f(prefix + "attention.output", weight_role::attention_output, block.output);
    if (block.position.size() > 0) f(prefix + "attention.position", weight_role::position_bias, block.position);
    f(prefix + "mlp.in", weight_role::mlp_in, block.mlp_in);
    f(prefix + "mlp.out", weight_role::mlp_out, block.mlp_out);
  }
  f(std::string("head"), weight_role::head, all.head);
}

template <class T>
void set_zero(sigmax::matrix<T>& m) {
  for (index_t i = 0; i < m.size(); ++i) m.data()[i] = T(0);
}

/// Allocates nothing.
template <class T>
void set_zero(parameters<T>& all) {
  set_zero(all.embedding);
  for (auto& block : all.blocks) {
    set_zero(block.query);
    set_zero(block.key);
    set_zero(block.value);
    set_zero(block.output);
    set_zero(block.position);
    set_zero(block.mlp_in);
    set_zero(block.mlp_out);
  }
  set_zero(all.head);
}

}  // namespace transformer
