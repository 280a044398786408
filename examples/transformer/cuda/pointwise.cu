// SPDX-License-Identifier: MIT
// The layers that look at one element or one token at a time.
#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/library/memory.hpp>

#include "pointwise.cuh"

namespace transformer::device_kernels {

using sigmax::SIGMAX_CUDA_LIBRARY::divided_up;
using sigmax::SIGMAX_CUDA_LIBRARY::grid_size;
using sigmax::SIGMAX_CUDA_LIBRARY::start;

namespace {

index at_most(index limit, index n) { return n < limit ? n : limit; }

/// For kernels that visit rows x cols elements.
dim3 element_blocks(index rows, index cols) {
  return dim3(grid_size(at_most(4096, divided_up(cols, 256))), grid_size(at_most(65535, rows)));
}

/// For kernels that give each row a warp.
dim3 row_blocks(index rows) { return dim3(grid_size(divided_up(rows, rows_of_block))); }

template <class T>
bool is_dense(strided<T> x) {
  return x.col_stride == 1 && x.row_stride == x.cols;
}

/// A dense matrix as one row: threads without an element are few then, whatever the shape.
template <class T>
strided<T> in_one_row(strided<T> x) {
  return {x.data, 1, x.rows * x.cols, x.rows * x.cols, 1};
}

}  // namespace

template <class T>
status set_zero(stream on, strided<T> x) {
  if (x.empty()) return {};
  if (is_dense(x)) {
    // Zero is the number whose bits are all zero.
    return sigmax::SIGMAX_CUDA_LIBRARY::fill_with_byte(on, x.data, 0,
                                                       static_cast<std::size_t>(x.rows * x.cols) * sizeof(T));
  }
  return start("set_zero", set_zero_kernel<T>, element_blocks(x.rows, x.cols), dim3(256), on, x);
}

template <class T>
status embed(stream on, int const* tokens, strided<T const> embedding, strided<T> x) {
  return start("embed", embed_kernel<T>, element_blocks(x.rows, x.cols), dim3(256), on, tokens, embedding, x);
}

template <class T>
status one_hot(stream on, int const* tokens, strided<T> x) {
  return start("one_hot", one_hot_kernel<T>, element_blocks(x.rows, x.cols), dim3(256), on, tokens, x);
}

template <class T>
status rotate(stream on, strided<T const> cosine, strided<T const> sine, index length, T direction, strided<T> x) {
  return start("rotate", rotate_kernel<T>, element_blocks(x.rows, x.cols / 2), dim3(256), on, cosine, sine, length,
               direction, x);
}

template <class T>
status gelu_forward(stream on, T divisor, strided<T> x, strided<T> slope) {
  if (is_dense(x) && is_dense(slope)) {
    x = in_one_row(x);
    slope = in_one_row(slope);
  }
  return start("gelu_forward", gelu_kernel<T>, element_blocks(x.rows, x.cols), dim3(256), on, divisor, x, slope);
}

template <class T>
status multiply_elements(stream on, strided<T const> slope, strided<T> dy) {
  if (is_dense(slope) && is_dense(dy)) {
    slope = in_one_row(slope);
    dy = in_one_row(dy);
  }
  return start("multiply_elements", multiply_elements_kernel<T>, element_blocks(dy.rows, dy.cols), dim3(256), on, slope,
               dy);
}

template <class T>
status ball_forward(stream on, T radius, strided<T> x, strided_vector<T> factors) {
  return start("ball_forward", ball_forward_kernel<T>, row_blocks(x.rows), dim3(256), on, radius, x, factors);
}

template <class T>
status ball_backward(stream on, strided<T const> y, strided_vector<T const> factors, strided<T> dy) {
  return start("ball_backward", ball_backward_kernel<T>, row_blocks(dy.rows), dim3(256), on, y, factors, dy);
}

template <class T>
status cross_entropy(stream on, int const* targets, T weight, strided<T> logits, T* losses, T* correct) {
  return start("cross_entropy", cross_entropy_kernel<T>, row_blocks(logits.rows), dim3(256), on, targets, weight,
               logits, losses, correct);
}

#define TRANSFORMER_INSTANTIATE(T)                                                                                     \
  template status set_zero<T>(stream, strided<T>);                                                                     \
  template status embed<T>(stream, int const*, strided<T const>, strided<T>);                                          \
  template status one_hot<T>(stream, int const*, strided<T>);                                                          \
  template status rotate<T>(stream, strided<T const>, strided<T const>, index, T, strided<T>);                         \
  template status gelu_forward<T>(stream, T, strided<T>, strided<T>);                                                  \
  template status multiply_elements<T>(stream, strided<T const>, strided<T>);                                          \
  template status ball_forward<T>(stream, T, strided<T>, strided_vector<T>);                                           \
  template status ball_backward<T>(stream, strided<T const>, strided_vector<T const>, strided<T>);                     \
  template status cross_entropy<T>(stream, int const*, T, strided<T>, T*, T*);
TRANSFORMER_INSTANTIATE(float)
TRANSFORMER_INSTANTIATE(double)
#undef TRANSFORMER_INSTANTIATE

}  // namespace transformer::device_kernels
