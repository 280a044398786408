// SPDX-License-Identifier: MIT
/// @file
/// The hardware's approximation of 1 / sqrt(x), good to some twenty bits where neither x nor the result is subnormal.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

__device__ inline float rough_reciprocal_root(float x) {
  float result = 0;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

__device__ inline double rough_reciprocal_root(double x) {
  double result = 0;
  asm("rsqrt.approx.ftz.f64 %0, %1;" : "=d"(result) : "d"(x));
  return result;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
