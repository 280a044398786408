// SPDX-License-Identifier: MIT
/// @file
/// D = alpha A B^T + beta C + diagonal I with a symmetric result, on sm_90a: wgmma fed by bulk tensor copies.
///
/// One thread block stays on every multiprocessor and takes tile after tile of the triangle. Its first warp group only
/// starts copies; two more multiply. Tiles of 128 x 128 go to these in turn, so that one writes its tile while the other
/// multiplies; a tile of 128 x 256 is halved between them. Two blocks of a cluster whose tiles lie in one column each
/// fetch half of the rows of B, for both.
///
/// A result leaves through shared memory as boxes of 64 x 64, once as they are and once transposed. The diagonal boxes
/// take both halves from the lower one: D is symmetric to the last bit.
#pragma once

#include <cstdint>

#include <cuda.h>

#include <sigmax/config.hpp>

#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/shared_memory.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

#include "element.cuh"
#include "ptx.cuh"
#include "wgmma.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// What does not change from tile to tile.
struct hopper_arguments {
  symmetric_schedule schedule;
  int batch;
  int splits;           ///< parts of the inner dimension, each with a result of its own: matrix b, part s at b splits + s
  int inner_blocks;     ///< pieces of 128 bytes of the inner dimension
  int blocks_per_split;
  long long order;      ///< m
  int ahead;            ///< pieces of the inner dimension after which a piece is fetched into the L2 cache; 0: none
  bool ahead_left;      ///< of the left operand too
  bool has_addend;      ///< C is read
  bool mirror;          ///< boxes below the diagonal are written transposed too
  coefficients same;    ///< for all matrices, unless
  coefficients const* each;
};

/// Sizes that follow from the element types and the width of a tile.
template <class Operand, class Result, int TileCols, int Cluster>
struct hopper_shape {
  using operand_t = typename Operand::storage;
  static constexpr bool take_turns = TileCols == 128;
  static constexpr int tile_rows = 128;
  static constexpr int inner = 128 / static_cast<int>(sizeof(operand_t));  ///< of a piece
  static constexpr int row_groups = take_turns ? 2 : 1;                     ///< of 64 rows, in one warp group
  static constexpr int left_bytes = tile_rows * 128;
  static constexpr int right_bytes = TileCols * 128;
  static constexpr int stage_bytes = left_bytes + right_bytes;
  /// Boxes a warp group stages at a time: one where that leaves room for a stage more.
  static constexpr int boxes = sizeof(Result) == 2 ? 1 : 2;
  static constexpr int stages = (take_turns ? 6 : 4) - (boxes - 1);
  static constexpr int box_bytes = 64 * 128;
  static constexpr int box_cols = 128 / static_cast<int>(sizeof(Result));
  static constexpr int unit_cols = boxes * box_cols;           ///< a warp group stages 64 rows of these
  static constexpr int staging_bytes = 2 * boxes * box_bytes;  ///< of a warp group: as they are, and transposed
  static constexpr int units = row_groups * TileCols / unit_cols;
  static constexpr int accumulators = TileCols / 2;      ///< of 64 rows, a thread
  static constexpr int listed_steps = 96;                ///< tiles of a block that are worked out in advance
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

/// Writes 64 rows of one or two boxes of one warp group. `d` are the accumulators of those columns.
template <class Shape, class Result>
struct hopper_epilogue {
  hopper_arguments const& arguments;
  CUtensorMap const* addend;
  CUtensorMap const* result;
  std::uint32_t staging;
  std::uint32_t loaded;  ///< barrier of the boxes of C
  std::uint32_t parity = 0;
  int named_barrier;
  int thread;  ///< of 128
  bool leader;

  static constexpr int box_bytes = Shape::box_bytes;
  /// Squares of 64 x 64 in a unit, and boxes in such a square.
  static constexpr int squares = Shape::unit_cols / 64;
  static constexpr int boxes_of_square = Shape::boxes / squares;

  __device__ __forceinline__ bool lives(long long row, long long col) const {
    return row < arguments.order && role_of_box(row / 64, col / 64) != box_role::above;
  }

  __device__ __forceinline__ void sync() const { ptx::named_sync(named_barrier, 128); }

