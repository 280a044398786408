// SPDX-License-Identifier: MIT
/// @file
/// Matrices of normal numbers in device memory.
#pragma once

#include <cstdint>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/stream.hpp>

namespace sigmax::test {

template <class T>
gpu::device_matrix<T> random_on_device(gpu::stream const& on, index_t rows, index_t cols, std::uint64_t seed) {
  matrix<T> host(rows, cols);
  fill_normal(host.view(), seed);
  return gpu::device_matrix<T>::copy_of(host, on);
}

}  // namespace sigmax::test
