// SPDX-License-Identifier: MIT
/// @file
/// A matrix that owns its elements in device memory.
#pragma once

#include <concepts>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// rows() x cols() elements, row-major and dense, in memory that is allocated and freed in the order of a stream, which must
/// outlive the matrix. A value type: copies copy the elements, on the device.
template <storage_scalar T>
class device_matrix {
 public:
  using value_type = T;
  using space = device_space;
  static constexpr bool owns_elements = true;

  device_matrix() = default;
  /// All elements zero. @throws shape_error on a negative extent or an area that cannot be addressed,
  /// device_memory_error.
  device_matrix(stream_handle on, index_t rows, index_t cols)
      : elements_(on, sigmax::detail::checked_area(rows, cols)), rows_(rows), cols_(cols) {
    if (elements_.size() > 0) {
      detail::check(library::fill_with_byte(on, elements_.data(), 0, elements_.bytes()), "device_matrix");
    }
  }

  /// A copy of any host matrix of the same scalar. The source may be changed when this returns.
  template <matrix_like M>
    requires std::same_as<value_t<M>, T> && std::same_as<space_t<M>, host_space>
  static device_matrix copy_of(M const& source, stream_handle on) {
    auto const from = const_view(source);
    if (from.row_stride() != from.cols() || from.col_stride() != 1) return copy_of(matrix<T>::copy_of(from), on);
    device_matrix result(detail::device_array<T>(on, from.size()), from.rows(), from.cols());
    if (from.empty()) return result;
    auto const bytes = result.elements_.bytes();
    detail::check(library::copy_to_device(on, result.data(), from.data(), bytes), "device_matrix::copy_of");
    // Pinned memory is copied later; whoever gave it must not have to know.
    detail::check(library::wait_for(on), "device_matrix::copy_of");
    return result;
  }

  /// A copy on the host, after all work given to the stream before. @throws cuda_error if some of that failed.
  matrix<T> to_host() const {
    matrix<T> result(rows_, cols_);
    if (!empty()) {
      detail::check(library::copy_to_host(elements_.on(), result.data(), data(), elements_.bytes()),
                    "device_matrix::to_host");
    }
    return result;
  }

  /// Addresses of the device: not to be read here.
  T* data() { return elements_.data(); }
  T const* data() const { return elements_.data(); }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t size() const { return rows_ * cols_; }
  index_t row_stride() const { return cols_; }
  index_t col_stride() const { return 1; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }
  stream_handle on() const { return elements_.on(); }

  matrix_view<T, device_space> view() & { return sigmax::view(*this); }
  matrix_view<T const, device_space> view() const& { return sigmax::view(*this); }
  matrix_view<T, device_space> view() && = delete;

 private:
  device_matrix(detail::device_array<T> elements, index_t rows, index_t cols)
      : elements_(std::move(elements)), rows_(rows), cols_(cols) {}

  detail::device_array<T> elements_;
  sigmax::detail::extent rows_;
  sigmax::detail::extent cols_;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
