// SPDX-License-Identifier: MIT
/// @file
/// Reductions within a warp and a block, always along the same tree.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

struct sum_of {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct larger_of {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

/// Of 32 lanes; every lane gets the result.
template <class Op, class T>
__device__ inline T reduce_warp(Op op, T value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value = op(value, __shfl_xor_sync(0xffffffffu, value, distance));
  }
  return value;
}

/// Of all Threads threads of a block, which all call it and all get the result. `memory`: Threads / 32 elements.
template <int Threads, class Op, class T>
__device__ inline T reduce_block(Op op, T value, T* memory) {
  static_assert(Threads % 32 == 0);
  value = reduce_warp(op, value);
  __syncthreads();  // `memory` may still be read from an earlier call
  if (threadIdx.x % 32 == 0) memory[threadIdx.x / 32] = value;
  __syncthreads();
  T result = memory[0];
#pragma unroll
  for (int warp = 1; warp < Threads / 32; ++warp) result = op(result, memory[warp]);
  return result;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
