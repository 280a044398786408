// SPDX-License-Identifier: MIT
/// @file
/// Elementwise operations and reductions on the device, as plain functions of the compiled library.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// What an element is stored as.
enum class scalar_type : int { float32, float64, bfloat16, float16 };

/// y = alpha x + beta y. T: float, double.
template <class T>
status combine(stream on, T alpha, strided<T const> x, T beta, strided<T> y);

/// The same for any storage, computed in T and rounded once. T: float, double.
template <class T>
status combine_stored(stream on, T alpha, scalar_type of_x, strided<void const> x, T beta, scalar_type of_y,
                      strided<void> y);

/// y = y / divisor. T: float, double.
template <class T>
status divide(stream on, T divisor, strided<T> y);

/// y = x, each element rounded once to the type of y, with the bits of the conversions of core/scalar.hpp.
status convert(stream on, scalar_type of_x, strided<void const> x, scalar_type of_y, strided<void> y);

/// y_ij = 0 for j > i. T: float, double.
template <class T>
status clear_above_diagonal(stream on, strided<T> y);

/// y = y + shift I. T: float, double.
template <class T>
status add_to_diagonal(stream on, T shift, strided<T> y);

/// Device and host memory a reduction passes its result through: see `context`.
struct reduction_memory {
  void* partials = nullptr;  // device, `reduction_bytes`
};
inline constexpr std::size_t reduction_bytes = 65536;

/// The number of work items that the result of a reduction is summed from is fixed by shape: the same input, the same
/// bits. These wait for the stream and give the result to the host. T: float, double.
template <class T>
status dot(stream on, reduction_memory memory, strided_vector<T const> u, strided_vector<T const> v, T* result);
template <class T>
status sum_squares(stream on, reduction_memory memory, strided<T const> x, T* result);
/// The largest |x_ij| in the scalar of computation (float for 16 bits), +infinity if an element is not finite.
status max_abs(stream on, reduction_memory memory, scalar_type of_x, strided<void const> x, double* result);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
