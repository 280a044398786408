// SPDX-License-Identifier: MIT
/// @file
/// Non-owning views: a pointer, extents, strides and the memory space as part of the type.
#pragma once

#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

// What the constructors of views throw, the same for all scalars.

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_vector_view(index_t size) {
  if (size < 0) raise<shape_error>({"vector_view: size is ", size, "; it must not be negative"});
  raise<shape_error>({"vector_view: data is null; it must point to ", size, " elements"});
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_matrix_view(index_t rows, index_t cols) {
  if (rows < 0 || cols < 0) {
    raise<shape_error>({"matrix_view: shape is ", rows, " x ", cols, "; extents must not be negative"});
  }
  raise<shape_error>({"matrix_view: data is null; a ", rows, " x ", cols, " matrix needs elements"});
}

}  // namespace detail

/// Memory the processor can address.
struct host_space {};

/// Memory of a device. A view of it cannot be read on the host and is accepted only by backends of the same space.
struct device_space {};

/// A vector of `size()` scalars, `stride()` elements apart. Element i is `data()[i * stride()]`.
template <class T, class Space = host_space>
class vector_view {
 public:
  using value_type = std::remove_const_t<T>;
  using space = Space;

  constexpr vector_view() = default;
  /// @throws shape_error if size < 0, or data is null while size > 0.
  constexpr vector_view(T* data, index_t size, index_t stride = 1) : data_(data), size_(size), stride_(stride) {
    if (size < 0 || (size > 0 && data == nullptr)) detail::refuse_vector_view(size);
  }

  constexpr T* data() const { return data_; }
  constexpr index_t size() const { return size_; }
  constexpr index_t stride() const { return stride_; }
  constexpr bool empty() const { return size_ == 0; }

  constexpr T& operator[](index_t i) const requires std::is_same_v<Space, host_space> { return data_[i * stride_]; }

  /// Elements [first, first + count).
  constexpr vector_view segment(index_t first, index_t count) const {
    return unchecked(data_ + first * stride_, count, stride_);
  }

  /// A view of mutable elements is a view of constant ones. (A template, so that it never competes with the copy.)
  template <class U>
    requires(std::is_same_v<U, T const> && !std::is_const_v<T>)
  constexpr operator vector_view<U, Space>() const { return vector_view<U, Space>::unchecked(data_, size_, stride_); }

  /// Without the checks of the constructor, for callers that hold valid extents already.
  static constexpr vector_view unchecked(T* data, index_t size, index_t stride) {
    vector_view result;
    result.data_ = data;
    result.size_ = size;
    result.stride_ = stride;
    return result;
  }

 private:
  T* data_ = nullptr;
  index_t size_ = 0;
  index_t stride_ = 1;
};

/// A matrix of `rows()` x `cols()` scalars. Element (i, j) is `data()[i * row_stride() + j * col_stride()]`, so both
/// storage orders, blocks and transposes are the same type. Strides are counted in elements and may be negative.
template <class T, class Space = host_space>
class matrix_view {
 public:
  using value_type = std::remove_const_t<T>;
  using space = Space;

  constexpr matrix_view() = default;

  /// Dense row-major: row_stride = cols, col_stride = 1.
  constexpr matrix_view(T* data, index_t rows, index_t cols) : matrix_view(data, rows, cols, cols, 1) {}

  /// @throws shape_error if an extent is negative, or data is null although there are elements.
  constexpr matrix_view(T* data, index_t rows, index_t cols, index_t row_stride, index_t col_stride)
      : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride), col_stride_(col_stride) {
    bool const missing = rows > 0 && cols > 0 && data == nullptr;
    if (rows < 0 || cols < 0 || missing) detail::refuse_matrix_view(rows, cols);
    // Rows and blocks of a matrix without elements are asked for too; their address must not be computed from null.
    if (rows == 0 || cols == 0) row_stride_ = col_stride_ = 0;
  }

  constexpr T* data() const { return data_; }
  constexpr index_t rows() const { return rows_; }
  constexpr index_t cols() const { return cols_; }
  constexpr index_t size() const { return rows_ * cols_; }
  constexpr index_t row_stride() const { return row_stride_; }
  constexpr index_t col_stride() const { return col_stride_; }
  constexpr bool empty() const { return rows_ == 0 || cols_ == 0; }

  constexpr T& operator()(index_t i, index_t j) const requires std::is_same_v<Space, host_space> {
    return data_[i * row_stride_ + j * col_stride_];
  }

  constexpr matrix_view<T, Space> transposed() const {
    return unchecked(data_, cols_, rows_, col_stride_, row_stride_);
  }
  /// Rows [first_row, first_row + rows) of columns [first_col, first_col + cols).
  constexpr matrix_view<T, Space> block(index_t first_row, index_t first_col, index_t rows, index_t cols) const {
    return unchecked(data_ + first_row * row_stride_ + first_col * col_stride_, rows, cols, row_stride_, col_stride_);
  }
  constexpr vector_view<T, Space> row(index_t i) const {
    return vector_view<T, Space>::unchecked(data_ + i * row_stride_, cols_, col_stride_);
  }
  constexpr vector_view<T, Space> col(index_t j) const {
    return vector_view<T, Space>::unchecked(data_ + j * col_stride_, rows_, row_stride_);
  }
  constexpr vector_view<T, Space> diagonal() const {
    return vector_view<T, Space>::unchecked(data_, rows_ < cols_ ? rows_ : cols_, row_stride_ + col_stride_);
  }

  template <class U>
    requires(std::is_same_v<U, T const> && !std::is_const_v<T>)
  constexpr operator matrix_view<U, Space>() const {
    return matrix_view<U, Space>::unchecked(data_, rows_, cols_, row_stride_, col_stride_);
  }

  static constexpr matrix_view unchecked(T* data, index_t rows, index_t cols, index_t row_stride, index_t col_stride) {
    matrix_view result;
    result.data_ = data;
    result.rows_ = rows;
    result.cols_ = cols;
    result.row_stride_ = row_stride;
    result.col_stride_ = col_stride;
    return result;
  }

 private:
  T* data_ = nullptr;
  index_t rows_ = 0;
  index_t cols_ = 0;
  index_t row_stride_ = 0;
  index_t col_stride_ = 1;
};

/// The vector as a matrix of one row, for primitives that work on matrices.
template <class T, class Space>
constexpr matrix_view<T, Space> as_row(vector_view<T, Space> v) {
  return matrix_view<T, Space>::unchecked(v.data(), 1, v.size(), v.size() * v.stride(), v.stride());
}

template <class T>
vector_view(T*, index_t) -> vector_view<T>;
template <class T>
vector_view(T*, index_t, index_t) -> vector_view<T>;
template <class T>
matrix_view(T*, index_t, index_t) -> matrix_view<T>;
template <class T>
matrix_view(T*, index_t, index_t, index_t, index_t) -> matrix_view<T>;

}  // namespace sigmax::inline SIGMAX_ABI
