// SPDX-License-Identifier: MIT
/// @file
/// What CUDA and cuBLASLt return, as exceptions.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// @throws sigmax::error naming the call unless it succeeded.
inline void check_status(cudaError_t status, char const* call) {
  if (status != cudaSuccess) sigmax::detail::raise<error>({call, ": ", cudaGetErrorName(status), ", ", cudaGetErrorString(status)});
}

/// @throws sigmax::error naming the call unless it succeeded.
inline void check_status(cublasStatus_t status, char const* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    sigmax::detail::raise<error>({call, ": ", cublasLtGetStatusName(status), ", ", cublasLtGetStatusString(status)});
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
