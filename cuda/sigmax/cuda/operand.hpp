// SPDX-License-Identifier: MIT
/// @file
/// Matrices for the tensor cores: what they are stored in, where they lie. No CUDA header is needed to read this.
#pragma once

#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// How elements are stored and multiplied. Sums are in float for all of them.
enum class operand_kind : std::uint8_t {
  bf16,  ///< 16 bits, 8 of them exponent
  f16,   ///< IEEE binary16
  tf32   ///< float in memory; products see the leading 11 bits of the significand (sm_90a cuts off, sm_80 rounds)
};

/// Bytes of an element.
constexpr index_t size_of(operand_kind kind) { return kind == operand_kind::tf32 ? 4 : 2; }

/// `count` matrices of one shape in device memory, row-major: element (i, j) of matrix b is data[b stride + i row_stride
/// + j], strides in elements.
struct device_batch {
  void* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t row_stride = 0;
  index_t stride = 0;
  int count = 1;
};

/// D = alpha A B + beta C + diagonal I, of one matrix of a batch.
struct coefficients {
  float alpha = 1;
  float beta = 0;
  float diagonal = 0;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
