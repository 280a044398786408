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
#include <sigmax/cuda/schedule/shared_memory.hpp>

#include "hopper_epilogue.cuh"
#include "hopper_tile.cuh"
#include "ptx.cuh"
#include "wgmma.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

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
        epilogue.set_is_free();
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
        if (hopper_listed<Cluster, shape::listed_steps>(arguments, list, step + 1, rank, next))
          ptx::named_arrive(turn + 1 - mine, 256);
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
          epilogue.set_is_free();
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
