// SPDX-License-Identifier: MIT
/// @file
/// Everything between tokens and logits, allocated once and used for every batch.
#pragma once

#include <algorithm>
#include <vector>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>

#include "attention.hpp"
#include "memory.hpp"
#include "mlp.hpp"
#include "model_shape.hpp"

namespace transformer {

/// Of B sequences of `length` tokens, N = B length.
template <class T, class Space = sigmax::host_space>
class activations {
 public:
  /// In the memory of the backend.
  template <class Backend>
  activations(Backend const& on, model_shape const& shape, index_t sequences, index_t length)
      : logits(zeros<T>(on, sequences * length, shape.vocabulary)),
        losses(sequences * length),
        correct(sequences * length),
        d_stream(zeros<T>(on, sequences * length, shape.width)),
        d_stream_before(zeros<T>(on, sequences * length, shape.width)),
        d_attention(on, sequences, length, shape),
        d_hidden(zeros<T>(on, sequences * length, shape.mlp_width)),
        length_(length) {
    index_t const tokens = sequences * length;
    for (index_t i = 0; i <= shape.residuals(); ++i) {
      stream.push_back(zeros<T>(on, tokens, shape.width));
      factors.push_back(zeros<T>(on, tokens, 1));
    }
    for (index_t i = 0; i < shape.blocks; ++i) {
      attention.emplace_back(on, sequences, length, shape);
      mlp.emplace_back(on, tokens, shape);
    }
  }
  activations(model_shape const& shape, index_t sequences, index_t length)
      : activations(sigmax::cpu::scalar(), shape, sequences, length) {}

  index_t tokens() const { return logits.rows(); }
  index_t length() const { return length_; }

  /// The residual stream, N x d: after the embedding, and after each residual.
  std::vector<matrix_in<T, Space>> stream;
  /// By what the projection on the ball multiplied each token of the stream, N x 1.
  std::vector<matrix_in<T, Space>> factors;
  std::vector<attention_activations<T, Space>> attention;
  std::vector<mlp_activations<T, Space>> mlp;
  /// N x V: the logits, scale included; after `cross_entropy_loss` their derivatives.
  matrix_in<T, Space> logits;
  /// Of each token, on the host: its loss, and 1 if it was predicted, else 0.
  sigmax::vector<T> losses, correct;

  /// Derivatives by the stream after a layer and before it, and by what is inside of a layer.
  matrix_in<T, Space> d_stream, d_stream_before;
  attention_activations<T, Space> d_attention;
  matrix_in<T, Space> d_hidden;
  /// What products pack into.
  sigmax::workspace memory;

 private:
  index_t length_;
};

/// The largest magnitudes in what products of the forward pass read; +infinity where a number is not finite.
struct activation_maxima {
  /// The residual stream; queries and keys after rotation; values; their means; hidden layers of MLPs.
  double stream = 0, query = 0, key = 0, value = 0, mixed = 0, hidden = 0;

  double largest() const { return std::max({stream, query, key, value, mixed, hidden}); }
};

/// f(name, maximum) for all of them.
template <class Maxima, class F>
void for_each_maximum(Maxima& all, F const& f) {
  f("stream", all.stream);
  f("query", all.query);
  f("key", all.key);
  f("value", all.value);
  f("mixed", all.mixed);
  f("hidden", all.hidden);
}

/// Of what the forward pass has left.
template <class Backend, class T, class Space>
activation_maxima largest_activations(Backend const& on, activations<T, Space> const& all) {
  activation_maxima result;
  auto const look_at = [&](matrix_in<T, Space> const& x, double& largest) {
    largest = std::max(largest, static_cast<double>(on.max_abs(x.view())));
  };
  for (auto const& each : all.stream) look_at(each, result.stream);
  for (auto const& each : all.attention) {
    look_at(each.query, result.query);
    look_at(each.key, result.key);
    look_at(each.value, result.value);
    look_at(each.mixed, result.mixed);
  }
  for (auto const& each : all.mlp) look_at(each.hidden, result.hidden);
  return result;
}

}  // namespace transformer
