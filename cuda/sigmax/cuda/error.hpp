// SPDX-License-Identifier: MIT
/// @file
/// What goes wrong on a device, as exceptions that name the call.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// The compiled library behind these headers.
namespace library = sigmax::SIGMAX_CUDA_LIBRARY;

/// A call of CUDA, cuBLAS or cuSOLVER failed. After an error of a kernel (an illegal address, say) CUDA gives the same error
/// to every later call of the process.
class cuda_error : public error {
 public:
  using error::error;
};

/// There is no device here, or its driver is missing or too old.
class no_device_error : public cuda_error {
 public:
  using cuda_error::cuda_error;
};

/// The library holds no kernels for the device: it has to be compiled for its architecture (SIGMAX_CUDA_ARCHITECTURES).
class architecture_error : public cuda_error {
 public:
  using cuda_error::cuda_error;
};

/// The memory of the device is exhausted.
class device_memory_error : public cuda_error {
 public:
  using cuda_error::cuda_error;
};

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void raise_failure(library::status what, char const* where) {
  using sigmax::detail::raise;
  char const* const text = library::describe(what);
  switch (library::meaning_of(what)) {
    case library::meaning::no_device:
      raise<no_device_error>({where, ": ", what.call, " finds no CUDA device: ", text});
    case library::meaning::no_kernel_for_device:
      raise<architecture_error>({where, ": ", what.call, " finds no kernel for this device: ", text});
    case library::meaning::out_of_memory:
      raise<device_memory_error>({where, ": ", what.call, " ran out of device memory: ", text});
    case library::meaning::other:
      break;
  }
  raise<cuda_error>({where, ": ", what.call, " failed: ", text});
}

/// @throws what the failure means, if the call failed. `where`: the function of ours that made it.
inline void check(library::status what, char const* where) {
  if (what.failed()) raise_failure(what, where);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_host_pointer(char const* where, char const* argument) {
  sigmax::detail::raise<domain_error>(
      {where, ": ", argument, " points to host memory; it must point to memory of the device"});
}

/// @throws domain_error if the pointer is one of the host's. Managed memory is the device's too.
inline void require_device_pointer(void const* pointer, char const* where, char const* argument) {
  auto found = library::residence::host;
  check(library::find_residence(pointer, &found), where);
  if (found == library::residence::host) refuse_host_pointer(where, argument);
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::gpu
