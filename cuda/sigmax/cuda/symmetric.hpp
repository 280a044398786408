// SPDX-License-Identifier: MIT
/// @file
/// Symmetric results on tensor cores: X X^T and P Q of commuting symmetric P, Q, one triangle of tiles computed.
#pragma once

#include <cuda_runtime_api.h>

#include <sigmax/config.hpp>

#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// Which kernel multiplies.
enum class tensor_kernel : unsigned char {
  automatic,     ///< the fastest that takes the operands
  any_shape,     ///< mma.sync, sm_80 and later; any strides
  hopper_128,    ///< wgmma, sm_90a: 128 x 128 tiles
  hopper_128x2,  ///< the same in clusters of two blocks
  hopper_256,    ///< 128 x 256 tiles
  hopper_256x2   ///< the same in clusters of two blocks
};

/// How a symmetric product is carried out.
struct symmetric_options {
  /// Of all matrices, unless `each` points to one entry a matrix in device memory.
  coefficients same = {};
  coefficients const* each = nullptr;
  tensor_kernel kernel = tensor_kernel::automatic;
  /// Float memory on the device for the parts of a split inner dimension; without it nothing is split.
  float* scratch = nullptr;
  std::size_t scratch_bytes = 0;
};

/// D = alpha X X^T + beta C + diagonal I for every matrix of a batch.
///
/// X: m x n, C, D: m x m, of one kind, C symmetric or absent (`c.data` null: beta counts as 0); D may be C, not X.
/// Result: symmetric to the last bit; sums in float in an order that depends on the shapes and the device model alone.
/// Cost: n m^2 FLOPs, half of a general product. With few tiles and a long inner dimension this is split, and the parts
/// are added in order, where `scratch` holds 4 m^2 bytes a part and matrix.
/// Fast where the rows of all matrices start at multiples of 16 bytes; correct for any strides.
/// @throws shape_error for extents that do not fit, domain_error for a null pointer or a kernel that does not take the
/// operands, gpu errors of CUDA as numeric text (sigmax::error).
void gram(cudaStream_t stream, operand_kind kind, device_batch const& x, device_batch const& c, device_batch const& d,
          symmetric_options const& options = {});

/// D = alpha P Q + beta C + diagonal I for symmetric P, Q that commute, so that P Q is symmetric. As `gram`; P may be Q.
void symmetric_product(cudaStream_t stream, operand_kind kind, device_batch const& p, device_batch const& q,
                       device_batch const& c, device_batch const& d, symmetric_options const& options = {});

/// Bytes of scratch with which `gram` of an m x n batch splits the inner dimension as it would like to; 0 where it does
/// not split.
std::size_t symmetric_scratch_bytes(operand_kind kind, index_t m, index_t inner, int count);

}  // namespace sigmax::inline SIGMAX_ABI::gpu
