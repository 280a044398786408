// SPDX-License-Identifier: MIT
/// @file
/// Statuses inside the library: thrown where a call fails, caught at its border.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// A call that failed.
struct failure {
  status what;
};

inline void must(cudaError_t code, char const* call) {
  if (code == cudaSuccess) return;
  (void)cudaGetLastError();  // what was reported here shall not be found by the next
  throw failure{{origin::runtime, static_cast<int>(code), call}};
}

inline void must(cublasStatus_t code, char const* call) {
  if (code != CUBLAS_STATUS_SUCCESS) throw failure{{origin::cublas, static_cast<int>(code), call}};
}

inline void must(status what) {
  if (what.failed()) throw failure{what};
}

/// The status `body` came to.
template <class Body>
status guarded(Body const& body) {
  try {
    body();
    return {};
  } catch (failure const& f) {
    return f.what;
  } catch (...) {
    return {origin::runtime, static_cast<int>(cudaErrorMemoryAllocation), "operator new"};
  }
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
