// SPDX-License-Identifier: MIT
/// @file
/// Sums, maxima and linear combinations of contiguous elements, and the search for a view's contiguous direction.
#pragma once

#include <algorithm>
#include <limits>

#include <sigmax/backend/simd/contiguous_rows.hpp>
#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// One row after the other without a gap.
template <class T>
bool is_dense(matrix_view<T> x) {
  return x.col_stride() == 1 && x.row_stride() == x.cols();
}

/// The same elements as one long row, or transposed, where that makes rows contiguous: for what ignores their order.
template <class T>
matrix_view<T> along_storage(matrix_view<T> x) {
  if (is_dense(x)) return matrix_view<T>::unchecked(x.data(), 1, x.size(), x.size(), 1);
  if (is_dense(x.transposed())) return along_storage(x.transposed());
  return x.col_stride() != 1 && x.row_stride() == 1 ? x.transposed() : x;
}

/// u . v in four interleaved sums.
template <class T, class Arch>
[[gnu::flatten]] T dot(T const* u, T const* v, index_t length) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> first(T(0)), second(T(0)), third(T(0)), fourth(T(0));
  index_t at = 0;
  for (; at + 4 * size <= length; at += 4 * size) {
    first = multiply_add(load<T, Arch>(u + at), load<T, Arch>(v + at), first);
    second = multiply_add(load<T, Arch>(u + at + size), load<T, Arch>(v + at + size), second);
    third = multiply_add(load<T, Arch>(u + at + 2 * size), load<T, Arch>(v + at + 2 * size), third);
    fourth = multiply_add(load<T, Arch>(u + at + 3 * size), load<T, Arch>(v + at + 3 * size), fourth);
  }
  for (; at + size <= length; at += size) {
    first = multiply_add(load<T, Arch>(u + at), load<T, Arch>(v + at), first);
  }
  T total = sum<T, Arch>((first + second) + (third + fourth));
  for (; at < length; ++at) total = multiply_add(u[at], v[at], total);
  return total;
}

/// u . v for any strides, in order.
template <class S, class T>
T dot(vector_view<S const> u, vector_view<T const> v) {
  T total(0);
  for (index_t i = 0; i < u.size(); ++i) total = multiply_add(static_cast<T>(u[i]), v[i], total);
  return total;
}

/// The same, by lanes where both are contiguous.
template <class T, class Arch>
[[gnu::noinline]] T dot_of_any_strides(vector_view<T const> u, vector_view<T const> v) {
  return u.stride() == 1 && v.stride() == 1 ? dot<T, Arch>(u.data(), v.data(), u.size()) : dot(u, v);
}

/// sum |x_i|
template <class T, class Arch>
[[gnu::flatten]] T sum_abs(T const* x, index_t length) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> even(T(0)), odd(T(0));
  index_t at = 0;
  for (; at + 2 * size <= length; at += 2 * size) {
    even = even + magnitude<T, Arch>(load<T, Arch>(x + at));
    odd = odd + magnitude<T, Arch>(load<T, Arch>(x + at + size));
  }
  T total = sum<T, Arch>(even + odd);
  for (; at < length; ++at) total += x[at] < T(0) ? -x[at] : x[at];
  return total;
}

/// sums += |x|, elementwise.
template <class T, class Arch>
[[gnu::flatten]] void add_abs(T const* x, index_t length, T* sums) {
  index_t at = 0;
  for (; at + lanes<T, Arch> <= length; at += lanes<T, Arch>) {
    store(load<T, Arch>(sums + at) + magnitude<T, Arch>(load<T, Arch>(x + at)), sums + at);
  }
  for (; at < length; ++at) sums[at] += x[at] < T(0) ? -x[at] : x[at];
}

/// Largest |x_i|, +infinity if an element is NaN or infinite: x - x is 0 for finite x and NaN for every other, and a
/// sum never loses a NaN, whereas a maximum may.
template <class T, class Arch, class S>
[[gnu::flatten]] T max_abs(S const* x, index_t length) {
  constexpr index_t size = lanes<T, Arch>;
  batch<T, Arch> largest(T(0)), zero(T(0));
  index_t at = 0;
  for (; at + size <= length; at += size) {
    auto const value = load<T, Arch>(x + at);
    largest = larger_magnitude<T, Arch>(largest, value);
    zero = zero + (value - value);
  }
  T elements[size];
  store(largest, elements);
  T result = elements[0];
  for (T const element : elements) result = result < element ? element : result;
  T check = sum<T, Arch>(zero);
  for (; at < length; ++at) {
    auto const element = static_cast<T>(x[at]);
    T const magnitude = element < T(0) ? -element : element;
    result = result < magnitude ? magnitude : result;
    check += element - element;
  }
  return check == T(0) ? result : std::numeric_limits<T>::infinity();
}

/// y = alpha x + beta y, elementwise; y is not read if beta is 0.
template <class T, class Arch>
[[gnu::flatten]] void combine(T alpha, T const* x, T beta, T* y, index_t length) {
  batch<T, Arch> const a(alpha), b(beta);
  index_t at = 0;
  if (beta == T(0)) {
    for (; at + lanes<T, Arch> <= length; at += lanes<T, Arch>) store(a * load<T, Arch>(x + at), y + at);
    for (; at < length; ++at) y[at] = alpha * x[at];
    return;
  }
  for (; at + lanes<T, Arch> <= length; at += lanes<T, Arch>) {
    store(multiply_add(b, load<T, Arch>(y + at), a * load<T, Arch>(x + at)), y + at);
  }
  for (; at < length; ++at) y[at] = multiply_add(beta, y[at], alpha * x[at]);
}

/// The same for any strides.
template <class T>
void combine(T alpha, matrix_view<T const> x, T beta, matrix_view<T> y) {
  for (index_t i = 0; i < y.rows(); ++i) {
    for (index_t j = 0; j < y.cols(); ++j) {
      y(i, j) = beta == T(0) ? alpha * x(i, j) : multiply_add(beta, y(i, j), alpha * x(i, j));
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
