// SPDX-License-Identifier: MIT
/// @file
/// What the sm_90a kernel of symmetric products works on: its arguments, the sizes of its parts, its tiles.
#pragma once

#include <cstdint>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/ptx.cuh>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// What does not change from tile to tile.
struct hopper_arguments {
  int row_tiles;
  int batch;
  int splits;        ///< parts of the inner dimension, each with a result of its own: matrix b, part s at b splits + s
  int inner_blocks;  ///< pieces of 128 bytes of the inner dimension
  int blocks_per_split;
  int order;          ///< m
  bool has_addend;    ///< C is read
  bool mirror;        ///< boxes below the diagonal are written transposed too
  coefficients same;  ///< for all matrices, unless
  coefficients const* each;
};

/// Sizes that follow from the element types and the width of a tile.
template <class Operand, class Result, int TileCols, int Cluster>
struct hopper_shape {
  using operand_t = typename Operand::storage;
  using schedule = std::conditional_t<TileCols == 128, narrow_schedule, wide_schedule>;
  static constexpr bool take_turns = TileCols == 128;
  static constexpr int inner = 128 / static_cast<int>(sizeof(operand_t));  ///< of a piece
  static constexpr int row_groups = take_turns ? 2 : 1;                    ///< of 64 rows, in one warp group
  static constexpr int box_bytes = 64 * 128;                               ///< 64 rows of 128 bytes
  static constexpr int part_bytes = 2 * box_bytes;                         ///< 128 rows of an operand
  static constexpr int stage_bytes = (1 + TileCols / 128) * part_bytes;
  /// What a warp group stages at a time, a square of 64 x 64, as it is and transposed.
  static constexpr int boxes = sizeof(Result) == 2 ? 1 : 2;
  static constexpr int box_cols = 128 / static_cast<int>(sizeof(Result));
  static constexpr int set_bytes = 2 * boxes * box_bytes;
  /// One set is written while another is copied, where there is room: tiles that take turns have two sets, others borrow
  /// the second one from the last two stages.
  static constexpr int own_sets = take_turns && boxes == 1 ? 2 : 1;
  static constexpr bool borrows = !take_turns && boxes == 1;
  static constexpr int staging_bytes = own_sets * set_bytes;  ///< of a warp group
  static constexpr int stages = take_turns ? 5 : 5 - boxes;
  static constexpr int units = row_groups * TileCols / 64;  ///< squares of a warp group
  static constexpr int accumulators = TileCols / 2;         ///< of 64 rows, a thread
  static constexpr int listed_steps = 48;                   ///< tiles of a block that are worked out in advance
  static constexpr int listed_bytes = 32;
  static constexpr int shared_bytes =
      1024 + stages * stage_bytes + 2 * staging_bytes + 256 + listed_bytes * listed_steps;
  static_assert(shared_bytes <= 232448);
  static constexpr int threads = 3 * 128;
};

/// What the kernel is told of a call whose inner dimension is split so often at most.
template <class Shape>
hopper_arguments hopper_arguments_of(SIGMAX_CUDA_LIBRARY::symmetric_call const& o, int splits, bool has_addend,
                                     coefficients const& same, coefficients const* each) {
  hopper_arguments arguments{};
  arguments.row_tiles = row_tiles_of(o.result.rows);
  arguments.batch = o.result.count;
  arguments.inner_blocks = static_cast<int>((o.left.cols + Shape::inner - 1) / Shape::inner);
  arguments.blocks_per_split = (arguments.inner_blocks + splits - 1) / splits;
  arguments.splits = (arguments.inner_blocks + arguments.blocks_per_split - 1) / arguments.blocks_per_split;
  arguments.order = static_cast<int>(o.result.rows);
  arguments.has_addend = has_addend;
  arguments.mirror = splits == 1;
  arguments.same = same;
  arguments.each = each;
  return arguments;
}

