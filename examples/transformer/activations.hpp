// SPDX-License-Identifier: MIT
/// @file
/// Everything between tokens and logits, allocated once and used for every batch.
#pragma once

#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>

#include "attention.hpp"
#include "mlp.hpp"
#include "model_shape.hpp"

namespace transformer {

/// Of B sequences of `length` tokens, N = B length.
template <class T>
class activations {
 public:
  activations(model_shape const& shape, index_t sequences, index_t length)
      : logits(sequences * length, shape.vocabulary),
        losses(sequences * length),
        correct(sequences * length),
        d_stream(sequences * length, shape.width),
        d_stream_before(sequences * length, shape.width),
        d_attention(sequences, length, shape),
        d_hidden(sequences * length, shape.mlp_width),
        length_(length) {
    index_t const tokens = sequences * length;
    for (index_t i = 0; i <= shape.residuals(); ++i) {
      stream.emplace_back(tokens, shape.width);
      factors.emplace_back(tokens);
    }
    for (index_t i = 0; i < shape.blocks; ++i) {
      attention.emplace_back(sequences, length, shape);
      mlp.emplace_back(tokens, shape);
    }
  }

  index_t tokens() const { return logits.rows(); }
  index_t length() const { return length_; }

  /// The residual stream, N x d: after the embedding, and after each residual.
  std::vector<sigmax::matrix<T>> stream;
  /// By what the projection on the ball multiplied each token of the stream.
  std::vector<sigmax::vector<T>> factors;
  std::vector<attention_activations<T>> attention;
  std::vector<mlp_activations<T>> mlp;
  /// N x V: the logits, scale included; after `cross_entropy_loss` their derivatives.
  sigmax::matrix<T> logits;
  /// Of each token: its loss, and 1 if it was predicted, else 0.
  sigmax::vector<T> losses, correct;

  /// Derivatives by the stream after a layer and before it, and by what is inside of a layer.
  sigmax::matrix<T> d_stream, d_stream_before;
  attention_activations<T> d_attention;
  sigmax::matrix<T> d_hidden;
  /// What products pack into.
  sigmax::workspace memory;

 private:
  index_t length_;
};

/// The largest magnitude of any number the forward pass has left: stream, queries, keys, values and their means, hidden
/// layers; +infinity if one is not finite. Without the logits.
template <class Backend, class T>
T largest_activation(Backend const& on, activations<T> const& all) {
  T largest(0);
  auto const look_at = [&](sigmax::matrix<T> const& x) {
    T const here = T(on.max_abs(x.view()));
    if (largest < here) largest = here;
  };
  for (auto const& each : all.stream) look_at(each);
  for (auto const& each : all.attention) {
    look_at(each.query);
    look_at(each.key);
    look_at(each.value);
    look_at(each.mixed);
  }
  for (auto const& each : all.mlp) look_at(each.hidden);
  return largest;
}

}  // namespace transformer
