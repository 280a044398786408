// SPDX-License-Identifier: MIT
/// @file
/// Device memory in stream order, and views of it.
#pragma once

#include <cstddef>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// Memory for workspaces, allocated and freed in the order of the stream (cudaMallocAsync, from the device's default
/// pool). The stream must outlive what is made of it.
inline device_memory memory_of(stream_handle on) {
  device_memory source;
  source.context = on;
  source.take = [](void* context, std::size_t bytes) {
    void* taken = nullptr;
    detail::check(library::take_memory(static_cast<stream_handle>(context), bytes, &taken), "gpu::memory_of");
    return taken;
  };
  source.give_back = [](void* context, void* data, std::size_t) noexcept {
    // Nobody hears of a failure here: the next call on the stream fails with it.
    (void)library::give_back_memory(static_cast<stream_handle>(context), data);
  };
  source.copy = [](void* context, void* to, void const* from, std::size_t bytes) {
    detail::check(library::copy_on_device(static_cast<stream_handle>(context), to, from, bytes), "gpu::memory_of");
  };
  return source;
}

/// A view of `rows` x `cols` elements at a device pointer. What views of `device_space` made by hand do not do, this does:
/// @throws domain_error if the pointer is one of the host's; shape_error as `matrix_view`.
template <class T>
matrix_view<T, device_space> device_view(T* data, index_t rows, index_t cols, index_t row_stride, index_t col_stride) {
  matrix_view<T, device_space> const result(data, rows, cols, row_stride, col_stride);
  if (!result.empty()) detail::require_device_pointer(data, "gpu::device_view", "data");
  return result;
}
/// The same for dense rows.
template <class T>
matrix_view<T, device_space> device_view(T* data, index_t rows, index_t cols) {
  return device_view(data, rows, cols, cols, 1);
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu
