// SPDX-License-Identifier: MIT
// Attention of all heads of all sequences.
#include <cstdint>

#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>

#include "attention.cuh"

namespace transformer::device_kernels {

using sigmax::SIGMAX_CUDA_LIBRARY::divided_up;
using sigmax::SIGMAX_CUDA_LIBRARY::grid_size;
using sigmax::SIGMAX_CUDA_LIBRARY::start;

namespace {

template <class T>
batch<T> batch_at(T* data, index row_stride, index of_sequence, index of_head) {
  constexpr index unit = 16 / sizeof(T);
  bool const has_vectors = reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && row_stride % unit == 0 &&
                           of_sequence % unit == 0 && of_head % unit == 0;
  return {data, row_stride, of_sequence, of_head, has_vectors};
}

/// Of a matrix with a row for each token: the columns of a head in the rows of a sequence.
template <class T>
batch<T> columns_of_heads(attention_extents how, strided<T> x) {
  return batch_at(x.data, x.row_stride, how.length * x.row_stride, x.cols / how.heads);
}

/// Of attention weights: all heads of a sequence one below the other.
template <class T>
batch<T> squares_of_heads(attention_extents how, strided<T> x) {
  return batch_at(x.data, x.row_stride, how.heads * how.length * x.row_stride, how.length * x.row_stride);
}

template <class T>
strided<T const> constant(strided<T> x) {
  return {x.data, x.rows, x.cols, x.row_stride, x.col_stride};
}

/// The products of one layer.
template <class T>
class products {
 public:
  products(stream on, attention_extents how, index tokens, index width)
      : on_(on),
        how_(how),
        batches_(tokens / how.length * how.heads),
        length_(static_cast<int>(how.length)),
        heads_(static_cast<int>(how.heads)),
        key_width_(static_cast<int>(width / how.heads)) {}

  index batches() const { return batches_; }

  /// scores = alpha rows cols^T, not above the diagonal.
  status scores(T alpha, strided<T const> rows, strided<T const> cols, strided<T> result) const {
    head_product<T> const p{alpha,
                            columns_of_heads(how_, rows),
                            columns_of_heads(how_, cols),
                            squares_of_heads(how_, result),
                            length_,
                            length_,
                            key_width_,
                            heads_};
    return run<causal::lower>("attention scores", p);
  }
  /// result = alpha lower x.
  status times(T alpha, strided<T const> lower, strided<T const> x, strided<T> result) const {
    return run<causal::lower_a>("attention product", of_square(alpha, lower, x, result));
  }
  /// result = alpha lower^T x.
  status transposed_times(T alpha, strided<T const> lower, strided<T const> x, strided<T> result) const {
    return run<causal::lower_a_t>("attention product, transposed", of_square(alpha, lower, x, result));
  }

 private:
  head_product<T> of_square(T alpha, strided<T const> lower, strided<T const> x, strided<T> result) const {
    return {alpha,
            squares_of_heads(how_, lower),
            columns_of_heads(how_, x),
            columns_of_heads(how_, result),
            length_,
            key_width_,
            length_,
            heads_};
  }

  template <causal Part>
  status run(char const* name, head_product<T> const& p) const {
    return start(
        name, head_product_kernel<T, Part>,
        dim3(grid_size(batches_), grid_size(divided_up(p.rows, tile_size)), grid_size(divided_up(p.cols, tile_size))),
        dim3(256), on_, p);
  }

  stream on_;
  attention_extents how_;
  index batches_;
  int length_;
  int heads_;
  int key_width_;
};

dim3 softmax_blocks(index batches, index length) {
  return dim3(grid_size(batches), grid_size(divided_up(length, softmax_rows)));
}

bool fits_registers(index length) { return length <= 32 * kept_elements; }

}  // namespace

template <class T>
status mix_values(stream on, attention_extents how, T scale, strided<T const> query, strided<T const> key,
                  strided<T const> value, strided<T const> position, strided<T> weights, strided<T> mixed) {
  products<T> const of(on, how, query.rows, query.cols);
  if (position.empty()) position.data = nullptr;
  status done = of.scores(scale, query, key, weights);
  if (done.failed()) return done;
  done = start("softmax_forward",
               fits_registers(how.length) ? softmax_forward_kernel<T, true> : softmax_forward_kernel<T, false>,
               softmax_blocks(of.batches(), how.length), dim3(256), on, how.length, how.heads, position, weights);
  if (done.failed()) return done;
  return of.times(T(1), constant(weights), value, mixed);
}

template <class T>
status mix_values_backward(stream on, attention_extents how, T scale, strided<T const> query, strided<T const> key,
                           strided<T const> value, strided<T const> weights, strided<T const> d_mixed,
                           strided<T> d_weights, strided<T> d_query, strided<T> d_key, strided<T> d_value,
                           T* position_sums, strided<T> d_position) {
  products<T> const of(on, how, query.rows, query.cols);
  status done = of.transposed_times(T(1), weights, d_mixed, d_value);
  if (done.failed()) return done;
  done = of.scores(T(1), d_mixed, value, d_weights);
  if (done.failed()) return done;
  done = start("softmax_backward",
               fits_registers(how.length) ? softmax_backward_kernel<T, true> : softmax_backward_kernel<T, false>,
               softmax_blocks(of.batches(), how.length), dim3(256), on, how.length, weights, d_weights);
  if (done.failed()) return done;
  if (!d_position.empty()) {
    index const blocks = divided_up(how.length, position_threads);
    done = start("position_of_head", position_of_head_kernel<T>, dim3(grid_size(of.batches()), grid_size(blocks)),
                 dim3(position_threads), on, how.length, constant(d_weights), position_sums);
    if (done.failed()) return done;
    done = start("position_of_batch", position_of_batch_kernel<T>, dim3(grid_size(blocks), grid_size(how.heads)),
                 dim3(position_threads), on, how.length, of.batches() / how.heads, position_sums, d_position);
    if (done.failed()) return done;
  }
  done = of.times(scale, constant(d_weights), key, d_query);
  if (done.failed()) return done;
  return of.transposed_times(scale, constant(d_weights), query, d_key);
}

#define TRANSFORMER_INSTANTIATE(T)                                                                                     \
  template status mix_values<T>(stream, attention_extents, T, strided<T const>, strided<T const>, strided<T const>,    \
                                strided<T const>, strided<T>, strided<T>);                                             \
  template status mix_values_backward<T>(stream, attention_extents, T, strided<T const>, strided<T const>,             \
                                         strided<T const>, strided<T const>, strided<T const>, strided<T>, strided<T>, \
                                         strided<T>, strided<T>, T*, strided<T>);
TRANSFORMER_INSTANTIATE(float)
TRANSFORMER_INSTANTIATE(double)
#undef TRANSFORMER_INSTANTIATE

}  // namespace transformer::device_kernels
