// SPDX-License-Identifier: MIT
/// @file
/// A stored tensor as a matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// rows() x cols() elements of a file, constant, row-major and dense: a matrix for every function that takes one.
///
/// Where the bytes lie on an address that suits T they are used in place, and the matrix must not outlive what holds
/// them; where they do not (a file may begin a tensor at any byte), it owns a copy of `rows * cols * sizeof(T)` bytes.
template <exact_in_double T>
class tensor_matrix {
 public:
  using value_type = T;
  using space = host_space;
  /// Views of a temporary do not compile: it may be a copy.
  static constexpr bool owns_elements = true;

  /// Requires rows * cols * sizeof(T) bytes.
  tensor_matrix(std::span<std::byte const> bytes, index_t rows, index_t cols) : rows_(rows), cols_(cols) {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0) {
      in_place_ = reinterpret_cast<T const*>(bytes.data());
    } else if (!bytes.empty()) {
      copy_ = sigmax::matrix<T>(rows, cols);
      std::memcpy(static_cast<void*>(copy_.data()), bytes.data(), bytes.size());
    }
  }

  T const* data() const { return is_copy() ? copy_.data() : in_place_; }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t size() const { return rows_ * cols_; }
  index_t row_stride() const { return cols_; }
  index_t col_stride() const { return 1; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }
  T const& operator()(index_t i, index_t j) const { return data()[i * cols_ + j]; }

  /// True if the elements had to be copied.
  bool is_copy() const { return !copy_.empty(); }

  matrix_view<T const> view() const& { return {data(), rows_, cols_}; }
  matrix_view<T const> view() && = delete;

 private:
  T const* in_place_ = nullptr;
  index_t rows_;
  index_t cols_;
  sigmax::matrix<T> copy_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io
