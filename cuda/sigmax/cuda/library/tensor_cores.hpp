// SPDX-License-Identifier: MIT
/// @file
/// Products on tensor cores, as plain functions of the compiled library.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// How elements are stored and multiplied. Sums are in float for all of them.
enum class operand_kind : std::uint8_t {
  bf16,  ///< 16 bits, 8 of them exponent
  f16,   ///< IEEE binary16
  tf32   ///< float in memory; products see the leading 11 bits of the significand (sm_90a cuts off, sm_80 rounds)
};

/// Bytes of an element.
constexpr index size_of(operand_kind kind) { return kind == operand_kind::tf32 ? 4 : 2; }

/// `count` matrices of one shape in device memory, row-major: element (i, j) of matrix b is data[b stride + i row_stride
/// + j], strides in elements.
struct device_batch {
  void* data = nullptr;
  index rows = 0;
  index cols = 0;
  index row_stride = 0;
  index stride = 0;
  int count = 1;
};

/// D = alpha A B + beta C + diagonal I, of one matrix of a batch.
struct coefficients {
  float alpha = 1;
  float beta = 0;
  float diagonal = 0;
};

/// Which kernel multiplies.
enum class tensor_kernel : std::uint8_t {
  automatic,     ///< the fastest that takes the operands
  any_shape,     ///< mma.sync, sm_80 and later; any row strides
  hopper_128,    ///< wgmma, sm_90a: 128 x 128 tiles (only where compiled with SIGMAX_CUDA_ALL_VARIANTS)
  hopper_128x2,  ///< the same in clusters of two blocks
  hopper_256,    ///< 128 x 256 tiles (only where compiled with SIGMAX_CUDA_ALL_VARIANTS)
  hopper_256x2   ///< the same in clusters of two blocks
};

/// D = alpha A B^T + beta C + diagonal I, of which one triangle of tiles is computed and mirrored.
struct symmetric_call {
  operand_kind kind = operand_kind::bf16;
  tensor_kernel kernel = tensor_kernel::automatic;
  device_batch left;                   ///< A: m x n
  device_batch right;                  ///< B: m x n
  device_batch addend;                 ///< C: m x m, symmetric; data null: none
  device_batch result;                 ///< D: m x m, may be C
  coefficients same;                   ///< of all matrices, unless
  coefficients const* each = nullptr;  ///< one a matrix, in device memory
  float* scratch = nullptr;            ///< device memory for the parts of a split inner dimension; null: no split
  std::size_t scratch_bytes = 0;
  /// What lies between the columns of a row and the next multiple of 16 bytes is zero, and may be written: bulk copies
  /// to memory write pieces of 16 bytes. Otherwise the kernels for sm_90a take columns of whole pieces only.
  bool owns_padding = false;
};

/// Preconditions: extents fit, row strides are not below the columns.
status symmetric_on_tensor_cores(stream on, symmetric_call const& call);
/// Scratch with which the inner dimension is split as the current device likes it; 0 where it is not.
status symmetric_scratch_bytes(operand_kind kind, index m, index inner, int count, std::size_t* bytes);

/// D = alpha A B + beta C; C and D are of the kind of A and B, or float.
struct product_call {
  operand_kind kind = operand_kind::bf16;
  bool float_result = false;
  float alpha = 1;
  float beta = 0;
  device_batch left, right;
  device_batch addend;  ///< data null: none
  device_batch result;  ///< may be the addend
};

/// A cuBLASLt handle and the plans of the shapes seen so far.
struct product_state;
status create_product_state(void* workspace, std::size_t workspace_bytes, product_state** made);
void destroy_product_state(product_state* gone);
status multiply_on_tensor_cores(product_state* state, stream on, product_call const& call);

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