  /// Starts loading C for the unit at (row, col). For the leader alone; what was staged has been read.
  __device__ __forceinline__ void fetch(long long row, long long col, int matrix) const {
    int const count =
        squares == 2 && role_of_box(row / 64, col / 64 + 1) == box_role::above ? 1 : Shape::boxes;
    ptx::barrier_expect(loaded, static_cast<std::uint32_t>(count * box_bytes));
    for (int box = 0; box < count; ++box) {
      ptx::load_box(addend, staging + static_cast<std::uint32_t>(box * box_bytes), loaded,
                    static_cast<int>(col) + box * Shape::box_cols, static_cast<int>(row), matrix);
    }
  }

  template <int First, int Count>
  __device__ __forceinline__ void write(float (&d)[Count], long long row, long long col, int to, coefficients const& k) {
    if (arguments.has_addend) {
      ptx::barrier_wait(loaded, parity);
      parity ^= 1;
    } else {
      if (leader) ptx::stores_read();
      sync();
    }
    int const diagonal = static_cast<int>(row / 64 - col / 64);  // the square on it, if one is
#pragma unroll
    for (int square = 0; square < squares; ++square) write_square(d, First + square * 32, square, square == diagonal, k);
    if (diagonal >= 0 && diagonal < squares) {
      sync();
      reflect(diagonal);
    }
    ptx::fence_for_copies();
    sync();
    if (leader) {
      send(row, col, to);
      ptx::stores_commit();
    }
  }

 private:
  __device__ __forceinline__ std::uint32_t straight(int square) const {
    return staging + static_cast<std::uint32_t>(square * boxes_of_square * box_bytes);
  }
  __device__ __forceinline__ std::uint32_t turned(int square) const { return straight(square) + Shape::boxes * box_bytes; }

  /// Address of element (r, c) of a square of 64 x 64.
  __device__ __forceinline__ static std::uint32_t address(std::uint32_t base, int r, int c) {
    constexpr int size = static_cast<int>(sizeof(Result));
    int const box = boxes_of_square == 1 ? 0 : c / Shape::box_cols;
    int const inside = boxes_of_square == 1 ? c : c % Shape::box_cols;
    return base + static_cast<std::uint32_t>(box * box_bytes + swizzled(r, inside * size));
  }

