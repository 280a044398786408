// SPDX-License-Identifier: MIT
/// @file
/// The elementwise work of optimizers on the device, as plain functions of the compiled library, for float and double.
/// Formulas stand in optimizer/elementwise.hpp.
#pragma once

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Dense arrays of `size` elements.
template <class T>
status average_gradient(stream on, T decay, T rest, bool moving_average, bool nesterov, index size, T const* momentum,
                        T* gradient, T* next);

/// Every row divided by its RMS, but by `floor` at least.
template <class T>
status normalize_rows(stream on, T floor, strided<T> d);

template <class T>
struct adam_numbers {
  T rest1, beta2, rest2, step_size, root_correction, eps;
};

/// Dense arrays of `size` elements.
template <class T>
status adam_update(stream on, adam_numbers<T> numbers, index size, T const* first, T const* second, T* gradient,
                   T* next_first, T* next_second);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
