// SPDX-License-Identifier: MIT
/// @file
/// x <- (1 - alpha) x + alpha gain W_O concat_h(softmax(tau q_h k_h^T + b_h, causal) v_h), q and k rotated by their
/// positions, b_h,ij = what is learnt for the distance i - j, or 0.
#pragma once

#include <algorithm>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

#include "linear.hpp"
#include "memory.hpp"
#include "on_threads.hpp"
#include "parameters.hpp"
#include "pointwise.hpp"
#include "rotary.hpp"

namespace transformer {

/// Of the forward pass; B sequences of T tokens, N = B T.
template <class T, class Space = sigmax::host_space>
struct attention_activations {
  /// After rotation where rotated; N x H d_k. `mixed`: the weighted values, what W_O is applied to.
  matrix_in<T, Space> query, key, value, mixed;
  /// Attention weights, T x T for each head of each sequence, one below the other: row i has i + 1 of them, and what
  /// stands to the right is zero as far as products read it.
  matrix_in<T, Space> weights;
  /// Of derivatives: those by the position biases, a row for each head of each sequence. Empty if there are none.
  matrix_in<T, Space> position;

  template <class Backend>
  attention_activations(Backend const& on, index_t sequences, index_t length, model_shape const& shape)
      : query(zeros<T>(on, sequences * length, shape.attention_width())),
        key(zeros<T>(on, query.rows(), query.cols())),
        value(zeros<T>(on, query.rows(), query.cols())),
        mixed(zeros<T>(on, query.rows(), query.cols())),
        weights(zeros<T>(on, sequences * shape.heads * length, length)),
        position(zeros<T>(on, shape.position_bias ? sequences * shape.heads : 0, length)) {}
  attention_activations(index_t sequences, index_t length, model_shape const& shape)
      : attention_activations(sigmax::cpu::scalar(), sequences, length, shape) {}
};

/// The numbers and tables of all attentions of a model.
template <class T, class Space = sigmax::host_space>
struct attention_setting {
  index_t length;
  index_t heads;
  /// tau, and the product alpha gain.
  T scale, gain;
  T alpha;
  rotary_table<T, Space> rotation;
};

/// Queries that are multiplied at once: the others of the sequence attend to fewer keys, or to more.
inline constexpr index_t query_block = 64;

/// f(first, rows, keys) for every block of queries [first, first + rows), which attend to the first `keys` keys.
template <class F>
void for_query_blocks(index_t length, F const& f) {
  for (index_t first = 0; first < length; first += query_block) {
    index_t const rows = std::min(query_block, length - first);
    f(first, rows, first + rows);
  }
}

/// f(views of one head, scratch of this thread) for every head of every sequence, on the threads of the backend.
template <class Backend, class T, class F>
void for_heads(Backend const& on, attention_setting<T> const& setting, index_t tokens, sigmax::workspace& memory,
               F const& f) {
  auto const workers = workers_of(on);
  memory.of_thread(workers.threads() - 1);
  index_t const all = tokens / setting.length * setting.heads;
  for_ranges(all, workers, [&](index_t first, index_t last, int part) {
    auto& own = memory.of_thread(part);
    auto const here = alone(on, own);
    for (index_t i = first; i < last; ++i) f(here, i, own);
  });
}

/// The columns of one head in the rows of one sequence; i = sequence * heads + head.
template <class T, class U>
sigmax::matrix_view<U> head_of(attention_setting<T> const& setting, sigmax::matrix_view<U> x, index_t i) {
  index_t const key_width = x.cols() / setting.heads;
  return x.block(i / setting.heads * setting.length, i % setting.heads * key_width, setting.length, key_width);
}

/// What is added to the scores of query `row` of a sequence and its row + 1 keys, of head i as above.
template <class T>
T const* biases_of(attention_setting<T> const& setting, sigmax::matrix<T> const& position, index_t i, index_t row) {
  return &position(i % setting.heads, position.cols() - 1 - row);
}

template <class Backend, class T>
void mix_values(Backend const& on, attention_setting<T> const& setting, sigmax::matrix<T> const& position,
                attention_activations<T>& kept, sigmax::workspace& memory) {
  for_heads(on, setting, kept.query.rows(), memory, [&](Backend const& here, index_t i, sigmax::workspace&) {
    auto const q = head_of(setting, kept.query.view(), i);
    auto const k = head_of(setting, kept.key.view(), i);
    auto const v = head_of(setting, kept.value.view(), i);
    auto const o = head_of(setting, kept.mixed.view(), i);
    for_query_blocks(setting.length, [&](index_t first, index_t rows, index_t keys) {
      auto const p = kept.weights.view().block(i * setting.length + first, 0, rows, keys);
      here.multiply(setting.scale, q.block(first, 0, rows, q.cols()), k.block(0, 0, keys, k.cols()).transposed(), T(0),
                    {}, p);
      for (index_t row = 0; row < rows; ++row) {
        index_t const seen = first + row + 1;
        if (position.size() > 0) add_numbers(biases_of(setting, position, i, first + row), &p(row, 0), seen);
        softmax_forward(&p(row, 0), seen, T(1));
        std::fill(&p(row, 0) + seen, &p(row, 0) + keys, T(0));
      }
      here.multiply(T(1), p, v.block(0, 0, keys, v.cols()), T(0), {}, o.block(first, 0, rows, o.cols()));
    });
  });
}

template <class Backend, class T>
void mix_values(Backend const& on, attention_setting<T, sigmax::device_space> const& setting,
                matrix_in<T, sigmax::device_space> const& position,
                attention_activations<T, sigmax::device_space>& kept, sigmax::workspace&) {
  on.mix_values({setting.length, setting.heads}, setting.scale, kept.query.view(), kept.key.view(), kept.value.view(),
                position.view(), kept.weights.view(), kept.mixed.view());
}

/// dq, dk, dv (N x H d_k, still rotated) from d_mixed; adds to the derivatives by position biases.
template <class Backend, class T>
void mix_values_backward(Backend const& on, attention_setting<T> const& setting, attention_activations<T> const& kept,
                         attention_activations<T>& d, sigmax::workspace& memory, sigmax::matrix<T>& d_position) {
  for_heads(on, setting, kept.query.rows(), memory, [&](Backend const& here, index_t i, sigmax::workspace& own) {
    auto const q = head_of(setting, kept.query.view(), i);
    auto const k = head_of(setting, kept.key.view(), i);
    auto const v = head_of(setting, kept.value.view(), i);
    auto const dq = head_of(setting, d.query.view(), i);
    auto const dk = head_of(setting, d.key.view(), i);
    auto const dv = head_of(setting, d.value.view(), i);
    auto const d_mixed = head_of(setting, d.mixed.view(), i);
    index_t const width = q.cols();
    bool const has_position = d.position.size() > 0;
    if (has_position) std::fill(&d.position(i, 0), &d.position(i, 0) + setting.length, T(0));
    sigmax::workspace::frame frame(own);
    auto const scratch = frame.template matrix<T>(std::min(query_block, setting.length), setting.length);
    // The last block first: it alone sees all keys, and sets what the others add to.
    index_t const last = (setting.length - 1) / query_block * query_block;
    for (index_t first = last; first >= 0; first -= query_block) {
      index_t const rows = std::min(query_block, setting.length - first);
      index_t const keys = first + rows;
      T const kept_sum = first == last ? T(0) : T(1);
      auto const p = kept.weights.view().block(i * setting.length + first, 0, rows, keys);
      auto const ds = scratch.block(0, 0, rows, keys);
      auto const d_o = d_mixed.block(first, 0, rows, width);
      auto const dk_seen = dk.block(0, 0, keys, width);
      auto const dv_seen = dv.block(0, 0, keys, width);
      here.multiply(T(1), p.transposed(), d_o, kept_sum, dv_seen, dv_seen);
      here.multiply(T(1), d_o, v.block(0, 0, keys, width).transposed(), T(0), {}, ds);
      for (index_t row = 0; row < rows; ++row) {
        index_t const seen = first + row + 1;
        softmax_backward(&p(row, 0), &ds(row, 0), seen, T(1));
        if (has_position) add_numbers(&ds(row, 0), &d.position(i, setting.length - seen), seen);
        std::fill(&ds(row, 0) + seen, &ds(row, 0) + keys, T(0));
      }
      here.multiply(setting.scale, ds, k.block(0, 0, keys, width), T(0), {}, dq.block(first, 0, rows, width));
      here.multiply(setting.scale, ds.transposed(), q.block(first, 0, rows, width), kept_sum, dk_seen, dk_seen);
    }
  });
  for (index_t i = 0; i < d.position.rows(); ++i) {
    // Sequence after sequence, whatever the threads.
    add_numbers(&d.position(i, 0), &d_position(i % setting.heads, d_position.cols() - setting.length), setting.length);
  }
}

template <class Backend, class T>
void mix_values_backward(Backend const& on, attention_setting<T, sigmax::device_space> const& setting,
                         attention_activations<T, sigmax::device_space> const& kept,
                         attention_activations<T, sigmax::device_space>& d, sigmax::workspace&,
                         matrix_in<T, sigmax::device_space>& d_position) {
  on.mix_values_backward({setting.length, setting.heads}, setting.scale, kept.query.view(), kept.key.view(),
                         kept.value.view(), kept.weights.view(), d.mixed.view(), d.weights.view(), d.query.view(),
                         d.key.view(), d.value.view(), d_position.view());
}

/// x, y: N x d.
template <class Backend, class T, class Space>
void attention_forward(Backend const& on, attention_setting<T, Space> const& setting,
                       block_parameters<T, Space> const& w, sigmax::matrix_view<T const, Space> x,
                       attention_activations<T, Space>& kept, sigmax::workspace& memory,
                       sigmax::matrix_view<T, Space> y) {
  linear_forward(on, {}, x, w.query, {}, kept.query.view());
  linear_forward(on, {}, x, w.key, {}, kept.key.view());
  linear_forward(on, {}, x, w.value, {}, kept.value.view());
  rotary_forward(on, setting.rotation, setting.length, kept.query.view());
  rotary_forward(on, setting.rotation, setting.length, kept.key.view());
  mix_values(on, setting, w.position, kept, memory);
  sigmax::matrix_view<T const, Space> const mixed = kept.mixed.view();
  linear_forward(on, {setting.gain, T(1 - setting.alpha)}, mixed, w.output, x, y);
}

/// dx from dy; adds to the gradients of the weights. d: scratch.
template <class Backend, class T, class Space>
void attention_backward(Backend const& on, attention_setting<T, Space> const& setting,
                        block_parameters<T, Space> const& w, sigmax::matrix_view<T const, Space> x,
                        attention_activations<T, Space> const& kept, sigmax::matrix_view<T const, Space> dy,
                        block_parameters<T, Space>& gradient, attention_activations<T, Space>& d,
                        sigmax::workspace& memory, sigmax::matrix_view<T, Space> dx) {
  linear_gradient(on, setting.gain, dy, kept.mixed.view(), gradient.output);
  linear_backward(on, {setting.gain, T(0)}, dy, w.output, {}, d.mixed.view());
  mix_values_backward(on, setting, kept, d, memory, gradient.position);
  rotary_backward(on, setting.rotation, setting.length, d.query.view());
  rotary_backward(on, setting.rotation, setting.length, d.key.view());
  using matrix = matrix_in<T, Space>;
  auto const add = [&](matrix const& dz, matrix const& weight, matrix& dw, scaled_sum<T> by,
                       sigmax::matrix_view<T const, Space> addend) {
    linear_gradient(on, T(1), dz.view(), x, dw);
    linear_backward(on, by, dz.view(), weight, addend, dx);
  };
  sigmax::matrix_view<T const, Space> const sum = dx;
  add(d.query, w.query, gradient.query, {T(1), T(1 - setting.alpha)}, dy);
  add(d.key, w.key, gradient.key, {T(1), T(1)}, sum);
  add(d.value, w.value, gradient.value, {T(1), T(1)}, sum);
}

}  // namespace transformer
