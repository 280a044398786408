// SPDX-License-Identifier: MIT
/// @file
/// Starting a kernel, and its failure as a status.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

inline status runtime_status(cudaError_t code, char const* call) {
  if (code == cudaSuccess) return {};
  // What a call returned is also kept by the runtime as its last error; others shall not find it there.
  (void)cudaGetLastError();
  return {origin::runtime, static_cast<int>(code), call};
}

/// kernel<<<grid, block, bytes, on>>>(arguments...), `name` for the message. A grid without blocks is no work.
template <class... Parameters, class... Arguments>
status start_with_memory(char const* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t bytes,
                         stream on, Arguments const&... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return {};
  constexpr std::size_t granted = 48 * 1024;  // more has to be asked for
  if (bytes > granted) {
    auto const failed =
        runtime_status(cudaFuncSetAttribute(reinterpret_cast<void const*>(kernel),
                                            cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
                       name);
    if (failed.failed()) return failed;
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = bytes;
  config.stream = on;
  return runtime_status(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), name);
}

/// The same without shared memory that the kernel does not name itself.
template <class... Parameters, class... Arguments>
status start(char const* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, stream on,
             Arguments const&... arguments) {
  return start_with_memory(name, kernel, grid, block, 0, on, arguments...);
}

inline unsigned grid_size(index blocks) { return static_cast<unsigned>(blocks); }

/// The temporary memory of one primitive.
class scratch_memory {
 public:
  scratch_memory(stream on, scratch_source source) : on_(on), source_(source) {}
  scratch_memory(scratch_memory const&) = delete;
  scratch_memory& operator=(scratch_memory const&) = delete;
  ~scratch_memory() {
    if (owned_ != nullptr) (void)cudaFreeAsync(owned_, on_);
  }

  template <class T>
  status take(index count, T** memory) {
    std::size_t const bytes = static_cast<std::size_t>(count) * sizeof(T);
    if (source_.take != nullptr) {
      *memory = static_cast<T*>(source_.take(source_.context, bytes));
      return {};
    }
    auto const result = runtime_status(cudaMallocAsync(&owned_, bytes, on_), "cudaMallocAsync");
    *memory = static_cast<T*>(owned_);
    return result;
  }

 private:
  stream on_;
  scratch_source source_;
  void* owned_ = nullptr;
};

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
