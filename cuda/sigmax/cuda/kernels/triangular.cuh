// SPDX-License-Identifier: MIT
/// @file
/// The small steps of triangular factorisations: blocks of order 32, rows and columns in registers.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

inline constexpr int triangular_block = 32;

/// The Cholesky factor of a diagonal block of order <= 32 that begins at row `first` of a matrix, by one warp: lane i holds
/// row i. The first pivot that is not a positive finite number goes to `*stopped`; its row is then complete left of it.
template <class T>
__global__ void __launch_bounds__(32) cholesky_block_kernel(strided<T> a, index first, index* stopped) {
  constexpr int size = triangular_block;
  if (*stopped >= 0) return;
  int const lane = static_cast<int>(threadIdx.x);
  int const order = static_cast<int>(a.rows);
  T row[size];
#pragma unroll
  for (int j = 0; j < size; ++j) {
    // Beyond the order stands an identity, so that the loops have one length.
    row[j] = lane < order && j <= lane ? a.data[lane * a.row_stride + j * a.col_stride] : T(lane == j ? 1 : 0);
  }
  T const largest = sizeof(T) == 4 ? T(3.402823466e+38f) : T(1.7976931348623157e+308);
  int failed = size;
#pragma unroll
  for (int j = 0; j < size; ++j) {
    T const pivot = __shfl_sync(0xffffffffu, row[j], j);
    if (failed == size && (!(pivot > T(0)) || !(pivot <= largest))) failed = j;
    if (failed < size) continue;
    T const root = sqrt(pivot);
    row[j] = lane == j ? root : row[j] / root;
#pragma unroll
    for (int k = j + 1; k < size; ++k) {
      T const other = __shfl_sync(0xffffffffu, row[j], k);
      if (lane >= k) row[k] = fma(-row[j], other, row[k]);
    }
  }
#pragma unroll
  for (int j = 0; j < size; ++j) {
    if (lane < order && j <= lane) a.data[lane * a.row_stride + j * a.col_stride] = row[j];
  }
  if (lane == 0 && failed < order) *stopped = first + failed;
}

/// b = l^-1 b for l of order <= 32: a thread a column, which it holds in registers.
template <class T>
__global__ void __launch_bounds__(128) solve_block_kernel(strided<T const> l, strided<T> b, index const* stopped) {
  constexpr int size = triangular_block;
  __shared__ T triangle[size][size];
  if (stopped != nullptr && *stopped >= 0) return;
  int const order = static_cast<int>(l.rows);
  for (int at = static_cast<int>(threadIdx.x); at < size * size; at += 128) {
    int const i = at / size;
    int const j = at % size;
    triangle[i][j] = i < order && j <= i ? l.data[i * l.row_stride + j * l.col_stride] : T(i == j ? 1 : 0);
  }
  __syncthreads();
  index const column = static_cast<index>(blockIdx.x) * 128 + threadIdx.x;
  if (column >= b.cols) return;
  T* const elements = b.data + column * b.col_stride;
  T x[size];
#pragma unroll
  for (int i = 0; i < size; ++i) x[i] = i < order ? elements[i * b.row_stride] : T(0);
#pragma unroll
  for (int i = 0; i < size; ++i) {
    x[i] /= triangle[i][i];
#pragma unroll
    for (int k = i + 1; k < size; ++k) x[k] = fma(-triangle[k][i], x[i], x[k]);
  }
#pragma unroll
  for (int i = 0; i < size; ++i) {
    if (i < order) elements[i * b.row_stride] = x[i];
  }
}

/// Rows i and rows - 1 - i change places; y may be null.
template <class T>
__global__ void __launch_bounds__(256) reverse_rows_kernel(strided<T> a, strided_vector<T> values) {
  index const i = blockIdx.y;
  index const j = static_cast<index>(blockIdx.x) * 256 + threadIdx.x;
  index const k = a.rows - 1 - i;
  if (i >= k) return;
  auto const exchange = [](T& x, T& y) {
    T const kept = x;
    x = y;
    y = kept;
  };
  if (j < a.cols) {
    exchange(a.data[i * a.row_stride + j * a.col_stride], a.data[k * a.row_stride + j * a.col_stride]);
  }
  if (j == 0) exchange(values.data[i * values.stride], values.data[k * values.stride]);
}

/// The number of values that are not at most the threshold.
template <class T>
__global__ void __launch_bounds__(256) count_above_kernel(T threshold, strided_vector<T const> values, index* count) {
  __shared__ int counts[256];
  int mine = 0;
  for (index i = threadIdx.x; i < values.size; i += 256) mine += values.data[i * values.stride] <= threshold ? 0 : 1;
  counts[threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.x != 0) return;
  index total = 0;
  for (int const each : counts) total += each;
  *count = total;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
