// SPDX-License-Identifier: MIT
/// @file
/// Kernels of optimizers, one pass over memory each.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/reduce.cuh>
#include <sigmax/cuda/library/optimizer.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// The first element of this thread, and the number of threads.
__device__ inline index thread_number() { return static_cast<index>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline index thread_count() { return static_cast<index>(gridDim.x) * blockDim.x; }

template <class T>
__global__ void __launch_bounds__(256) average_gradient_kernel(T decay, T rest, bool moving_average, bool nesterov,
                                                               index size, T const* momentum, T* gradient, T* next) {
  for (index i = thread_number(); i < size; i += thread_count()) {
    T const g = gradient[i];
    T const m = momentum[i];
    T const average = moving_average ? m + rest * (g - m) : decay * m + g;
    T const ahead = moving_average ? average + rest * (g - average) : g + decay * average;
    next[i] = average;
    gradient[i] = nesterov ? ahead : average;
  }
}

/// One block a row at a time. Rows of zeros stay.
template <class T>
__global__ void __launch_bounds__(256) normalize_rows_kernel(T floor, strided<T> d) {
  __shared__ T memory[8];
  for (index i = blockIdx.x; i < d.rows; i += gridDim.x) {
    T* const row = d.data + i * d.row_stride;
    T largest(0);
    for (index j = threadIdx.x; j < d.cols; j += 256) largest = larger_of()(largest, T(fabs(row[j * d.col_stride])));
    largest = reduce_block<256>(larger_of(), largest, memory);
    if (!(largest > T(0))) continue;
    T squares(0);
    for (index j = threadIdx.x; j < d.cols; j += 256) {
      T const share = row[j * d.col_stride] / largest;
      squares = fma(share, share, squares);
    }
    squares = reduce_block<256>(sum_of(), squares, memory);
    T const rms = largest * sqrt(squares / static_cast<T>(d.cols));
    T const divisor = rms < floor ? floor : rms;
    for (index j = threadIdx.x; j < d.cols; j += 256) row[j * d.col_stride] /= divisor;
  }
}

template <class T>
__global__ void __launch_bounds__(256) adam_update_kernel(adam_numbers<T> f, index size, T const* first,
                                                          T const* second, T* gradient, T* next_first, T* next_second) {
  for (index i = thread_number(); i < size; i += thread_count()) {
    T const g = gradient[i];
    T const average = first[i] + f.rest1 * (g - first[i]);
    T const square = f.beta2 * second[i] + (f.rest2 * g) * g;
    T const root = sqrt(square) / f.root_correction + f.eps;
    next_first[i] = average;
    next_second[i] = square;
    gradient[i] = average == T(0) ? T(0) : (f.step_size * average) / root;
  }
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
