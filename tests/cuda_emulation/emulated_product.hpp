// SPDX-License-Identifier: MIT
/// @file
/// The kernels of symmetric products on `emulation::machine`.
#pragma once

#include <cstdint>

#include <sigmax/cuda/operand.hpp>

namespace sigmax::test {

/// D = alpha A B^T + beta C + diagonal I. Matrices lie on the host; how often elements of D are written is counted.
struct emulated_product {
  gpu::tensor_kernel kernel = gpu::tensor_kernel::hopper_256x2;  ///< `automatic`: parts in float, as sums are split
  int splits = 1;
  bool aligned = true;  ///< of the sm_80 kernel: rows start at multiples of 16 bytes
  int processors = 132;
  SIGMAX_CUDA_LIBRARY::symmetric_call call;
  gpu::device_batch to;  ///< D, or its parts
  std::uint32_t* written = nullptr;
};

/// The kernel for sm_90a, as `kernel` says.
void run_hopper(emulated_product const& product, std::uint64_t seed);
/// The kernel for sm_80.
void run_ampere(emulated_product const& product, std::uint64_t seed);

}  // namespace sigmax::test
