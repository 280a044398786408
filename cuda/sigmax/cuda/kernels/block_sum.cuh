// SPDX-License-Identifier: MIT
/// @file
/// Sums in double along a fixed tree: same input, same bits.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Sum over the 256 threads of a block, for all of them.
__device__ __forceinline__ double block_sum(double x) {
  __shared__ double sums[8];
#pragma unroll
  for (int width = 16; width > 0; width /= 2) x += __shfl_xor_sync(0xffffffffu, x, width);
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
