// SPDX-License-Identifier: MIT
/// @file
/// The form in which proofs see a matrix: doubles, short side first, scaled by an exact power of two.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// X = 2^-exponent W (transposed if W has more rows than columns): rows <= cols, row-major, max |x_ij| in [1/2, 1).
/// In that range no sum of products of two entries overflows, and what underflows is covered by the terms in eta.
template <class Space = host_space>
struct scaled_matrix {
  matrix_view<double, Space> elements;
  /// ||W||_2 lies within 2^exponent (||X||_2 -+ flush).
  std::int64_t exponent = 0;
  /// Bound of ||2^-exponent W - X||_2: entries that left the normal range when scaled down were rounded.
  double flush = 0;
  bool is_zero = true;
};

template <class S>
[[noreturn, gnu::cold, gnu::noinline]] void raise_not_finite(matrix_view<S const, device_space>, char const* function) {
  raise<numeric_error>({function, ": W has an element that is NaN or infinite; all must be finite"});
}

template <class S>
[[noreturn, gnu::cold, gnu::noinline]] void raise_not_finite(matrix_view<S const> w, char const* function) {
  bool nan = false;
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) nan = nan || is_nan(static_cast<double>(w(i, j)));
  }
  raise<numeric_error>({function, ": W has an element that is ", nan ? "NaN" : "infinite", "; all must be finite"});
}

/// The largest |w_ij|, +infinity if an element is NaN or infinite. One pass over W.
template <class B, class S>
double largest_magnitude_of(B const& on, matrix_view_on<B, S const> w) {
  return static_cast<double>(on.max_abs(w));
}

/// The two powers of two whose product is 2^-exponent. One factor always exists as a double when scaling down; scaling up
/// may need two.
struct scale_factors {
  double first;
  double second;

  explicit scale_factors(int exponent)
      : first(std::ldexp(1.0, exponent < -1000 ? 500 : -exponent)),
        second(exponent < -1000 ? std::ldexp(1.0, -exponent - 500) : 1.0) {}
};

/// Frobenius norm of a rows x cols matrix whose entries are at most eta.
inline double flush_up(index_t rows, index_t cols) {
  return multiply_up(sqrt_up(multiply_up(static_cast<double>(rows), static_cast<double>(cols))), double_underflow);
}

/// Reads W, all of whose elements are finite, into `frame`; `largest` is its largest magnitude. Cost: a pass over W;
/// rows x cols doubles.
template <class S>
scaled_matrix<> scaled_copy(matrix_view<S const> w, double largest, workspace::frame& frame) {
  if (w.rows() > w.cols()) w = w.transposed();
  scaled_matrix<> result;
  result.elements = frame.template matrix<double>(w.rows(), w.cols());
  result.is_zero = !(largest > 0);
  int exponent = 0;
  if (!result.is_zero) std::frexp(largest, &exponent);
  result.exponent = exponent;
  // Scaling up is exact. Scaling down rounds entries that become subnormal, each by half of eta at the most.
  auto const [first, second] = scale_factors(exponent);
  bool exact = true;
  for (index_t i = 0; i < w.rows(); ++i) {
    auto const from = w.row(i);
    double* const to = result.elements.row(i).data();
    if (exponent > 0) {
      for (index_t j = 0; j < w.cols(); ++j) {
        auto const value = static_cast<double>(from[j]);
        to[j] = value * first;
        if (std::fabs(to[j]) < std::numeric_limits<double>::min() && value != 0) exact = false;
      }
    } else {
      for (index_t j = 0; j < w.cols(); ++j) to[j] = static_cast<double>(from[j]) * first * second;
    }
  }
  if (!exact) result.flush = flush_up(w.rows(), w.cols());
  return result;
}

/// The same in the memory of a backend. Where it cannot be looked at, W scaled down is taken to have lost digits, unless it
/// is of a storage whose smallest number, 2^-149, stays normal.
template <class B, class S>
scaled_matrix<typename B::space> scaled_copy([[maybe_unused]] B const& on, matrix_view_on<B, S const> w, double largest,
                                             workspace::frame& frame) {
  if constexpr (works_on_host<B>) {
    return scaled_copy(w, largest, frame);
  } else {
    if (w.rows() > w.cols()) w = w.transposed();
    scaled_matrix<typename B::space> result;
    result.elements = frame.template matrix<double, typename B::space>(w.rows(), w.cols());
    result.is_zero = !(largest > 0);
    int exponent = 0;
    if (!result.is_zero) std::frexp(largest, &exponent);
    result.exponent = exponent;
    scale_factors const factors(exponent);
    on.convert(w, result.elements);
    on.combine(factors.first, result.elements, 0.0, result.elements);
    if (factors.second != 1) on.combine(factors.second, result.elements, 0.0, result.elements);
    if (exponent > 0 && std::same_as<S, double>) result.flush = flush_up(w.rows(), w.cols());
    return result;
  }
}

/// The same for any W, which is named in the message. @throws numeric_error if an element is NaN or infinite.
template <class B, class S>
scaled_matrix<typename B::space> scaled_copy(B const& on, matrix_view_on<B, S const> w, char const* function,
                                             workspace::frame& frame) {
  double const largest = largest_magnitude_of<B, S>(on, w);
  if (!is_finite(largest)) raise_not_finite(w, function);
  return scaled_copy<B, S>(on, w, largest, frame);
}

/// 2^exponent (x + flush), rounded upwards, and 2^exponent (x - flush), rounded downwards and not below 0.
template <class Space>
double unscaled_up(double x, scaled_matrix<Space> const& matrix) {
  return scale_up(add_up(x, matrix.flush), matrix.exponent);
}
template <class Space>
double unscaled_down(double x, scaled_matrix<Space> const& matrix) {
  double const inner = subtract_down(x, matrix.flush);
  return inner > 0 ? scale_down(inner, matrix.exponent) : 0.0;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
