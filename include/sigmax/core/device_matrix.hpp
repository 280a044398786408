// SPDX-License-Identifier: MIT
/// @file
/// The matrix in device memory that results and optimizers own.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// rows x cols, row-major and dense, of indeterminate elements. A value type: copies copy the elements, on the device.
template <storage_scalar T>
class device_matrix {
 public:
  static_assert(std::is_trivially_copyable_v<T>, "sigmax: the memory of a device holds plain numbers, no objects");
  using value_type = T;
  using space = device_space;
  static constexpr bool owns_elements = true;

  device_matrix() = default;
  /// @throws shape_error on a negative extent or an area that cannot be addressed, and what the source throws.
  device_matrix(device_memory const& source, index_t rows, index_t cols)
      : source_(source), rows_(rows), cols_(cols), bytes_(bytes_of(checked_area(rows, cols))) {
    if (bytes_ == 0) return;
    data_ = static_cast<T*>(source_.take(source_.context, bytes_));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  /// @throws unsupported_error if the source does not copy.
  device_matrix(device_matrix const& other) : device_matrix(other.source_, other.rows_, other.cols_) {
    if (bytes_ == 0) return;
    if (source_.copy == nullptr) {
      raise<unsupported_error>({"device_memory: copy is null; a matrix of this device cannot be copied"});
    }
    source_.copy(source_.context, data_, other.data_, bytes_);
  }
  device_matrix(device_matrix&& other) noexcept { swap(other); }
  device_matrix& operator=(device_matrix other) noexcept {
    swap(other);
    return *this;
  }
  ~device_matrix() {
    if (data_ != nullptr) source_.give_back(source_.context, data_, bytes_);
  }

  T* data() { return data_; }
  T const* data() const { return data_; }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t row_stride() const { return cols_; }
  index_t col_stride() const { return 1; }

  matrix_view<T, device_space> view() & {
    return matrix_view<T, device_space>::unchecked(data_, rows_, cols_, cols_, 1);
  }
  matrix_view<T const, device_space> view() const& {
    return matrix_view<T const, device_space>::unchecked(data_, rows_, cols_, cols_, 1);
  }

 private:
  static std::size_t bytes_of(index_t area) {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(area), sizeof(T), &bytes)) {
      raise<shape_error>({"matrix: ", area, " elements; this many cannot be addressed"});
    }
    return bytes;
  }
  void swap(device_matrix& other) noexcept {
    std::swap(source_, other.source_);
    std::swap(data_, other.data_);
    std::swap(rows_, other.rows_);
    std::swap(cols_, other.cols_);
    std::swap(bytes_, other.bytes_);
  }

  device_memory source_;
  T* data_ = nullptr;
  index_t rows_ = 0;
  index_t cols_ = 0;
  std::size_t bytes_ = 0;
};

/// The owning matrix of a memory space.
template <class T, class Space>
using owned_matrix = std::conditional_t<std::is_same_v<Space, host_space>, matrix<T>, device_matrix<T>>;

}  // namespace sigmax::inline SIGMAX_ABI::detail
