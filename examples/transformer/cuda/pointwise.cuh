// SPDX-License-Identifier: MIT
/// @file
/// Kernels of the layers that look at one element or one token at a time.
#pragma once

#include <limits>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/reduce.cuh>

#include "kernels.hpp"

namespace transformer::device_kernels {

using sigmax::SIGMAX_CUDA_LIBRARY::reduce_warp;
using sigmax::SIGMAX_CUDA_LIBRARY::sum_of;

/// f(i, j) for all elements of a matrix: threads of a block along the columns, blocks over both directions in strides.
template <class F>
__device__ inline void for_elements(index rows, index cols, F const& f) {
  index const across = static_cast<index>(gridDim.x) * 256;
  for (index i = blockIdx.y; i < rows; i += gridDim.y) {
    for (index j = static_cast<index>(blockIdx.x) * 256 + threadIdx.x; j < cols; j += across) f(i, j);
  }
}

template <class T>
__device__ inline T& element(strided<T> const& x, index i, index j) {
  return x.data[i * x.row_stride + j * x.col_stride];
}

template <class T>
__global__ void __launch_bounds__(256) set_zero_kernel(strided<T> x) {
  for_elements(x.rows, x.cols, [&](index i, index j) { element(x, i, j) = T(0); });
}

template <class T>
__global__ void __launch_bounds__(256) embed_kernel(int const* tokens, strided<T const> embedding, strided<T> x) {
  for_elements(x.rows, x.cols, [&](index n, index j) { element(x, n, j) = element(embedding, tokens[n], j); });
}

template <class T>
__global__ void __launch_bounds__(256) one_hot_kernel(int const* tokens, strided<T> x) {
  for_elements(x.rows, x.cols, [&](index n, index j) { element(x, n, j) = T(j == tokens[n] ? 1 : 0); });
}

/// A thread turns one pair.
template <class T>
__global__ void __launch_bounds__(256)
    rotate_kernel(strided<T const> cosine, strided<T const> sine, index length, T direction, strided<T> x) {
  index const half = cosine.cols;
  for_elements(x.rows, x.cols / 2, [&](index n, index pair) {
    index const i = pair % half;
    index const first = 2 * (pair - i) + i;
    T& low = element(x, n, first);
    T& high = element(x, n, first + half);
    T const a = low;
    T const b = high;
    T const cos = element(cosine, n % length, i);
    T const turn = direction * element(sine, n % length, i);
    low = a * cos - b * turn;
    high = a * turn + b * cos;
  });
}

template <class T>
__global__ void __launch_bounds__(256) gelu_kernel(T divisor, strided<T> x, strided<T> slope) {
  T const root_half = T(0.707106781186547524400844362104849039L);
  T const density_at_0 = T(0.398942280401432677939946059934381868L);
  for_elements(x.rows, x.cols, [&](index i, index j) {
    T& y = element(x, i, j);
    T const value = y;
    T const phi = T(0.5) * (T(1) + erf(value * root_half));
    T const density = density_at_0 * exp(T(-0.5) * value * value);
    y = value * phi / divisor;
    element(slope, i, j) = (phi + value * density) / divisor;
  });
}

template <class T>
__global__ void __launch_bounds__(256) multiply_elements_kernel(strided<T const> slope, strided<T> dy) {
  for_elements(dy.rows, dy.cols, [&](index i, index j) { element(dy, i, j) *= element(slope, i, j); });
}

/// Of kernels that give each row a warp: rows of a block.
inline constexpr int rows_of_block = 8;

__device__ inline index row_of_warp() {
  return static_cast<index>(blockIdx.x) * rows_of_block + static_cast<index>(threadIdx.x / 32);
}
__device__ inline index lane_of_warp() { return static_cast<index>(threadIdx.x % 32); }

template <class T>
__global__ void __launch_bounds__(256) ball_forward_kernel(T radius, strided<T> x, strided_vector<T> factors) {
  index const n = row_of_warp();
  if (n >= x.rows) return;
  T squares(0);
  for (index j = lane_of_warp(); j < x.cols; j += 32) {
    T const value = element(x, n, j);
    squares = fma(value, value, squares);
  }
  squares = reduce_warp(sum_of(), squares);
  T const rms = sqrt(squares / static_cast<T>(x.cols));
  T const factor = radius < rms ? radius / rms : T(1);
  if (lane_of_warp() == 0) factors.data[n * factors.stride] = factor;
  if (!(factor < T(1))) return;
  for (index j = lane_of_warp(); j < x.cols; j += 32) element(x, n, j) *= factor;
}

template <class T>
__global__ void __launch_bounds__(256)
    ball_backward_kernel(strided<T const> y, strided_vector<T const> factors, strided<T> dy) {
  index const n = row_of_warp();
  if (n >= dy.rows) return;
  T const factor = factors.data[n * factors.stride];
  if (!(factor < T(1))) return;
  T product(0);
  T squares(0);
  for (index j = lane_of_warp(); j < dy.cols; j += 32) {
    T const value = element(y, n, j);
    product = fma(value, element(dy, n, j), product);
    squares = fma(value, value, squares);
  }
  T const along = reduce_warp(sum_of(), product) / reduce_warp(sum_of(), squares);
  for (index j = lane_of_warp(); j < dy.cols; j += 32) {
    T& d = element(dy, n, j);
    d = factor * (d - along * element(y, n, j));
  }
}

template <class T>
__global__ void __launch_bounds__(256)
    cross_entropy_kernel(int const* targets, T weight, strided<T> logits, T* losses, T* correct) {
  index const n = row_of_warp();
  if (n >= logits.rows) return;
  index const lane = lane_of_warp();
  index const target = targets[n];
  T const logit = element(logits, n, target);
  // The first of the largest: of this lane, then of all.
  T most = -std::numeric_limits<T>::infinity();
  index best = logits.cols;
  for (index j = lane; j < logits.cols; j += 32) {
    T const value = element(logits, n, j);
    if (j != lane && !(most < value)) continue;
    most = value;
    best = j;
  }
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    T const other = __shfl_xor_sync(0xffffffffu, most, distance);
    index const at = __shfl_xor_sync(0xffffffffu, best, distance);
    bool const wins = most < other || (most == other && at < best);
    most = wins ? other : most;
    best = wins ? at : best;
  }
  __syncwarp();  // the logit of the target, which every lane has read, is overwritten by one of them
  T total(0);
  for (index j = lane; j < logits.cols; j += 32) {
    T& x = element(logits, n, j);
    x = exp(x - most);
    total += x;
  }
  total = reduce_warp(sum_of(), total);
  for (index j = lane; j < logits.cols; j += 32) {
    T& x = element(logits, n, j);
    T const share = weight * x / total;
    x = j == target ? share - weight : share;
  }
  if (lane != 0) return;
  losses[n] = most - logit + log(total);
  correct[n] = T(best == target ? 1 : 0);
}

}  // namespace transformer::device_kernels
