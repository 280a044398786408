// SPDX-License-Identifier: MIT
/// @file
/// What a matrix is stored in, and what the tensor cores make of it.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// The device type an operand of this kind is stored in.
template <operand_kind Kind>
struct operand {
  static constexpr operand_kind kind = Kind;
  using storage = std::conditional_t<Kind == operand_kind::bf16, __nv_bfloat16,
                                     std::conditional_t<Kind == operand_kind::f16, __half, float>>;
};

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(x);
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16_rn(x);
  } else {
    return x;
  }
}

/// Two neighbours in one register, the first in the low half.
template <class T>
__device__ __forceinline__ std::uint32_t pack_two(float first, float second) {
  std::uint32_t word = 0;
  if constexpr (std::is_same_v<T, __half>) {
    __half2 const both = __floats2half2_rn(first, second);
    memcpy(&word, &both, sizeof(word));
  } else {
    __nv_bfloat162 const both = __floats2bfloat162_rn(first, second);
    memcpy(&word, &both, sizeof(word));
  }
  return word;
}

template <class T>
__device__ __forceinline__ float2 unpack_two(std::uint32_t word) {
  if constexpr (std::is_same_v<T, __half>) {
    __half2 both;
    memcpy(static_cast<void*>(&both), &word, sizeof(word));
    return __half22float2(both);
  } else {
    __nv_bfloat162 both;
    memcpy(static_cast<void*>(&both), &word, sizeof(word));
    return __bfloat1622float2(both);
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