/// Thread blocks: one for every tile, but no more than there are multiprocessors, in whole clusters.
template <class Shape, int Cluster>
unsigned hopper_blocks(hopper_arguments const& a, int processors) {
  typename Shape::schedule const schedule{a.row_tiles};
  long long const tiles = 2LL * schedule.pairs() * a.batch * a.splits;
  long long const most = processors / Cluster * Cluster;
  return static_cast<unsigned>(tiles < most ? tiles : most);
}

/// The barrier of a stage, of barriers that begin at `first`.
__device__ __forceinline__ std::uint32_t barrier_of(std::uint32_t first, int stage) {
  return first + 8u * static_cast<std::uint32_t>(stage);
}

/// The tile a block works on.
struct hopper_tile {
  symmetric_tile place;
  unsigned shared;  ///< operand_part
  bool swapped;
  int matrix, split;
  int first_block, blocks;  ///< of the inner dimension
};

template <class Shape, int Cluster>
__device__ __forceinline__ bool hopper_next(hopper_arguments const& a, int step, int rank, hopper_tile& tile) {
  // Workers are clusters, or blocks that take a pair's tiles one by one.
  typename Shape::schedule const schedule{a.row_tiles};
  int const pairs = schedule.pairs();
  int item = static_cast<int>(blockIdx.x) / Cluster + step * (static_cast<int>(gridDim.x) / Cluster);
  int const member = Cluster == 2 ? rank : item % 2;
  if constexpr (Cluster == 1) item /= 2;
  int const result = item / pairs;
  if (result >= a.batch * a.splits) return false;
  auto const pair = schedule(item - result * pairs);
  tile.place = member == 0 ? pair.tile[0] : pair.tile[1];  // no index: the pair stays in registers
  tile.shared = Cluster == 2 ? pair.shared : 0;
  tile.swapped = pair.swapped;
  tile.matrix = result / a.splits;
  tile.split = result - tile.matrix * a.splits;
  tile.first_block = tile.split * a.blocks_per_split;
  int const left = a.inner_blocks - tile.first_block;
  tile.blocks = left < a.blocks_per_split ? left : a.blocks_per_split;
  return true;
}

/// A tile as the list in shared memory holds it.
struct listed_tile {
  int4 place;  ///< the row, the columns, and flags
  int4 work;   ///< matrix, split, first block, blocks
};

__device__ __forceinline__ listed_tile packed_tile(hopper_tile const& tile, bool exists) {
  int const flags =
      (exists ? 1 : 0) | (tile.swapped ? 2 : 0) | static_cast<int>(tile.shared) << 2 | tile.place.cols << 5;
  return {{tile.place.row, tile.place.col[0], tile.place.col[1], flags},
          {tile.matrix, tile.split, tile.first_block, tile.blocks}};
}

__device__ __forceinline__ void store_listed(std::uint32_t at, listed_tile const& tile) {
  ptx::store(at, tile.place);
  ptx::store(at + 16, tile.work);
}

/// `hopper_next` from the list where it reaches so far: working a tile out takes as long as multiplying a small one.
template <class Shape, int Cluster>
__device__ __forceinline__ bool hopper_listed(hopper_arguments const& a, std::uint32_t list, int step, int rank,
                                              hopper_tile& tile) {
  if (step >= Shape::listed_steps) return hopper_next<Shape, Cluster>(a, step, rank, tile);
  listed_tile p;
  std::uint32_t const at = list + static_cast<std::uint32_t>(Shape::listed_bytes * step);
  ptx::load(p.place, at);
  ptx::load(p.work, at + 16);
  int const flags = p.place.w;
  if ((flags & 1) == 0) return false;
  tile.place = {p.place.x, {p.place.y, p.place.z}, flags >> 5};
  tile.swapped = (flags & 2) != 0;
  tile.shared = static_cast<unsigned>(flags >> 2) & 7u;
  tile.matrix = p.work.x;
  tile.split = p.work.y;
  tile.first_block = p.work.z;
  tile.blocks = p.work.w;
  return true;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
