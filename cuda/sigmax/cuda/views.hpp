// SPDX-License-Identifier: MIT
/// @file
/// Views as the compiled library takes them.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/library/elementwise.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// What the device computes with.
template <class T>
concept device_real = std::same_as<T, float> || std::same_as<T, double>;

/// What matrices of the device are stored in.
template <class T>
concept device_storage = device_real<T> || sixteen_bit_storage<T>;

namespace detail {

template <class T>
constexpr library::strided<T> plain(matrix_view<T, device_space> x) {
  return {x.data(), x.rows(), x.cols(), x.row_stride(), x.col_stride()};
}
template <class T>
constexpr library::strided_vector<T> plain(vector_view<T, device_space> x) {
  return {x.data(), x.size(), x.stride()};
}

/// Elements without their type, which goes beside it as `stored_as<T>`.
template <class T>
constexpr auto untyped(matrix_view<T, device_space> x) {
  using element = std::conditional_t<std::is_const_v<T>, void const, void>;
  return library::strided<element>{x.data(), x.rows(), x.cols(), x.row_stride(), x.col_stride()};
}

template <device_storage T>
inline constexpr library::scalar_type stored_as = std::same_as<T, float>    ? library::scalar_type::float32
                                                  : std::same_as<T, double> ? library::scalar_type::float64
                                                  : std::same_as<T, bf16>   ? library::scalar_type::bfloat16
                                                                            : library::scalar_type::float16;

/// A vector of any stride as a matrix of one row.
template <class T>
constexpr matrix_view<T, device_space> row_of(vector_view<T, device_space> v) {
  return matrix_view<T, device_space>::unchecked(v.data(), 1, v.size(), v.size() * v.stride(), v.stride());
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::gpu
