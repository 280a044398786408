// SPDX-License-Identifier: MIT
/// @file
/// Device memory in stream order, and copies between it and the host.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
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

namespace detail {

/// An array in device memory, on a stream.
template <class T>
class device_array {
 public:
  device_array() = default;
  device_array(stream_handle on, index_t size) : on_(on), size_(size) {
    if (size < 0 || static_cast<std::size_t>(size) > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) {
      sigmax::detail::raise<shape_error>({"device_matrix: ", size, " elements; this many cannot be addressed"});
    }
    if (size == 0) return;
    void* taken = nullptr;
    check(library::take_memory(on, bytes(), &taken), "device_matrix");
    data_ = static_cast<T*>(taken);
  }
  device_array(device_array const& other) : device_array(other.on_, other.size_) {
    if (size_ > 0) check(library::copy_on_device(on_, data_, other.data_, bytes()), "device_matrix");
  }
  device_array(device_array&& other) noexcept
      : on_(other.on_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  device_array& operator=(device_array other) noexcept {
    std::swap(on_, other.on_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~device_array() {
    if (data_ != nullptr) (void)library::give_back_memory(on_, data_);
  }

  T* data() { return data_; }
  T const* data() const { return data_; }
  index_t size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  stream_handle on() const { return on_; }

 private:
  stream_handle on_ = nullptr;
  T* data_ = nullptr;
  index_t size_ = 0;
};

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::gpu