  /// A square as it is and transposed. Squares above the diagonal come out as zeros and are not sent.
  template <int Count>
  __device__ __forceinline__ void write_square(float (&d)[Count], int first, int square, bool on_diagonal,
                                               coefficients const& k) const {
    int const warp = thread / 32;
    int const lane = thread % 32;
    auto const origin = accumulator_place(warp, lane, 0);
    // Accumulators i with 8 (i / 4) + i % 2 - 8 (i / 2 % 2) equal to this lie on the diagonal.
    int const offset = on_diagonal ? origin.row - origin.col : 1 << 20;
    auto const value = [&](int i, float c) {
      float const v = k.alpha * d[first + i] + k.beta * c;
      return offset == 8 * (i >> 2) + (i & 1) - 8 * ((i >> 1) & 1) ? v + k.diagonal : v;
    };
    if constexpr (sizeof(Result) == 2) {
      auto const by_rows = piece_by_rows(lane);
      auto const by_columns = piece_by_columns(lane);
#pragma unroll
      for (int group = 0; group < 4; ++group) {  // of 16 columns
        std::uint32_t const at =
            straight(square) + static_cast<std::uint32_t>(swizzled(16 * warp + by_rows.row, group * 32 + by_rows.col));
        std::uint32_t packed[4] = {0, 0, 0, 0};
        if (arguments.has_addend) ptx::load_matrices(packed, at);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          float2 const c = unpack_two<Result>(packed[i]);
          int const index = 8 * group + 2 * i;
          packed[i] = pack_two<Result>(value(index, c.x), value(index + 1, c.y));
        }
        ptx::store_matrices(packed, at);
        ptx::store_matrices_transposed(
            packed, turned(square) + static_cast<std::uint32_t>(
                                         swizzled(group * 16 + by_columns.row, 32 * warp + by_columns.col)));
      }
    } else {
#pragma unroll
      for (int i = 0; i < 32; i += 2) {
        auto const place = accumulator_place(warp, lane, i);
        std::uint32_t const at = address(straight(square), place.row, place.col);
        float2 c = {0, 0};
        if (arguments.has_addend) {
          asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(c.x), "=f"(c.y) : "r"(at) : "memory");
        }
        float2 const v = {value(i, c.x), value(i + 1, c.y)};
        asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(at), "f"(v.x), "f"(v.y) : "memory");
        put(address(turned(square), place.col, place.row), v.x);
        put(address(turned(square), place.col + 1, place.row), v.y);
      }
    }
  }

  /// The upper half of a diagonal square from its transpose.
  __device__ __forceinline__ void reflect(int square) const {
#pragma unroll 1
    for (int i = thread; i < 64 * 64; i += 128) {
      int const r = i / 64;
      int const c = i % 64;
      if (c <= r) continue;
      if constexpr (sizeof(Result) == 2) {
        std::uint16_t bits;
        asm volatile("ld.shared.u16 %0, [%1];" : "=h"(bits) : "r"(address(turned(square), r, c)) : "memory");
        asm volatile("st.shared.u16 [%0], %1;" ::"r"(address(straight(square), r, c)), "h"(bits) : "memory");
      } else {
        float v;
        asm volatile("ld.shared.f32 %0, [%1];" : "=f"(v) : "r"(address(turned(square), r, c)) : "memory");
        put(address(straight(square), r, c), v);
      }
    }
  }

  __device__ __forceinline__ static void put(std::uint32_t at, float v) {
    asm volatile("st.shared.f32 [%0], %1;" ::"r"(at), "f"(v) : "memory");
  }

  __device__ __forceinline__ void send(long long row, long long col, int to) const {
#pragma unroll
    for (int square = 0; square < squares; ++square) {
      auto const role = role_of_box(row / 64, col / 64 + square);
      if (role == box_role::above) continue;
      int const r = static_cast<int>(row);
      int const c = static_cast<int>(col) + 64 * square;
      bool const diagonal = role == box_role::diagonal;
      for (int box = 0; box < boxes_of_square; ++box) {
        auto const offset = static_cast<std::uint32_t>(box * box_bytes);
        ptx::store_box(result, straight(square) + offset, c + box * Shape::box_cols, r, to);
        if (!diagonal && arguments.mirror) {
          ptx::store_box(result, turned(square) + offset, r + box * Shape::box_cols, c, to);
        }
      }
    }
  }
};

