// SPDX-License-Identifier: MIT
/// @file
/// The Lipschitz transformer (Newhouse et al., arXiv 2507.13338): no normalisation, no biases, convex residuals.
///
///     x <- E[tokens];  then, block by block,
///     x <- P((1 - alpha) x + alpha gain W_O concat_h(softmax(tau rope(q_h) rope(k_h)^T + b_h, causal) v_h))
///     x <- P((1 - alpha) x + alpha W_out GELU(W_in x) / 1.129)
///     logits = logit_scale W_head x
///
/// with b_h,ij a number for each distance i - j, learnt or 0 (model_shape), P the projection of every token on a ball, or nothing (model_options). Forward and backward stand side by side in
/// the file of each layer. Once the workspace of the activations has grown, nothing here allocates.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>

#include "activations.hpp"
#include "attention.hpp"
#include "ball.hpp"
#include "embedding.hpp"
#include "linear.hpp"
#include "memory.hpp"
#include "mlp.hpp"
#include "model_options.hpp"
#include "parameters.hpp"
#include "pointwise.hpp"

namespace transformer {

template <class T, class Space = sigmax::host_space>
struct model {
  model_shape shape;
  model_options options;
  attention_setting<T, Space> attention;

  /// For sequences of `length` tokens, at most the context; its tables in the memory of the backend.
  template <class Backend>
  model(Backend const& on, model_shape const& of, model_options const& with, index_t length)
      : shape(of),
        options(with),
        attention{.length = length,
                  .heads = of.heads,
                  .scale = T(with.scale_of_attention(of)),
                  .gain = T(T(with.alpha(of)) * T(with.attention_gain)),
                  .alpha = T(with.alpha(of)),
                  .rotation = {on, length, of.key_width}} {
    check(shape);
    check(options, shape);
    if (length < 1 || length > shape.context) {
      sigmax::detail::raise<sigmax::shape_error>(
          {"model: length is ", length, "; it must be positive and at most the context, ", shape.context});
    }
  }
  model(model_shape const& of, model_options const& with, index_t length)
      : model(sigmax::cpu::scalar(), of, with, length) {}
  model(model_shape const& of, model_options const& with) : model(of, with, of.context) {}

  T alpha() const { return attention.alpha; }
  bool has_ball() const { return options.ball_radius > 0; }
};

/// @throws shape_error if there are not as many tokens as the activations are for, or one is not in the vocabulary.
template <class T, class Space>
void check_tokens(model<T, Space> const& of, std::span<token const> tokens, activations<T, Space> const& kept) {
  if (static_cast<index_t>(tokens.size()) != kept.tokens() || kept.length() != of.attention.length) {
    sigmax::detail::raise<sigmax::shape_error>({"transformer: ", static_cast<index_t>(tokens.size()),
                                                " tokens are given; the activations are those of ", kept.tokens()});
  }
  for (token const each : tokens) {
    if (each >= 0 && each < of.shape.vocabulary) continue;
    sigmax::detail::raise<sigmax::shape_error>(
        {"transformer: a token is ", each, "; the vocabulary has ", of.shape.vocabulary});
  }
}

/// Logits of the vectors in `kept.stream[0]`, whatever they are, into `kept.logits`.
template <class Backend, class T, class Space>
void forward_from_vectors(Backend const& given, model<T, Space> const& of, parameters<T, Space> const& w,
                          activations<T, Space>& kept) {
  auto const on = with_scratch(given, kept.memory);
  auto const project = [&](std::size_t i) {
    if (of.has_ball())
      ball_forward(on, T(of.options.ball_radius), kept.stream[i].view(), kept.factors[i].view().col(0));
  };
  auto const stream = [&](std::size_t i) -> sigmax::matrix_view<T const, Space> { return kept.stream[i].view(); };
  for (std::size_t i = 0; i < w.blocks.size(); ++i) {
    std::size_t const at = 2 * i;
    attention_forward(on, of.attention, w.blocks[i], stream(at), kept.attention[i], kept.memory,
                      kept.stream[at + 1].view());
    project(at + 1);
    mlp_forward(on, of.alpha(), w.blocks[i], stream(at + 1), kept.mlp[i], kept.stream[at + 2].view());
    project(at + 2);
  }
  linear_forward(on, {T(of.options.logit_scale), T(0)}, stream(kept.stream.size() - 1), w.head, {}, kept.logits.view());
}

/// Logits of all tokens, into `kept.logits`. `tokens`: sequence after sequence.
template <class Backend, class T, class Space>
void forward(Backend const& given, model<T, Space> const& of, parameters<T, Space> const& w,
             std::span<token const> tokens, activations<T, Space>& kept) {
  check_tokens(of, tokens, kept);
  embedding_forward(with_scratch(given, kept.memory), tokens, w.embedding, kept.stream[0].view());
  forward_from_vectors(given, of, w, kept);
}

/// What a batch says of a model.
struct batch_loss {
  /// Sums over tokens, in their order.
  double loss = 0;
  index_t correct = 0;
  index_t tokens = 0;

