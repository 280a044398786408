// SPDX-License-Identifier: MIT
/// @file
/// What a matrix product of cpu::simd is asked to compute.
#pragma once

#include <cstddef>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// A factor of a product as bytes, strides in bytes too: whatever scalar it is stored in, blocks of it are handed on alike,
/// down to the packing that knows (see `tiling_of`).
using operand = matrix_view<std::byte const>;

template <class S>
operand as_operand(matrix_view<S> x) {
  constexpr auto size = static_cast<index_t>(sizeof(S));
  return operand::unchecked(reinterpret_cast<std::byte const*>(x.data()), x.rows(), x.cols(), x.row_stride() * size,
                            x.col_stride() * size);
}

/// The matrix of S that was made an operand.
template <class S>
matrix_view<S const> elements_of(operand x) {
  constexpr auto size = static_cast<index_t>(sizeof(S));
  return matrix_view<S const>::unchecked(reinterpret_cast<S const*>(x.data()), x.rows(), x.cols(),
                                         x.row_stride() / size, x.col_stride() / size);
}

/// r = alpha a b^T + beta c where j <= i + diagonal, the rest of r untouched. a: m x k, b: n x k, c, r: m x n; c may be
/// r, and is not read if beta is 0.
template <class T>
struct product {
  T alpha;
  operand a;
  operand b;
  T beta;
  matrix_view<T const> c;
  matrix_view<T> r;
  index_t diagonal;
  /// The triangle is copied over the other one next, so that a tile may write what it has beyond the diagonal.
  bool mirrored = false;

  /// c, or r where c is not read and may be nothing.
  matrix_view<T const> addend() const { return beta == T(0) ? matrix_view<T const>(r) : c; }

  /// a and b are the same matrix: it is packed once.
  bool is_gram() const {
    return a.data() == b.data() && a.rows() == b.rows() && a.row_stride() == b.row_stride() &&
           a.col_stride() == b.col_stride();
  }
  /// Rows [first, last) of the product. A band of a triangle has no columns beyond its last row.
  product rows(index_t first, index_t last) const {
    bool const triangle = diagonal < r.cols();
    index_t const cols = triangle && last + diagonal < r.cols() ? last + diagonal : r.cols();
    auto const band = [&](auto x) { return x.block(first, 0, last - first, cols); };
    return {alpha,
            a.block(first, 0, last - first, a.cols()),
            b.block(0, 0, cols, b.cols()),
            beta,
            beta == T(0) ? c : band(c),
            band(r),
            triangle ? diagonal + first : cols,
            mirrored};
  }
  /// Columns [first, last) of a product that is wanted whole.
  product columns(index_t first, index_t last) const {
    auto const band = [&](auto x) { return x.block(0, first, x.rows(), last - first); };
    return {alpha,   a,           b.block(first, 0, last - first, b.cols()), beta, beta == T(0) ? c : band(c),
            band(r), last - first};
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
