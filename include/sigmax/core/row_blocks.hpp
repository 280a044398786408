// SPDX-License-Identifier: MIT
/// @file
/// A matrix as a batch of its row blocks: fused projections and attention heads, each a matrix of its own.
#pragma once

#include <concepts>
#include <span>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// @throws shape_error unless the heights are not negative and add up to `rows`.
inline void check_row_blocks(char const* function, index_t rows, std::span<index_t const> heights) {
  index_t left = rows;
  for (index_t const height : heights) {
    if (height < 0 || height > left) left = -1;
    if (left < 0) break;
    left -= height;
  }
  if (left != 0) {
    raise<shape_error>(
        {function, ": the heights of the row blocks do not add up to the ", rows, " rows of the matrix"});
  }
}

}  // namespace detail

/// The row blocks of one matrix, in order, as a batch. Owns nothing: neither the elements nor the list of heights.
///
///     sigmax::row_blocks qkv(W, 3);                 // W is 3 d x d
///     sigmax::hard_cap(qkv, {.sigma_max = 1.0});    // the projections one by one
template <class T, class Space = host_space>
class row_blocks {
 public:
  /// `count` blocks of equal height. @throws shape_error unless count >= 1 divides the number of rows.
  template <matrix_like M>
  row_blocks(M&& w, index_t count) : matrix_(sigmax::view(std::forward<M>(w))), size_(count) {
    if (count < 1 || matrix_.rows() % count != 0) {
      detail::raise<shape_error>({"row_blocks: count is ", count, "; it must be at least 1 and divide the ",
                                  matrix_.rows(), " rows of the matrix"});
    }
  }
  /// Blocks of the given heights. @throws shape_error unless they are not negative and add up to the number of rows.
  template <matrix_like M>
  row_blocks(M&& w, std::span<index_t const> heights)
      : matrix_(sigmax::view(std::forward<M>(w))), heights_(heights), size_(static_cast<index_t>(heights.size())) {
    detail::check_row_blocks("row_blocks", matrix_.rows(), heights);
  }

  index_t size() const { return size_; }
  /// Block b; the heights before it are added up.
  matrix_view<T, Space> operator[](std::integral auto b) const {
    auto const index = static_cast<index_t>(b);
    if (heights_.empty()) {
      index_t const height = matrix_.rows() / size_;
      return matrix_.block(index * height, 0, height, matrix_.cols());
    }
    index_t first = 0;
    for (index_t i = 0; i < index; ++i) first += heights_[static_cast<std::size_t>(i)];
    return matrix_.block(first, 0, heights_[static_cast<std::size_t>(index)], matrix_.cols());
  }

 private:
  matrix_view<T, Space> matrix_;
  std::span<index_t const> heights_;
  index_t size_ = 1;
};

template <matrix_like M, class Blocks>
row_blocks(M&&, Blocks)
    -> row_blocks<std::remove_pointer_t<decltype(sigmax::detail::view_of(std::declval<M&>()).data())>, space_t<M>>;

}  // namespace sigmax::inline SIGMAX_ABI
