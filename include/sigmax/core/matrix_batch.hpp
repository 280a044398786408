// SPDX-License-Identifier: MIT
/// @file
/// Several matrices in one call: a strided batch in one buffer, or any array of matrices of mixed shapes.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// `size()` matrices of one shape, `batch_stride` elements apart: the layout of a 3-D tensor. Element (i, j) of matrix b
/// is `data[b * batch_stride + i * row_stride + j * col_stride]`.
template <class T, class Space = host_space>
class strided_batch {
 public:
  constexpr strided_batch() = default;
  /// Dense: b, i, j row-major. @throws shape_error for a negative extent.
  constexpr strided_batch(T* data, index_t size, index_t rows, index_t cols)
      : strided_batch(matrix_view<T, Space>(data, rows, cols), size, rows * cols) {}
  /// `first` and its likes. @throws shape_error if size < 0.
  constexpr strided_batch(matrix_view<T, Space> first, index_t size, index_t batch_stride)
      : first_(first), size_(size), batch_stride_(batch_stride) {
    if (size < 0) detail::raise<shape_error>({"strided_batch: size is ", size, "; it must not be negative"});
  }

  constexpr index_t size() const { return size_; }
  /// Of any index type, as the arrays of others are indexed by unsigned numbers.
  constexpr matrix_view<T, Space> operator[](std::integral auto b) const {
    return matrix_view<T, Space>::unchecked(first_.data() + static_cast<index_t>(b) * batch_stride_, first_.rows(),
                                            first_.cols(), first_.row_stride(), first_.col_stride());
  }

 private:
  matrix_view<T, Space> first_;
  index_t size_ = 0;
  index_t batch_stride_ = 0;
};

template <class T>
strided_batch(T*, index_t, index_t, index_t) -> strided_batch<T>;

/// An array of matrices: std::vector<matrix<float>>, std::array of views, std::span, strided_batch, ...
template <class A>
concept matrix_batch = !matrix_like<A> && requires(A & batch) {
  { batch.size() } -> std::convertible_to<std::size_t>;
  requires matrix_like<decltype(batch[0])>;
};

namespace detail {

template <class A>
struct argument_matrix {
  using type = std::remove_reference_t<A>;
};
template <matrix_batch A>
struct argument_matrix<A> {
  using type = std::remove_reference_t<decltype(std::declval<A&>()[0])>;
};

}  // namespace detail

/// The matrix type of an argument that is a matrix or a batch of them.
template <class A>
using argument_matrix_t = typename detail::argument_matrix<A>::type;

/// A matrix or a batch of matrices that can be written.
template <class A>
concept writable_argument = (matrix_like<A> && writable_matrix<A>) ||
                            (matrix_batch<A> && writable_matrix<argument_matrix_t<A>>);

}  // namespace sigmax::inline SIGMAX_ABI
