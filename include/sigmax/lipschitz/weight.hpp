// SPDX-License-Identifier: MIT
/// @file
/// A stored weight matrix of any exact scalar, owned or viewed.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// The matrix of a linear layer in the scalar it was stored in: nothing is converted, so nothing is rounded.
/// Copies share the elements.
class weight {
 public:
  /// Views `matrix`, which must outlive this weight and must not change while a certificate of it is made.
  template <provable_matrix M>
  static weight viewing(M const& matrix) {
    return weight(const_view(matrix), nullptr);
  }

  /// Takes the matrix over.
  template <provable_matrix M>
    requires std::is_object_v<M>
  static weight owning(M&& matrix) {
    auto owner = std::make_shared<std::remove_cv_t<M>>(std::move(matrix));
    auto const elements = const_view(*owner);
    return weight(elements, std::move(owner));
  }

  /// Calls f with the matrix_view<T const> of the stored scalar T.
  template <class F>
  decltype(auto) visit(F&& f) const {
    switch (kind_) {
      case kind::float32:
        return f(as<float>());
      case kind::bfloat16:
        return f(as<bf16>());
      case kind::float16:
        return f(as<f16>());
      default:
        return f(as<double>());
    }
  }

  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  /// Element (i, j), exactly.
  double operator()(index_t i, index_t j) const {
    return visit([&](auto const& w) { return static_cast<double>(w(i, j)); });
  }
  /// True for views of the same elements in the same order.
  bool is_same_as(weight const& other) const {
    return data_ == other.data_ && kind_ == other.kind_ && rows_ == other.rows_ && cols_ == other.cols_ &&
           row_stride_ == other.row_stride_ && col_stride_ == other.col_stride_;
  }
  /// The same elements with rows and columns exchanged.
  weight transposed() const {
    weight result = *this;
    std::swap(result.rows_, result.cols_);
    std::swap(result.row_stride_, result.col_stride_);
    return result;
  }

  /// This matrix above `next`, if the rows of both lie behind each other as rows of one matrix.
  template <class = void>
  std::optional<weight> above(weight const& next) const {
    weight end = *this;
    visit([&](auto const& w) { end.data_ = w.data() + rows_ * row_stride_; });
    end.rows_ = next.rows_;
    if (!end.is_same_as(next)) return std::nullopt;
    end.data_ = data_;
    end.rows_ += rows_;
    return end;
  }

  /// Rows first_row, first_row + row_step, ... and columns first_col, first_col + 1, ... as a matrix of rows x cols.
  /// @throws shape_error if it reaches beyond this matrix.
  template <class = void>
  weight block(index_t first_row, index_t rows, index_t row_step, index_t first_col, index_t cols) const {
    bool const inside = first_row >= 0 && rows >= 0 && row_step >= 1 && first_col >= 0 && cols >= 0 &&
                        first_col <= cols_ - cols && (rows == 0 || first_row + (rows - 1) * row_step < rows_);
    if (!inside) {
      sigmax::detail::raise<shape_error>({"weight: a block of ", rows, " rows from ", first_row, " and ", cols,
                                          " columns from ", first_col, " reaches beyond a matrix of ", rows_, " x ",
                                          cols_});
    }
    weight result = *this;
    visit([&](auto const& w) {
      result.data_ = w.data() + (rows == 0 || cols == 0 ? 0 : first_row * row_stride_ + first_col * col_stride_);
    });
    result.rows_ = rows;
    result.cols_ = cols;
    result.row_stride_ = row_stride_ * row_step;
    return result;
  }

 private:
  enum class kind : unsigned char { float64, float32, bfloat16, float16 };

  template <class T>
  static constexpr kind kind_of = std::same_as<T, float>  ? kind::float32
                                  : std::same_as<T, bf16> ? kind::bfloat16
                                  : std::same_as<T, f16>  ? kind::float16
                                                          : kind::float64;

  template <exact_in_double T>
  weight(matrix_view<T const> elements, std::shared_ptr<void const> owner)
      : data_(elements.data()),
        rows_(elements.rows()),
        cols_(elements.cols()),
        row_stride_(elements.row_stride()),
        col_stride_(elements.col_stride()),
        kind_(kind_of<T>),
        owner_(std::move(owner)) {}

  template <class T>
  matrix_view<T const> as() const {
    return matrix_view<T const>::unchecked(static_cast<T const*>(data_), rows_, cols_, row_stride_, col_stride_);
  }

  void const* data_;
  index_t rows_;
  index_t cols_;
  index_t row_stride_;
  index_t col_stride_;
  kind kind_;
  std::shared_ptr<void const> owner_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
