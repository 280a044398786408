// SPDX-License-Identifier: MIT
/// @file
/// Matrices of any strides and storage between host and device.
#pragma once

#include <cstddef>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/elementwise.hpp>
#include <sigmax/cuda/library/memory.hpp>
#include <sigmax/cuda/stream.hpp>
#include <sigmax/cuda/views.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// Rows of neighbouring elements that do not overlap: what cudaMemcpy2D takes.
template <class T, class Space>
constexpr bool has_plain_rows(matrix_view<T, Space> x) {
  return x.col_stride() == 1 && (x.rows() <= 1 || x.row_stride() >= x.cols());
}

/// Bytes from one row to the next.
template <class T, class Space>
constexpr std::size_t pitch(matrix_view<T, Space> x) {
  return static_cast<std::size_t>(x.rows() <= 1 ? x.cols() : x.row_stride()) * sizeof(T);
}

/// y = x; both with plain rows.
template <class T>
void copy_rows(stream_handle on, matrix_view<T const, device_space> x, matrix_view<T> y) {
  check(library::copy_rows_to_host(on, y.data(), pitch(y), x.data(), pitch(x),
                                   static_cast<std::size_t>(x.cols()) * sizeof(T), static_cast<std::size_t>(x.rows())),
        "copy_to_host");
}
template <class T>
void copy_rows(stream_handle on, matrix_view<T const> x, matrix_view<T, device_space> y) {
  check(
      library::copy_rows_to_device(on, y.data(), pitch(y), x.data(), pitch(x),
                                   static_cast<std::size_t>(x.cols()) * sizeof(T), static_cast<std::size_t>(x.rows())),
      "copy_from_host");
}

template <class S, class T>
void convert_on_device(stream_handle on, matrix_view<S, device_space> x, matrix_view<T, device_space> y,
                       char const* where) {
  check(library::convert(on, stored_as<std::remove_const_t<S>>, untyped(matrix_view<S const, device_space>(x)),
                         stored_as<T>, untyped(y)),
        where);
}

/// y = x, rounded to T on the device. `packed`: memory of the device for as many elements of T, asked for where x cannot be
/// copied as it lies. Waits for the stream.
template <class S, class T, class Packed>
void copy_to_host(stream_handle on, matrix_view<S const, device_space> x, matrix_view<T> y, Packed const& packed) {
  if (x.empty()) return;
  if (y.col_stride() != 1 && y.row_stride() == 1) {
    x = x.transposed();
    y = y.transposed();
  }
  if (!has_plain_rows(y)) {
    matrix<T> dense(y.rows(), y.cols());
    copy_to_host(on, x, dense.view(), packed);
    for (index_t i = 0; i < y.rows(); ++i) {
      for (index_t j = 0; j < y.cols(); ++j) y(i, j) = dense(i, j);
    }
    return;
  }
  if constexpr (std::is_same_v<S, T>) {
    if (has_plain_rows(x)) return copy_rows<T>(on, x, y);
  }
  matrix_view<T, device_space> const dense(packed(x.rows(), x.cols()));
  convert_on_device(on, x, dense, "copy_to_host");
  copy_rows<T>(on, dense, y);
}

/// The way back: y = x, rounded to T on the device. x may be changed when it returns.
template <class S, class T, class Packed>
void copy_from_host(stream_handle on, matrix_view<S const> x, matrix_view<T, device_space> y, Packed const& packed) {
  if (x.empty()) return;
  if (x.col_stride() != 1 && x.row_stride() == 1) {
    x = x.transposed();
    y = y.transposed();
  }
  if (!has_plain_rows(x)) {
    auto const dense = matrix<S>::copy_of(x);
    return copy_from_host(on, dense.view(), y, packed);
  }
  bool copied = false;
  if constexpr (std::is_same_v<S, T>) {
    copied = has_plain_rows(y);
    if (copied) copy_rows<T>(on, x, y);
  }
  if (!copied) {
    matrix_view<S, device_space> const dense(packed(x.rows(), x.cols()));
    copy_rows<S>(on, x, dense);
    convert_on_device(on, dense, y, "copy_from_host");
  }
  check(library::wait_for(on), "copy_from_host");
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
