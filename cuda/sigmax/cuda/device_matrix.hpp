// SPDX-License-Identifier: MIT
/// @file
/// A matrix that owns its elements in device memory.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// rows() x cols() elements, row-major and dense, in memory that is allocated and freed in the order of a stream, which must
/// outlive the matrix. A value type: copies copy the elements, on the device.
template <storage_scalar T>
class device_matrix : public sigmax::detail::device_matrix<T> {
 public:
  device_matrix() = default;
  /// All elements zero. @throws shape_error on a negative extent or an area that cannot be addressed,
  /// device_memory_error.
  device_matrix(stream_handle on, index_t rows, index_t cols) : device_matrix(uninitialised(on, rows, cols)) {
    if (!empty()) detail::check(library::fill_with_byte(on, this->data(), 0, bytes()), "device_matrix");
  }

  /// A copy of any host matrix of the same scalar. The source may be changed when this returns.
  template <matrix_like M>
    requires std::same_as<value_t<M>, T> && std::same_as<space_t<M>, host_space>
  static device_matrix copy_of(M const& source, stream_handle on) {
    auto const from = const_view(source);
    if (from.empty()) return uninitialised(on, from.rows(), from.cols());
    if (from.row_stride() != from.cols() || from.col_stride() != 1) return copy_of(matrix<T>::copy_of(from), on);
    auto result = uninitialised(on, from.rows(), from.cols());
    detail::check(library::copy_to_device(on, result.data(), from.data(), result.bytes()), "device_matrix::copy_of");
    // Pinned memory is copied later; whoever gave it must not have to know.
    detail::check(library::wait_for(on), "device_matrix::copy_of");
    return result;
  }

  /// A copy on the host, after all work given to the stream before. @throws cuda_error if some of that failed.
  matrix<T> to_host() const {
    matrix<T> result(this->rows(), this->cols());
    if (!empty()) {
      detail::check(library::copy_to_host(on_, result.data(), this->data(), bytes()), "device_matrix::to_host");
    }
    return result;
  }

  index_t size() const { return this->rows() * this->cols(); }
  bool empty() const { return size() == 0; }
  stream_handle on() const { return on_; }

 private:
  device_matrix(sigmax::detail::device_matrix<T> elements, stream_handle on)
      : sigmax::detail::device_matrix<T>(std::move(elements)), on_(on) {}

  static device_matrix uninitialised(stream_handle on, index_t rows, index_t cols) {
    return {sigmax::detail::device_matrix<T>(memory_of(on), rows, cols), on};
  }

  std::size_t bytes() const { return static_cast<std::size_t>(size()) * sizeof(T); }

  stream_handle on_ = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
