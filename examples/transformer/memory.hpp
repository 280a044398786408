// SPDX-License-Identifier: MIT
/// @file
/// Matrices in the memory of a backend: the host's, or a device's.
#pragma once

#include <concepts>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace transformer {

using sigmax::index_t;

/// What is not a product of matrices is a loop next to the formula where memory is the host's; a backend of device memory
/// brings it as a kernel of the same name (cuda/device_backend.hpp).
template <class Backend>
concept in_device_memory = std::same_as<typename Backend::space, sigmax::device_space>;

/// Owns its elements.
template <class T, class Space>
using matrix_in = sigmax::detail::owned_matrix<T, Space>;

/// rows x cols of zeros.
template <class T, class Backend>
matrix_in<T, typename Backend::space> zeros(Backend const& on, index_t rows, index_t cols) {
  if constexpr (in_device_memory<Backend>) {
    sigmax::detail::device_matrix<T> result(on.device_memory(), rows, cols);
    on.set_zero(result.view());
    return result;
  } else {
    return sigmax::matrix<T>(rows, cols);
  }
}

}  // namespace transformer
