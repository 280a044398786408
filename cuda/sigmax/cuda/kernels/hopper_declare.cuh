// SPDX-License-Identifier: MIT
/// @file
/// How symmetric products are launched on sm_90a.
#pragma once

#include <cuda_runtime_api.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

using symmetric_call = SIGMAX_CUDA_LIBRARY::symmetric_call;

inline constexpr int split_part_blocks = 8;  ///< pieces of the inner dimension that a part has at least

/// Parts the inner dimension is split into so that every multiprocessor has a tile.
inline int wanted_splits(int processors, index_t m, index_t inner, int count, index_t element_bytes) {
  index_t const row_tiles = row_tiles_of(m);
  index_t const tiles = row_tiles * (row_tiles + 1) / 2 * count;
  index_t const blocks = pieces_of(inner * element_bytes);
  index_t const by_tiles = tiles > 0 ? processors / tiles : 1;
  index_t const by_length = blocks / split_part_blocks;
  index_t const splits = by_tiles < by_length ? by_tiles : by_length;
  return splits < 2 ? 1 : static_cast<int>(splits);
}

/// Floats between rows of a part.
inline index_t part_row_of(index_t m) { return (m + 3) / 4 * 4; }

/// One of the hopper kernels, with the inner dimension split where scratch memory and tiles allow. Defined for all kinds
/// in cuda/source/hopper_*.cu.
template <operand_kind Kind>
void run_hopper(tensor_kernel kernel, cudaStream_t stream, symmetric_call const& o, int processors);

extern template void run_hopper<operand_kind::bf16>(tensor_kernel, cudaStream_t, symmetric_call const&, int);
extern template void run_hopper<operand_kind::f16>(tensor_kernel, cudaStream_t, symmetric_call const&, int);
extern template void run_hopper<operand_kind::tf32>(tensor_kernel, cudaStream_t, symmetric_call const&, int);

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
