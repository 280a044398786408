// SPDX-License-Identifier: MIT
/// @file
/// Elements of weights and directions, in any of their formats.
#pragma once

#include <sigmax/cuda/library/weight_step.hpp>

#include "element.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace device = sigmax::gpu::detail;

__device__ __forceinline__ float read_element(void const* from, element_kind kind, index at) {
  switch (kind) {
    case element_kind::f32:
      return static_cast<float const*>(from)[at];
    case element_kind::bf16:
      return device::to_float(static_cast<__nv_bfloat16 const*>(from)[at]);
    default:
      return device::to_float(static_cast<__half const*>(from)[at]);
  }
}

__device__ __forceinline__ void write_element(void* to, element_kind kind, index at, float value) {
  switch (kind) {
    case element_kind::f32:
      static_cast<float*>(to)[at] = value;
      return;
    case element_kind::bf16:
      static_cast<__nv_bfloat16*>(to)[at] = device::from_float<__nv_bfloat16>(value);
      return;
    default:
      static_cast<__half*>(to)[at] = device::from_float<__half>(value);
  }
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
