// SPDX-License-Identifier: MIT
/// @file
/// Matrices in every storage a view can describe, each in a buffer of exactly the memory it spans.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include <sigmax/core/matrix_view.hpp>

namespace sigmax::test {

enum class layout {
  row_major,
  col_major,
  padded_rows,
  padded_cols,
  spread,
  rows_backwards,
  all_backwards,
  spread_cols
};

inline constexpr layout every_layout[] = {layout::row_major,     layout::col_major,  layout::padded_rows,
                                          layout::padded_cols,   layout::spread,     layout::rows_backwards,
                                          layout::all_backwards, layout::spread_cols};
inline constexpr int layout_count = 8;

/// Layout number i, counted around.
inline layout layout_at(index_t i) { return every_layout[static_cast<std::size_t>(i % layout_count)]; }

/// Numbers in [-1, 1) that depend on nothing but the seed.
class number_source {
 public:
  explicit number_source(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  double next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<double>(static_cast<std::int64_t>(state_ >> 11)) * 0x1p-52 - 1;
  }

 private:
  std::uint64_t state_;
};

/// A matrix in a buffer without a spare element, so that a sanitizer sees every access beside it. Gaps between its
/// elements hold NaN: a result that read one is NaN, and `gaps_intact` tells if one was written.
template <class T>
class stored_matrix {
 public:
  stored_matrix(index_t rows, index_t cols, layout order) {
    index_t row_stride = cols;
    index_t col_stride = 1;
    if (order == layout::col_major) row_stride = 1, col_stride = rows;
    if (order == layout::padded_rows) row_stride = cols + 3;
    if (order == layout::padded_cols) row_stride = 1, col_stride = rows + 5;
    if (order == layout::spread) row_stride = 2 * cols + 1, col_stride = 2;
    if (order == layout::spread_cols) row_stride = 3, col_stride = 3 * rows + 2;
    if (order == layout::rows_backwards) row_stride = -(cols + 2);
    if (order == layout::all_backwards) row_stride = -cols, col_stride = -1;
    // A row of an empty matrix is null plus an offset, which is undefined unless the offset is 0.
    bool const empty = rows == 0 || cols == 0;
    if (empty) row_stride = 0, col_stride = 0;
    index_t const row_span = (rows - 1) * row_stride;
    index_t const col_span = (cols - 1) * col_stride;
    index_t const size = empty ? 0 : std::abs(row_span) + std::abs(col_span) + 1;
    index_t const first = (row_span < 0 ? -row_span : 0) + (col_span < 0 ? -col_span : 0);
    elements_.assign(static_cast<std::size_t>(size), std::numeric_limits<T>::quiet_NaN());
    view_ = matrix_view<T>(elements_.data() + first, rows, cols, row_stride, col_stride);
  }
  stored_matrix(index_t rows, index_t cols, layout order, number_source& source, double scale = 1)
      : stored_matrix(rows, cols, order) {
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) view_(i, j) = static_cast<T>(scale * source.next());
    }
  }
  stored_matrix(stored_matrix const&) = delete;
  stored_matrix& operator=(stored_matrix const&) = delete;

  matrix_view<T> view() const { return view_; }
  T& operator()(index_t i, index_t j) const { return view_(i, j); }

  void set(matrix_view<T const> x) const {
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t j = 0; j < x.cols(); ++j) view_(i, j) = x(i, j);
    }
  }

  /// True if as many elements of the buffer are NaN as before anything but the elements was written.
  bool gaps_intact() const {
    std::size_t nan = 0;
    for (T const element : elements_) nan += std::isnan(element) ? 1 : 0;
    for (index_t i = 0; i < view_.rows(); ++i) {
      for (index_t j = 0; j < view_.cols(); ++j) nan -= std::isnan(view_(i, j)) ? 1 : 0;
    }
    return nan == elements_.size() - static_cast<std::size_t>(view_.size());
  }

 private:
  std::vector<T> elements_;
  matrix_view<T> view_;
};

/// Column 0 of a one-column matrix as a vector, of any stride its layout has.
template <class T>
vector_view<T> as_vector(stored_matrix<T> const& x) {
  return x.view().col(0);
}

template <class T>
bool same_bits(matrix_view<T> x, matrix_view<T> y) {
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) {
      if (std::memcmp(&x(i, j), &y(i, j), sizeof(T)) != 0) return false;
    }
  }
  return true;
}

}  // namespace sigmax::test
