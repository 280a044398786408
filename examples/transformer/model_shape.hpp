// SPDX-License-Identifier: MIT
/// @file
/// The extents of the transformer: said here, and nowhere else.
#pragma once

#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

namespace transformer {

using sigmax::index_t;

/// V = vocabulary, d = width of the residual stream, H = heads of d_k = key_width each, T = context.
struct model_shape {
  index_t vocabulary = 256;
  index_t width = 64;
  index_t blocks = 2;
  index_t heads = 2;
  index_t key_width = 32;
  index_t mlp_width = 256;
  index_t context = 64;
  /// A number for each head and distance of two tokens is learnt, which is added to their score.
  bool position_bias = false;

  bool operator==(model_shape const&) const = default;

  /// Columns of the queries, keys and values of all heads: H d_k.
  constexpr index_t attention_width() const { return heads * key_width; }
  /// Additions to the residual stream: an attention and an MLP in each block.
  constexpr index_t residuals() const { return 2 * blocks; }
  /// Of one attention.
  constexpr index_t position_biases() const { return position_bias ? heads * context : 0; }
  /// Numbers that are learnt.
  constexpr index_t parameters() const {
    return 2 * vocabulary * width +
           blocks * (4 * attention_width() * width + 2 * mlp_width * width + position_biases());
  }
  /// Multiplications and additions of the forward and backward pass for one token of a full context: 6 for each
  /// parameter of a product (the embedding is none), and causal attention, of whose T x T products half is needed.
  constexpr double training_flops_per_token() const {
    auto const products = static_cast<double>(parameters() - vocabulary * width - blocks * position_biases());
    return 6 * products + 6.0 * static_cast<double>(blocks * attention_width() * context);
  }
};

/// @throws shape_error if an extent is not positive or d_k, which RoPE rotates in pairs, is odd.
inline void check(model_shape const& shape) {
  auto const positive = [](char const* name, index_t extent) {
    if (extent < 1) {
      sigmax::detail::raise<sigmax::shape_error>({"model_shape: ", name, " is ", extent, "; it must be positive"});
    }
  };
  positive("vocabulary", shape.vocabulary);
  positive("width", shape.width);
  positive("blocks", shape.blocks);
  positive("heads", shape.heads);
  positive("key_width", shape.key_width);
  positive("mlp_width", shape.mlp_width);
  positive("context", shape.context);
  if (shape.key_width % 2 != 0) {
    sigmax::detail::raise<sigmax::shape_error>(
        {"model_shape: key_width is ", shape.key_width, "; rotary embedding needs an even one"});
  }
}

}  // namespace transformer