  double mean() const { return loss / static_cast<double>(tokens); }
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(tokens); }
  void add(batch_loss const& other) {
    loss += other.loss;
    correct += other.correct;
    tokens += other.tokens;
  }
};

/// Cross-entropy of the logits with the targets. Replaces logits by `weight` times the derivative of each token's loss:
/// weight is 1 / (tokens of the batch) for a mean.
template <class Backend, class T, class Space>
batch_loss cross_entropy_loss(Backend const& on, std::span<token const> targets, T weight,
                              activations<T, Space>& kept) {
  auto const logits = kept.logits.view();
  auto const losses = kept.losses.view();
  auto const correct = kept.correct.view();
  if constexpr (in_device_memory<Backend>) {
    with_scratch(on, kept.memory).cross_entropy(targets, weight, logits, losses, correct);
  } else {
    for_ranges(logits.rows(), workers_of(on), [&](index_t first, index_t last, int) {
      for (index_t n = first; n < last; ++n) {
        bool hit = false;
        losses[n] = cross_entropy(&logits(n, 0), logits.cols(),
                                  static_cast<index_t>(targets[static_cast<std::size_t>(n)]), weight, hit);
        correct[n] = T(hit ? 1 : 0);
      }
    });
  }
  batch_loss result{.tokens = logits.rows()};
  for (index_t n = 0; n < logits.rows(); ++n) {
    result.loss += static_cast<double>(losses[n]);
    result.correct += correct[n] == T(1) ? 1 : 0;
  }
  return result;
}

/// After `forward_from_vectors`, with derivatives by the logits in `kept.logits`: adds to `gradient` those by all
/// parameters but the embedding. Returns those by `kept.stream[0]`, which stay until the next pass.
template <class Backend, class T, class Space>
sigmax::matrix_view<T const, Space> backward_to_vectors(Backend const& given, model<T, Space> const& of,
                                                        parameters<T, Space> const& w, activations<T, Space>& kept,
                                                        parameters<T, Space>& gradient) {
  auto const on = with_scratch(given, kept.memory);
  auto const stream = [&](std::size_t i) -> sigmax::matrix_view<T const, Space> { return kept.stream[i].view(); };
  auto after = kept.d_stream.view();
  auto before = kept.d_stream_before.view();
  auto const through_ball = [&](std::size_t i) {
    if (of.has_ball())
      ball_backward(on, stream(i), sigmax::vector_view<T const, Space>(kept.factors[i].view().col(0)), after);
  };
  sigmax::matrix_view<T const, Space> const d_logits = kept.logits.view();
  T const scale = T(of.options.logit_scale);
  linear_gradient(on, scale, d_logits, stream(kept.stream.size() - 1), gradient.head);
  linear_backward(on, {scale, T(0)}, d_logits, w.head, {}, after);
  for (std::size_t i = w.blocks.size(); i-- > 0;) {
    std::size_t const at = 2 * i;
    through_ball(at + 2);
    mlp_backward(on, of.alpha(), w.blocks[i], stream(at + 1), kept.mlp[i], sigmax::matrix_view<T const, Space>(after),
                 gradient.blocks[i], kept.d_hidden.view(), before);
    std::swap(after, before);
    through_ball(at + 1);
    attention_backward(on, of.attention, w.blocks[i], stream(at), kept.attention[i],
                       sigmax::matrix_view<T const, Space>(after), gradient.blocks[i], kept.d_attention, kept.memory,
                       before);
    std::swap(after, before);
  }
  return after;
}

/// Adds to `gradient` the derivatives by all parameters, after `forward` and `cross_entropy_loss` of the same tokens.
/// The logits are lost.
template <class Backend, class T, class Space>
void backward(Backend const& given, model<T, Space> const& of, parameters<T, Space> const& w,
              std::span<token const> tokens, activations<T, Space>& kept, parameters<T, Space>& gradient) {
  check_tokens(of, tokens, kept);
  auto const d_vectors = backward_to_vectors(given, of, w, kept, gradient);
  embedding_backward(with_scratch(given, kept.memory), tokens, d_vectors, kept.logits.view(), gradient.embedding);
}

}  // namespace transformer
