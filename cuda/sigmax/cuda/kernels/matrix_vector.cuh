// SPDX-License-Identifier: MIT
/// @file
/// Products of a matrix and a vector, at the speed of memory, every sum along an order that shapes and strides fix.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/product.cuh>
#include <sigmax/cuda/kernels/reduce.cuh>
#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// y_i = alpha sum_j term(a_ij, x_j) + beta c_i.
template <class T>
struct row_sums {
  T alpha;
  strided<T const> a;
  strided_vector<T const> x;
  T beta;
  strided_vector<T const> c;
  strided_vector<T> y;
  index cols_of_part;  // the columns that block y of the grid sums over
  T* parts;            // [part][row], unscaled, if there is more than one
};

struct product_term {
  template <class T>
  __device__ T operator()(T sum, T a, strided_vector<T const> const& x, index j) const {
    return fma(a, x.data[j * x.stride], sum);
  }
};

struct magnitude_term {
  template <class T>
  __device__ T operator()(T sum, T a, strided_vector<T const> const&, index) const {
    return sum + fabs(a);
  }
};

template <class T>
__device__ inline void store_row_sum(row_sums<T> const& p, index i, T sum) {
  if (p.parts != nullptr) {
    p.parts[static_cast<index>(blockIdx.y) * p.a.rows + i] = sum;
    return;
  }
  T const scaled = p.alpha * sum;
  p.y.data[i * p.y.stride] = p.beta == T(0) ? scaled : scaled + p.beta * p.c.data[i * p.c.stride];
}

/// Neighbouring threads read a row: Threads of them, 256 / Threads rows a block.
template <int Threads, class Term, class T>
__global__ void __launch_bounds__(256) sum_rows_kernel(row_sums<T> const p) {
  __shared__ T memory[256 / 32];
  index const i = static_cast<index>(blockIdx.x) * (256 / Threads) + static_cast<index>(threadIdx.x / Threads);
  index const begin = static_cast<index>(blockIdx.y) * p.cols_of_part;
  index const end = begin + p.cols_of_part < p.a.cols ? begin + p.cols_of_part : p.a.cols;
  bool const inside = i < p.a.rows;
  T sum(0);
  if (inside) {
    T const* const row = p.a.data + i * p.a.row_stride;
#pragma unroll 4
    for (index j = begin + threadIdx.x % Threads; j < end; j += Threads) {
      sum = Term()(sum, row[j * p.a.col_stride], p.x, j);
    }
  }
  sum = Threads == 32 ? reduce_warp(sum_of(), sum) : reduce_block<256>(sum_of(), sum, memory);
  if (inside && threadIdx.x % Threads == 0) store_row_sum(p, i, sum);
}

/// Neighbouring threads read a column: 32 rows a block, of which warp w sums columns w, w + 8, ...
template <class Term, class T>
__global__ void __launch_bounds__(256) sum_columns_kernel(row_sums<T> const p) {
  __shared__ T sums[8][32];
  int const lane = static_cast<int>(threadIdx.x % 32);
  int const warp = static_cast<int>(threadIdx.x / 32);
  index const i = static_cast<index>(blockIdx.x) * 32 + lane;
  index const begin = static_cast<index>(blockIdx.y) * p.cols_of_part;
  index const end = begin + p.cols_of_part < p.a.cols ? begin + p.cols_of_part : p.a.cols;
  T sum(0);
  if (i < p.a.rows) {
    T const* const row = p.a.data + i * p.a.row_stride;
#pragma unroll 4
    for (index j = begin + warp; j < end; j += 8) sum = Term()(sum, row[j * p.a.col_stride], p.x, j);
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || i >= p.a.rows) return;
#pragma unroll
  for (int w = 1; w < 8; ++w) sum += sums[w][lane];
  store_row_sum(p, i, sum);
}

/// Adds up the parts in their order.
template <class T>
__global__ void __launch_bounds__(256) join_row_sums_kernel(row_sums<T> const p, index parts) {
  index const i = static_cast<index>(blockIdx.x) * 256 + threadIdx.x;
  if (i >= p.a.rows) return;
  T sum = p.parts[i];
  for (index part = 1; part < parts; ++part) sum += p.parts[part * p.a.rows + i];
  T const scaled = p.alpha * sum;
  p.y.data[i * p.y.stride] = p.beta == T(0) ? scaled : scaled + p.beta * p.c.data[i * p.c.stride];
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
