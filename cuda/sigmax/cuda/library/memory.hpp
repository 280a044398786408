// SPDX-License-Identifier: MIT
/// @file
/// Device memory, copies and questions about the device, as plain functions of the compiled library.
#pragma once

#include <cstddef>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// One line about a failure: the interface, its code by name and its explanation. The text is static or thread-local.
char const* describe(status what);
/// What a failure means to a caller.
enum class meaning : int { no_device, no_kernel_for_device, out_of_memory, other };
meaning meaning_of(status what);

/// That the current device exists and that this library has kernels for it.
status check_device();
/// Architectures the library was compiled for, as "80;90a".
char const* compiled_architectures();

status take_memory(stream on, std::size_t bytes, void** memory);
status give_back_memory(stream on, void* memory);

/// Copies of `bytes` between host and device, in stream order; from pageable host memory they return when it may be reused.
status copy_to_device(stream on, void* device, void const* host, std::size_t bytes);
status copy_to_host(stream on, void* host, void const* device, std::size_t bytes);
/// Rows of `width` bytes, a pitch apart; the second waits for the stream.
status copy_rows_to_device(stream on, void* device, std::size_t device_pitch, void const* host, std::size_t host_pitch,
                           std::size_t width, std::size_t rows);
status copy_rows_to_host(stream on, void* host, std::size_t host_pitch, void const* device, std::size_t device_pitch,
                         std::size_t width, std::size_t rows);
status copy_on_device(stream on, void* to, void const* from, std::size_t bytes);
status fill_with_byte(stream on, void* device, int value, std::size_t bytes);
status wait_for(stream on);

status create_stream(stream* made);
status destroy_stream(stream gone);

enum class residence : int { host, device, managed };
/// Where a pointer points to. Memory CUDA has never heard of is the host's.
status find_residence(void const* pointer, residence* found);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
