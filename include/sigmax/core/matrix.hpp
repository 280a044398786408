// SPDX-License-Identifier: MIT
/// @file
/// Owning matrix and vector: 64-byte aligned, row-major, zero-initialised.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// An array of scalars on cache-line boundaries; any scalar type, constructed and destroyed properly.
template <class T>
class aligned_array {
 public:
  static constexpr std::size_t alignment = alignof(T) > 64 ? alignof(T) : 64;

  aligned_array() = default;
  explicit aligned_array(index_t size) {
    if (size < 0 || static_cast<std::size_t>(size) > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) {
      raise<shape_error>({"matrix: ", size, " elements; this many cannot be addressed"});
    }
    if (size == 0) return;
    auto const count = static_cast<std::size_t>(size);
    data_ = static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignment}));
    try {
      for (; size_ < size; ++size_) ::new (static_cast<void*>(data_ + size_)) T();
    } catch (...) {
      release();
      throw;
    }
  }
  aligned_array(aligned_array const& other) : aligned_array(other.size_) {
    for (index_t i = 0; i < size_; ++i) data_[i] = other.data_[i];
  }
  aligned_array(aligned_array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  aligned_array& operator=(aligned_array other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~aligned_array() { release(); }

  T* data() { return data_; }
  T const* data() const { return data_; }

 private:
  void release() noexcept {
    while (size_ > 0) data_[--size_].~T();
    if (data_ != nullptr) ::operator delete (static_cast<void*>(data_), std::align_val_t{alignment});
  }

  T* data_ = nullptr;
  index_t size_ = 0;
};

/// An extent that is 0 once its matrix was moved from.
class extent {
 public:
  extent(index_t value = 0) : value_(value) {}
  extent(extent const&) = default;
  extent(extent&& other) noexcept : value_(std::exchange(other.value_, 0)) {}
  extent& operator=(extent other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  operator index_t() const { return value_; }

 private:
  index_t value_;
};

[[gnu::noinline]] inline index_t checked_area(index_t rows, index_t cols) {
  index_t area = 0;
  if (rows < 0 || cols < 0 || __builtin_mul_overflow(rows, cols, &area)) {
    raise<shape_error>({"matrix: shape is ", rows, " x ", cols,
                        "; extents must not be negative and their product must be addressable"});
  }
  return area;
}

}  // namespace detail

/// A matrix that owns its elements: rows() x cols(), row-major and dense. A value type: copies copy the elements.
template <storage_scalar T>
class matrix {
 public:
  using value_type = T;
  using space = host_space;
  static constexpr bool owns_elements = true;

  matrix() = default;
  /// All elements zero. @throws shape_error on a negative extent or an area that cannot be addressed.
  matrix(index_t rows, index_t cols) : elements_(detail::checked_area(rows, cols)), rows_(rows), cols_(cols) {}

  /// A copy of any matrix of the same scalar.
  template <matrix_like M>
    requires std::same_as<value_t<M>, T> && std::same_as<space_t<M>, host_space>
  static matrix copy_of(M const& source) {
    auto const from = const_view(source);
    matrix result(from.rows(), from.cols());
    for (index_t i = 0; i < from.rows(); ++i) {
      for (index_t j = 0; j < from.cols(); ++j) result(i, j) = from(i, j);
    }
    return result;
  }

  T* data() { return elements_.data(); }
  T const* data() const { return elements_.data(); }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t size() const { return rows_ * cols_; }
  index_t row_stride() const { return cols_; }
  index_t col_stride() const { return 1; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }

  T& operator()(index_t i, index_t j) { return elements_.data()[i * cols_ + j]; }
  T const& operator()(index_t i, index_t j) const { return elements_.data()[i * cols_ + j]; }

  matrix_view<T> view() & { return sigmax::view(*this); }
  matrix_view<T const> view() const& { return sigmax::view(*this); }
  matrix_view<T> view() && = delete;

 private:
  detail::aligned_array<T> elements_;
  detail::extent rows_;
  detail::extent cols_;
};

/// A vector that owns its elements.
template <storage_scalar T>
class vector {
 public:
  using value_type = T;

  vector() = default;
  explicit vector(index_t size) : elements_(size), size_(size) {}

  T* data() { return elements_.data(); }
  T const* data() const { return elements_.data(); }
  index_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](index_t i) { return elements_.data()[i]; }
  T const& operator[](index_t i) const { return elements_.data()[i]; }

  vector_view<T> view() & { return vector_view<T>::unchecked(data(), size_, 1); }
  vector_view<T const> view() const& { return vector_view<T const>::unchecked(data(), size_, 1); }
  vector_view<T> view() && = delete;

 private:
  detail::aligned_array<T> elements_;
  detail::extent size_;
};

}  // namespace sigmax::inline SIGMAX_ABI
