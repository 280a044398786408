// SPDX-License-Identifier: MIT
/// @file
/// The form in which proofs see a matrix: doubles, short side first, scaled by an exact power of two.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// X = 2^-exponent W (transposed if W has more rows than columns): rows <= cols, row-major, max |x_ij| in [1/2, 1).
/// In that range no sum of products of two entries overflows, and what underflows is covered by the terms in eta.
struct scaled_matrix {
  matrix_view<double> elements;
  /// ||W||_2 lies within 2^exponent (||X||_2 -+ flush).
  std::int64_t exponent = 0;
  /// Bound of ||2^-exponent W - X||_2: entries that left the normal range when scaled down were rounded.
  double flush = 0;
  bool is_zero = true;
};

/// Reads W into `frame`. `W` is named in the message. Cost: two passes over W; rows x cols doubles.
/// @throws numeric_error naming the first element that is NaN or infinite.
template <class S>
scaled_matrix scaled_copy(matrix_view<S const> w, char const* function, workspace::frame& frame) {
  if (w.rows() > w.cols()) w = w.transposed();
  scaled_matrix result;
  double largest = 0;
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) {
      auto const value = static_cast<double>(w(i, j));
      if (!is_finite(value)) {
        raise<numeric_error>(
            {function, ": W has an element that is ", is_nan(value) ? "NaN" : "infinite", "; all must be finite"});
      }
      double const magnitude = std::fabs(value);
      if (largest < magnitude) largest = magnitude;
    }
  }
  result.elements = frame.template matrix<double>(w.rows(), w.cols());
  result.is_zero = !(largest > 0);
  int exponent = 0;
  if (!result.is_zero) std::frexp(largest, &exponent);
  result.exponent = exponent;
  // Scaling up is exact. Scaling down rounds entries that become subnormal, each by half of eta at the most. One factor
  // 2^-exponent always exists as a double when scaling down; scaling up may need two.
  double const first = std::ldexp(1.0, exponent < -1000 ? 500 : -exponent);
  double const second = exponent < -1000 ? std::ldexp(1.0, -exponent - 500) : 1.0;
  bool exact = true;
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) {
      auto const value = static_cast<double>(w(i, j));
      double const scaled = value * first * second;
      if (exponent > 0 && std::fabs(scaled) < std::numeric_limits<double>::min() && value != 0) exact = false;
      result.elements(i, j) = scaled;
    }
  }
  // Frobenius norm of a matrix whose entries are at most eta.
  if (!exact) {
    result.flush = multiply_up(sqrt_up(multiply_up(static_cast<double>(w.rows()), static_cast<double>(w.cols()))),
                               double_underflow);
  }
  return result;
}

/// 2^exponent (x + flush), rounded upwards, and 2^exponent (x - flush), rounded downwards and not below 0.
inline double unscaled_up(double x, scaled_matrix const& matrix) {
  return scale_up(add_up(x, matrix.flush), matrix.exponent);
}
inline double unscaled_down(double x, scaled_matrix const& matrix) {
  double const inner = subtract_down(x, matrix.flush);
  return inner > 0 ? scale_down(inner, matrix.exponent) : 0.0;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
