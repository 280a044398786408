// SPDX-License-Identifier: MIT
/// @file
/// Tensor maps: what bulk copies of sm_90 need to know about a batch of matrices. The driver's function that makes them
/// is looked up at run time, so that nothing links with libcuda.
#pragma once

#include <cstdint>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>

#include "status.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

using encode_tiled_t = decltype(&cuTensorMapEncodeTiled);

/// cuTensorMapEncodeTiled of the driver that runs; a failure where it has none (before 12.0).
inline encode_tiled_t find_encode_tiled() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  SIGMAX_CUDA_LIBRARY::must(
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found),
      "cudaGetDriverEntryPointByVersion");
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    SIGMAX_CUDA_LIBRARY::must(cudaErrorInsufficientDriver, "cudaGetDriverEntryPointByVersion");
  }
  return reinterpret_cast<encode_tiled_t>(function);
}

/// Whether bulk copies take the matrices: rows start at multiples of 16 bytes and, unless what follows them may be written,
/// end there.
inline bool has_tensor_map(device_batch const& a, index_t element_bytes, bool owns_padding) {
  auto const multiple_of_16 = [](std::uintptr_t bytes) { return bytes % 16 == 0; };
  return multiple_of_16(reinterpret_cast<std::uintptr_t>(a.data)) &&
         multiple_of_16(static_cast<std::uintptr_t>(a.row_stride * element_bytes)) && a.row_stride >= a.cols &&
         (owns_padding || multiple_of_16(static_cast<std::uintptr_t>(a.cols * element_bytes))) &&
         (a.count == 1 || multiple_of_16(static_cast<std::uintptr_t>(a.stride * element_bytes)));
}

/// The map for boxes of 64 rows of 128 bytes with the 128-byte swizzle; zero is read, and nothing written,
/// outside of the matrices.
inline CUtensorMap tensor_map(encode_tiled_t encode, CUtensorMapDataType type, index_t element_bytes,
                              device_batch const& a) {
  CUtensorMap map{};
  index_t const stride = a.count == 1 ? a.rows * a.row_stride : a.stride;
  std::uint64_t const extents[3] = {static_cast<std::uint64_t>(a.cols), static_cast<std::uint64_t>(a.rows),
                                    static_cast<std::uint64_t>(a.count)};
  std::uint64_t const strides[2] = {static_cast<std::uint64_t>(a.row_stride * element_bytes),
                                    static_cast<std::uint64_t>(stride * element_bytes)};
  std::uint32_t const box[3] = {static_cast<std::uint32_t>(128 / element_bytes), 64, 1};
  std::uint32_t const every[3] = {1, 1, 1};
  CUresult const made =
      encode(&map, type, 3, a.data, extents, strides, box, every, CU_TENSOR_MAP_INTERLEAVE_NONE,
             CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (made != CUDA_SUCCESS) SIGMAX_CUDA_LIBRARY::must(cudaErrorInvalidValue, "cuTensorMapEncodeTiled");
  return map;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
