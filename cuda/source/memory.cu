// SPDX-License-Identifier: MIT
// Device memory, copies, and questions about the device.
#include <cstdio>

#include <cusolverDn.h>

#include <sigmax/cuda/kernels/launch.cuh>
#include <sigmax/cuda/library/memory.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

__global__ void empty_kernel() {}

char const* solver_text(int code) {
  switch (code) {
    case CUSOLVER_STATUS_NOT_INITIALIZED:
      return "CUSOLVER_STATUS_NOT_INITIALIZED";
    case CUSOLVER_STATUS_ALLOC_FAILED:
      return "CUSOLVER_STATUS_ALLOC_FAILED";
    case CUSOLVER_STATUS_INVALID_VALUE:
      return "CUSOLVER_STATUS_INVALID_VALUE";
    case CUSOLVER_STATUS_ARCH_MISMATCH:
      return "CUSOLVER_STATUS_ARCH_MISMATCH";
    case CUSOLVER_STATUS_EXECUTION_FAILED:
      return "CUSOLVER_STATUS_EXECUTION_FAILED";
    case CUSOLVER_STATUS_INTERNAL_ERROR:
      return "CUSOLVER_STATUS_INTERNAL_ERROR";
    default:
      return "cuSOLVER's status";
  }
}

}  // namespace

char const* describe(status what) {
  thread_local char text[256];
  switch (what.from) {
    case origin::none:
      return "success";
    case origin::runtime: {
      auto const code = static_cast<cudaError_t>(what.code);
      std::snprintf(text, sizeof text, "%s (%d), %s", cudaGetErrorName(code), what.code, cudaGetErrorString(code));
      return text;
    }
    case origin::cublas:
      std::snprintf(text, sizeof text, "cuBLAS status %d", what.code);
      return text;
    case origin::cusolver:
      std::snprintf(text, sizeof text, "%s (%d)", solver_text(what.code), what.code);
      return text;
    case origin::sigmax:
      break;
  }
  if (what.code == eigenvalues_did_not_converge) return "the eigenvalues did not converge";
  int device = 0;
  int major = 0;
  int minor = 0;
  (void)cudaGetDevice(&device);
  (void)cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  (void)cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  std::snprintf(text, sizeof text, "device %d has compute capability %d.%d; sigmax::cuda was compiled for %s", device,
                major, minor, compiled_architectures());
  return text;
}

meaning meaning_of(status what) {
  if (what.from == origin::sigmax && what.code == no_kernel_for_this_device) return meaning::no_kernel_for_device;
  if (what.from == origin::cusolver) {
    return what.code == CUSOLVER_STATUS_ALLOC_FAILED ? meaning::out_of_memory : meaning::other;
  }
  if (what.from != origin::runtime) return meaning::other;
  switch (static_cast<cudaError_t>(what.code)) {
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorInitializationError:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorStubLibrary:
      return meaning::no_device;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorInvalidDeviceFunction:
      return meaning::no_kernel_for_device;
    case cudaErrorMemoryAllocation:
      return meaning::out_of_memory;
    default:
      return meaning::other;
  }
}

status check_device() {
  int count = 0;
  auto const failed = runtime_status(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (failed.failed()) return failed;
  if (count == 0) return {origin::runtime, static_cast<int>(cudaErrorNoDevice), "cudaGetDeviceCount"};
  cudaFuncAttributes attributes;
  auto const found = runtime_status(cudaFuncGetAttributes(&attributes, empty_kernel), "cudaFuncGetAttributes");
  if (found.failed() && meaning_of(found) == meaning::no_kernel_for_device) {
    return {origin::sigmax, no_kernel_for_this_device, "cudaFuncGetAttributes"};
  }
  return found;
}

char const* compiled_architectures() { return SIGMAX_CUDA_COMPILED_ARCHITECTURES; }

status take_memory(stream on, std::size_t bytes, void** memory) {
  return runtime_status(cudaMallocAsync(memory, bytes, on), "cudaMallocAsync");
}

status give_back_memory(stream on, void* memory) { return runtime_status(cudaFreeAsync(memory, on), "cudaFreeAsync"); }

status copy_to_device(stream on, void* device, void const* host, std::size_t bytes) {
  return runtime_status(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, on), "cudaMemcpyAsync");
}

status copy_to_host(stream on, void* host, void const* device, std::size_t bytes) {
  auto const failed =
      runtime_status(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, on), "cudaMemcpyAsync");
  return failed.failed() ? failed : wait_for(on);
}

status copy_rows_to_device(stream on, void* device, std::size_t device_pitch, void const* host, std::size_t host_pitch,
                           std::size_t width, std::size_t rows) {
  return runtime_status(
      cudaMemcpy2DAsync(device, device_pitch, host, host_pitch, width, rows, cudaMemcpyHostToDevice, on),
      "cudaMemcpy2DAsync");
}

status copy_rows_to_host(stream on, void* host, std::size_t host_pitch, void const* device, std::size_t device_pitch,
                         std::size_t width, std::size_t rows) {
  auto const failed =
      runtime_status(cudaMemcpy2DAsync(host, host_pitch, device, device_pitch, width, rows, cudaMemcpyDeviceToHost, on),
                     "cudaMemcpy2DAsync");
  return failed.failed() ? failed : wait_for(on);
}

status copy_on_device(stream on, void* to, void const* from, std::size_t bytes) {
  return runtime_status(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, on), "cudaMemcpyAsync");
}

status fill_with_byte(stream on, void* device, int value, std::size_t bytes) {
  return runtime_status(cudaMemsetAsync(device, value, bytes, on), "cudaMemsetAsync");
}

status wait_for(stream on) { return runtime_status(cudaStreamSynchronize(on), "cudaStreamSynchronize"); }

status create_stream(stream* made) {
  return runtime_status(cudaStreamCreateWithFlags(made, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

status destroy_stream(stream gone) { return runtime_status(cudaStreamDestroy(gone), "cudaStreamDestroy"); }

status find_residence(void const* pointer, residence* found) {
  cudaPointerAttributes attributes;
  auto const failed = runtime_status(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  if (failed.failed()) return failed;
  *found = attributes.type == cudaMemoryTypeDevice    ? residence::device
           : attributes.type == cudaMemoryTypeManaged ? residence::managed
                                                      : residence::host;
  return {};
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
