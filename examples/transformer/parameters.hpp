// SPDX-License-Identifier: MIT
/// @file
/// What is learnt: named matrices, rows being outputs.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

#include "memory.hpp"
#include "model_shape.hpp"

namespace transformer {

template <class T, class Space = sigmax::host_space>
struct block_parameters {
  /// Heads one below the other: H d_k x d.
  matrix_in<T, Space> query, key, value;
  /// Heads side by side: d x H d_k.
  matrix_in<T, Space> output;
  /// H x context, or empty: what is added to the score of a key, column c of the key context - 1 - c tokens back.
  matrix_in<T, Space> position;
  /// mlp_width x d, d x mlp_width.
  matrix_in<T, Space> mlp_in, mlp_out;
};

/// Parameters, or gradients of them. Zero when made.
template <class T, class Space = sigmax::host_space>
struct parameters {
  /// V x d, a token a row.
  matrix_in<T, Space> embedding;
  std::vector<block_parameters<T, Space>> blocks;
  /// V x d.
  matrix_in<T, Space> head;

  /// In the memory of the backend.
  template <class Backend>
  parameters(Backend const& on, model_shape const& shape)
      : embedding(zeros<T>(on, shape.vocabulary, shape.width)), head(zeros<T>(on, shape.vocabulary, shape.width)) {
    index_t const d = shape.width;
    index_t const a = shape.attention_width();
    for (index_t i = 0; i < shape.blocks; ++i) {
      blocks.push_back({.query = zeros<T>(on, a, d),
                        .key = zeros<T>(on, a, d),
                        .value = zeros<T>(on, a, d),
                        .output = zeros<T>(on, d, a),
                        .position = zeros<T>(on, shape.heads, shape.position_bias ? shape.context : 0),
                        .mlp_in = zeros<T>(on, shape.mlp_width, d),
                        .mlp_out = zeros<T>(on, d, shape.mlp_width)});
    }
  }
  explicit parameters(model_shape const& shape) : parameters(sigmax::cpu::scalar(), shape) {}
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
    if (block.position.rows() * block.position.cols() > 0)
      f(prefix + "attention.position", weight_role::position_bias, block.position);
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
template <class Backend, class T>
void set_zero(Backend const& on, parameters<T, typename Backend::space>& all) {
  auto const clear = [&](auto& each) {
    if constexpr (in_device_memory<Backend>) {
      on.set_zero(each.view());
    } else {
      set_zero(each);
    }
  };
  clear(all.embedding);
  for (auto& block : all.blocks) {
    for (auto* const each :
         {&block.query, &block.key, &block.value, &block.output, &block.position, &block.mlp_in, &block.mlp_out}) {
      clear(*each);
    }
  }
  clear(all.head);
}

/// Of the same shape, in the memory of any two spaces; `on` is the backend of a device, if there is one.
template <class Backend, class From, class To>
void copy_parameters(Backend const& on, From const& from, To& to) {
  std::vector<decltype(&from.embedding)> sources;
  for_each_weight(from, [&](std::string const&, weight_role, auto const& each) { sources.push_back(&each); });
  std::size_t i = 0;
  for_each_weight(to, [&](std::string const&, weight_role, auto& each) {
    auto const& source = *sources[i++];
    using source_space = typename std::remove_cvref_t<decltype(source)>::space;
    using space = typename std::remove_cvref_t<decltype(each)>::space;
    if constexpr (std::same_as<source_space, space>) {
      each = source;
    } else if constexpr (std::same_as<space, sigmax::host_space>) {
      on.copy_to_host(source.view(), each.view());
    } else {
      on.copy_from_host(source.view(), each.view());
    }
  });
}

}  // namespace transformer