template <class Operand, class Result, int TileCols, int Cluster>
__global__ void __launch_bounds__(384, 1)
    hopper_symmetric(hopper_arguments const arguments, __grid_constant__ CUtensorMap const left,
                     __grid_constant__ CUtensorMap const right, __grid_constant__ CUtensorMap const addend,
                     __grid_constant__ CUtensorMap const result) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  using shape = hopper_shape<Operand, Result, TileCols, Cluster>;
  extern __shared__ unsigned char dynamic_memory[];
  std::uint32_t const base = (ptx::shared_address(dynamic_memory) + 1023u) & ~1023u;
  std::uint32_t const staging = base + shape::stages * shape::stage_bytes;
  std::uint32_t const full = staging + 2 * shape::staging_bytes;
  std::uint32_t const empty = full + 8 * shape::stages;
  std::uint32_t const loaded = full + 16 * 8;  // room for eight stages
  int const group = static_cast<int>(threadIdx.x) / 128;
  int const rank = Cluster == 2 ? static_cast<int>(ptx::cluster_rank()) : 0;

  if (threadIdx.x == 0) {
    constexpr int multiplying = shape::take_turns ? 1 : 2;
    for (int s = 0; s < shape::stages; ++s) {
      ptx::barrier_init(full + 8 * s, 1);
      ptx::barrier_init(empty + 8 * s, 4 * multiplying * Cluster);
    }
    ptx::barrier_init(loaded, 1);
    ptx::barrier_init(loaded + 8, 1);
    ptx::barrier_init_visible();
    ptx::prefetch_map(&left);
    ptx::prefetch_map(&right);
  }
  std::uint32_t const list = loaded + 16;
  if (threadIdx.x >= 32 && threadIdx.x < 32 + shape::listed_steps) {
    int const step = static_cast<int>(threadIdx.x) - 32;
    hopper_tile tile{};
    bool const exists = hopper_next<Cluster>(arguments, step, rank, tile);
    int4 const p = packed_tile(arguments, tile, exists);
    asm volatile("st.shared.v4.s32 [%0], {%1, %2, %3, %4};" ::"r"(list + 16u * static_cast<std::uint32_t>(step)),
                 "r"(p.x), "r"(p.y), "r"(p.z), "r"(p.w)
                 : "memory");
  }
  __syncthreads();
  if constexpr (Cluster == 2) ptx::cluster_sync();

  if (group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x < 32 && ptx::elect()) {
      int stage = 0;
      std::uint32_t parity = 1;
      hopper_tile tile;
      for (int step = 0; hopper_listed<Cluster, shape::listed_steps>(arguments, list, step, rank, tile); ++step) {
        for (int block = tile.first_block; block < tile.first_block + tile.blocks; ++block) {
          std::uint32_t const barrier = full + 8 * stage;
          std::uint32_t const to = base + static_cast<std::uint32_t>(stage * shape::stage_bytes);
          ptx::barrier_wait(empty + 8 * stage, parity);
          int const right_rows = tile.wide ? 256 : 128;
          ptx::barrier_expect(barrier, static_cast<std::uint32_t>(shape::left_bytes + right_rows * 128));
          int const x = block * shape::inner;
          if (arguments.ahead > 0 && block + arguments.ahead < tile.first_block + tile.blocks) {
            int const later = x + arguments.ahead * shape::inner;
            if (arguments.ahead_left) ptx::prefetch_box(&left, later, tile.row * 128, tile.matrix);
            if (Cluster == 1 || rank == 0) {
              for (int r = 0; r < (tile.wide ? 256 : 128); r += 64) {
                ptx::prefetch_box(&right, later, tile.col * 128 + r, tile.matrix);
              }
            }
          }
          ptx::load_box(&left, to, barrier, x, tile.row * 128, tile.matrix);
          // Boxes of 64 rows: each block of a cluster fetches half of the rows for both.
          bool const for_both = Cluster == 2 && tile.shared;
          int const first = for_both ? rank * right_rows / 2 : 0;
          int const last = for_both ? first + right_rows / 2 : right_rows;
          for (int r = first; r < last; r += 64) {
            std::uint32_t const at = to + static_cast<std::uint32_t>(shape::left_bytes + r * 128);
            if (for_both) {
              ptx::load_box_to_blocks(&right, at, barrier, x, tile.col * 128 + r, tile.matrix, 3);
            } else {
              ptx::load_box(&right, at, barrier, x, tile.col * 128 + r, tile.matrix);
            }
          }
          if (++stage == shape::stages) {
            stage = 0;
            parity ^= 1;
          }
        }
      }
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    int const mine = group - 1;
    int const thread = static_cast<int>(threadIdx.x) % 128;
    int const lane = thread % 32;
    hopper_epilogue<shape, Result> epilogue{arguments,
                                            &addend,
                                            &result,
                                            staging + static_cast<std::uint32_t>(mine * shape::staging_bytes),
                                            loaded + 8 * static_cast<std::uint32_t>(mine),
                                            0,
                                            1 + mine,
                                            thread,
                                            thread == 0};
    constexpr int turn = 3;  // named barriers 3 and 4: whose turn to multiply it is
    hopper_tile tile;
    int consumed = 0;  // pieces before this tile
    if (shape::take_turns && mine == 1 && hopper_listed<Cluster, shape::listed_steps>(arguments, list, 0, rank, tile)) {
      ptx::named_arrive(turn + 0, 256);
    }
    for (int step = 0; hopper_listed<Cluster, shape::listed_steps>(arguments, list, step, rank, tile); ++step) {
      if (shape::take_turns && step % 2 != mine) {
        consumed += tile.blocks;
        continue;
      }
      long long const row = static_cast<long long>(tile.row) * 128 + (shape::take_turns ? 0 : 64 * mine);
      long long const col = static_cast<long long>(tile.col) * 128;
      int const tile_cols = TileCols == 128 || !tile.wide ? 128 : 256;
      auto const row_of = [&](int unit) { return row + 64 * (unit / (TileCols / shape::unit_cols)); };
      auto const col_of = [&](int unit) { return col + shape::unit_cols * (unit % (TileCols / shape::unit_cols)); };
      auto const lives = [&](int unit) {
        return tile.valid && col_of(unit) < col + tile_cols && epilogue.lives(row_of(unit), col_of(unit));
      };
      auto const next_living = [&](int unit) {
        while (unit < shape::units && !lives(unit)) ++unit;
        return unit;
      };
      int const first = next_living(0);
      if (epilogue.leader && arguments.has_addend && first < shape::units) {
        ptx::stores_read();
        epilogue.fetch(row_of(first), col_of(first), tile.matrix);
      }
      coefficients const k = arguments.each != nullptr ? arguments.each[tile.matrix] : arguments.same;

      float d[shape::row_groups][shape::accumulators];
      int stage = consumed % shape::stages;
      std::uint32_t parity = static_cast<std::uint32_t>(consumed / shape::stages) & 1u;
      if constexpr (shape::take_turns) ptx::named_sync(turn + mine, 256);
      int previous = 0;
      auto const release = [&] {
        if constexpr (Cluster == 2) {
          if (lane < 2) ptx::barrier_arrive_at(empty + 8 * previous, static_cast<std::uint32_t>(lane));
        } else {
          if (lane == 0) ptx::barrier_arrive(empty + 8 * previous);
        }
      };
      auto const multiply = [&]<bool Narrow>() {
        for (int block = 0; block < tile.blocks; ++block) {
          ptx::barrier_wait(full + 8 * stage, parity);
          std::uint32_t const from = base + static_cast<std::uint32_t>(stage * shape::stage_bytes);
          std::uint64_t const a =
              operand_descriptor(from + (shape::take_turns ? 0u : static_cast<std::uint32_t>(mine) * 64u * 128u));
          std::uint64_t const b = operand_descriptor(from + shape::left_bytes);
          ptx::wgmma_fence();
#pragma unroll
          for (int slice = 0; slice < 4; ++slice) {  // of 32 bytes: 2 in units of the descriptor
#pragma unroll
            for (int r = 0; r < shape::row_groups; ++r) {
              std::uint64_t const left_part = a + static_cast<std::uint64_t>(r * (64 * 128 / 16) + 2 * slice);
              std::uint64_t const right_part = b + static_cast<std::uint64_t>(2 * slice);
              if constexpr (Narrow) {
                ptx::wgmma_narrow<Operand>(d[r], left_part, right_part, block + slice);
              } else {
                ptx::wgmma<Operand>(d[r], left_part, right_part, block + slice);
              }
            }
          }
          ptx::wgmma_commit();
          if (block > 0) {
            ptx::wgmma_wait<1>();
            release();
          }
          previous = stage;
          if (++stage == shape::stages) {
            stage = 0;
            parity ^= 1;
          }
        }
      };
      if constexpr (TileCols == 128) {
        multiply.template operator()<false>();
      } else if (tile.wide) {
        multiply.template operator()<false>();
      } else {
        multiply.template operator()<true>();
      }
      if constexpr (shape::take_turns) {
        hopper_tile next;
        if (hopper_listed<Cluster, shape::listed_steps>(arguments, list, step + 1, rank, next)) ptx::named_arrive(turn + 1 - mine, 256);
      }
      ptx::wgmma_wait<0>();
#pragma unroll
      for (int r = 0; r < shape::row_groups; ++r) ptx::keep_here(d[r]);
      release();
      consumed += tile.blocks;

      int const to = tile.matrix * arguments.splits + tile.split;
      auto const write_unit = [&]<int Unit>() {
        long long const r = row_of(Unit);
        long long const c = col_of(Unit);
        if (!lives(Unit)) return;
        constexpr int per_row_group = TileCols / shape::unit_cols;
        epilogue.template write<(Unit % per_row_group) * (shape::unit_cols / 2)>(d[Unit / per_row_group], r, c, to, k);
        int const next = next_living(Unit + 1);
        if (epilogue.leader && arguments.has_addend && next < shape::units) {
          ptx::stores_read();
          epilogue.fetch(row_of(next), col_of(next), tile.matrix);
        }
      };
      static_assert(shape::units == 4);
      write_unit.template operator()<0>();
      write_unit.template operator()<1>();
      write_unit.template operator()<2>();
      write_unit.template operator()<3>();
    }
    if (epilogue.leader) ptx::stores_done();
  }
  if constexpr (Cluster == 2) {  // the other block may still arrive here
    __syncwarp();
    ptx::cluster_sync();
  }
#else
  __trap();  // the program was not compiled for sm_90a
#endif
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
