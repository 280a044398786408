// SPDX-License-Identifier: MIT
/// @file
/// What the sm_90a kernel of symmetric products works on: its arguments, the sizes of its parts, its tiles.
#pragma once

#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// What does not change from tile to tile.
struct hopper_arguments {
  symmetric_schedule schedule;
  int batch;
  int splits;        ///< parts of the inner dimension, each with a result of its own: matrix b, part s at b splits + s
  int inner_blocks;  ///< pieces of 128 bytes of the inner dimension
  int blocks_per_split;
  long long order;    ///< m
  bool has_addend;    ///< C is read
  bool mirror;        ///< boxes below the diagonal are written transposed too
  coefficients same;  ///< for all matrices, unless
  coefficients const* each;
};

/// Sizes that follow from the element types and the width of a tile.
template <class Operand, class Result, int TileCols, int Cluster>
struct hopper_shape {
  using operand_t = typename Operand::storage;
  static constexpr bool take_turns = TileCols == 128;
  static constexpr int tile_rows = 128;
  static constexpr int inner = 128 / static_cast<int>(sizeof(operand_t));  ///< of a piece
  static constexpr int row_groups = take_turns ? 2 : 1;                    ///< of 64 rows, in one warp group
  static constexpr int left_bytes = tile_rows * 128;
  static constexpr int right_bytes = TileCols * 128;
  static constexpr int stage_bytes = left_bytes + right_bytes;
  /// Boxes a warp group stages at a time: one where that leaves room for a stage more.
  static constexpr int boxes = sizeof(Result) == 2 ? 1 : 2;
  static constexpr int sets = take_turns && boxes == 1 ? 2 : 1;  ///< one is written while another is copied
  static constexpr int stages = take_turns ? 5 : 5 - boxes;
  static constexpr int box_bytes = 64 * 128;
  static constexpr int box_cols = 128 / static_cast<int>(sizeof(Result));
  static constexpr int unit_cols = boxes * box_cols;  ///< a warp group stages 64 rows of these
  static constexpr int set_bytes = 2 * boxes * box_bytes;
  static constexpr int staging_bytes = sets * set_bytes;  ///< of a warp group: as they are, and transposed
  static constexpr int units = row_groups * TileCols / unit_cols;
  static constexpr int accumulators = TileCols / 2;  ///< of 64 rows, a thread
  static constexpr int listed_steps = 96;            ///< tiles of a block that are worked out in advance
  static constexpr int shared_bytes = 1024 + stages * stage_bytes + 2 * staging_bytes + 256 + 16 * listed_steps;
  static_assert(shared_bytes <= 232448);
  static constexpr int threads = 3 * 128;
};

/// The tile a block works on.
struct hopper_tile {
  int row, col;  ///< in units of 128
  int matrix, split;
  int first_block, blocks;  ///< of the inner dimension
  bool valid, shared, wide;
};

template <int Cluster>
__device__ __forceinline__ bool hopper_next(hopper_arguments const& a, int step, int rank, hopper_tile& tile) {
  // Workers are clusters, or blocks that take a pair's tiles one by one. Pairs on the diagonal take as long as others
  // unless those are wide.
  constexpr int of_pair = Cluster == 2 ? 1 : 2;
  int const results = a.batch * a.splits;
  bool const two_sizes = a.schedule.wide == 2;
  int const large_pairs = two_sizes ? a.schedule.pairs_below() : a.schedule.pairs();
  int const small_pairs = a.schedule.pairs() - large_pairs;
  int const large = large_pairs * results * of_pair;
  int item = item_of_worker(static_cast<int>(blockIdx.x) / Cluster, step, static_cast<int>(gridDim.x) / Cluster, large,
                            small_pairs * results * of_pair);
  if (item < 0) return false;
  bool const small = item >= large;
  if (small) item -= large;
  int const member = Cluster == 2 ? rank : item % 2;
  item /= of_pair;
  int const among = small ? small_pairs : large_pairs;
  int const result = item / among;
  auto const pair = a.schedule((small ? large_pairs : 0) + item - result * among);
  tile.row = member == 0 ? pair.tile[0].row : pair.tile[1].row;  // no index: the pair stays in registers
  tile.col = member == 0 ? pair.tile[0].col : pair.tile[1].col;
  tile.valid = member == 0 ? pair.valid[0] : pair.valid[1];
  tile.shared = pair.shared;
  tile.wide = pair.wide;
  tile.matrix = result / a.splits;
  tile.split = result - tile.matrix * a.splits;
  tile.first_block = tile.split * a.blocks_per_split;
  int const left = a.inner_blocks - tile.first_block;
  tile.blocks = left < a.blocks_per_split ? left : a.blocks_per_split;
  return true;
}

/// A tile in 16 bytes.
__device__ __forceinline__ int4 packed_tile(hopper_arguments const& a, hopper_tile const& tile, bool exists) {
  int const flags = (exists ? 1 : 0) | (tile.valid ? 2 : 0) | (tile.shared ? 4 : 0) | (tile.wide ? 8 : 0);
  return {tile.row << 16 | tile.col, tile.matrix * a.splits + tile.split, tile.first_block, tile.blocks << 4 | flags};
}

/// `hopper_next` from the list where it reaches so far: working a tile out takes as long as multiplying a small one.
template <int Cluster, int Listed>
__device__ __forceinline__ bool hopper_listed(hopper_arguments const& a, std::uint32_t list, int step, int rank,
                                              hopper_tile& tile) {
  if (step >= Listed) return hopper_next<Cluster>(a, step, rank, tile);
  int4 p;
  asm volatile("ld.shared.v4.s32 {%0, %1, %2, %3}, [%4];"
               : "=r"(p.x), "=r"(p.y), "=r"(p.z), "=r"(p.w)
               : "r"(list + 16u * static_cast<std::uint32_t>(step)));
  if ((p.w & 1) == 0) return false;
  tile.row = p.x >> 16;
  tile.col = p.x & 0xffff;
  tile.matrix = a.splits == 1 ? p.y : p.y / a.splits;
  tile.split = p.y - tile.matrix * a.splits;
  tile.first_block = p.z;
  tile.blocks = p.w >> 4;
  tile.valid = (p.w & 2) != 0;
  tile.shared = (p.w & 4) != 0;
  tile.wide = (p.w & 8) != 0;
  return true;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
