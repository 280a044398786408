// SPDX-License-Identifier: MIT
/// @file
/// What the checks of tensor-core kernels compare with: products in double, seeded matrices, the rate of the tensor cores.
#pragma once

#include <cuda_runtime_api.h>

#include <sigmax/cuda/operand.hpp>

namespace reference {

using sigmax::index_t;
using sigmax::gpu::coefficients;
using sigmax::gpu::device_batch;
using sigmax::gpu::operand_kind;

/// Normal numbers times `scale`, the same for the same seed. `kind` is that of the matrix; padding is not written.
void fill_normal(cudaStream_t stream, operand_kind kind, device_batch const& a, float scale, unsigned seed);

/// How far D is from the symmetric product it should be.
struct difference {
  double largest_error = 0;   ///< max |D - exact|, over all elements
  double largest_value = 0;   ///< max |exact|
  long long unsymmetric = 0;  ///< elements that differ in a bit from their mirror image
  long long not_finite = 0;
};

/// D against alpha A B^T + beta C + diagonal I in double where row >= col, and its mirror image. C may be null.
difference compare(cudaStream_t stream, operand_kind kind, device_batch const& a, device_batch const& b,
                   device_batch const& c, device_batch const& d, coefficients const& k);

/// Milliseconds of a kernel in which every multiprocessor does nothing but wgmma from shared memory, and its FLOPs.
struct rate {
  double milliseconds, flops;
};
rate tensor_core_rate(cudaStream_t stream, operand_kind kind);

/// The lower triangle of X X^T of a rows x cols float matrix in double, to the host; row-major, with its mirror image.
/// `columns`: of X^T X instead.
void gram_in_double(cudaStream_t stream, float const* x, index_t rows, index_t cols, bool columns, double* to_host);

/// A number that depends on every bit and its place.
unsigned long long fingerprint(cudaStream_t stream, void const* data, std::size_t bytes);

}  // namespace reference
