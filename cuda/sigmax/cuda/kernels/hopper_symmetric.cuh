// SPDX-License-Identifier: MIT
/// @file
/// D = alpha A B^T + beta C + diagonal I with a symmetric result, on sm_90a: wgmma fed by bulk tensor copies.
///
/// One thread block stays on every multiprocessor and takes tile after tile of the triangle. Its first warp group only
/// starts copies; two more multiply. Tiles of 128 x 128 go to these in turn, so that one writes its tile while the other
/// multiplies; a tile of 128 x 256 is halved between them. Of what the tiles of two blocks of a cluster have in common
/// each fetches half, for both.
///
/// A result leaves through shared memory as squares of 64 x 64, once as they are and once transposed. The squares on the
/// diagonal take both halves from one: D is symmetric to the last bit. Halves of a tile of 128 x 256 borrow a second set of
/// staging memory, their own rows of A in the last two stages, and give it back as soon as they can: the next tile waits.
#pragma once

#include <cstdint>

#include <cuda.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/ptx.cuh>
#include <sigmax/cuda/kernels/wgmma.cuh>
#include <sigmax/cuda/schedule/shared_memory.hpp>

#include "hopper_epilogue.cuh"
#include "hopper_tile.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

template <class Operand, class Result, int TileCols, int Cluster>
__global__ void __launch_bounds__(384, 1)
    hopper_symmetric(hopper_arguments const arguments, __grid_constant__ CUtensorMap const left,
                     __grid_constant__ CUtensorMap const right, __grid_constant__ CUtensorMap const addend,
                     __grid_constant__ CUtensorMap const result) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(SIGMAX_CUDA_EMULATION)
  using shape = hopper_shape<Operand, Result, TileCols, Cluster>;
  extern __shared__ unsigned char dynamic_memory[];
  std::uint32_t const base = (ptx::shared_address(dynamic_memory) + 1023u) & ~1023u;
  std::uint32_t const staging = base + shape::stages * shape::stage_bytes;
  std::uint32_t const full = staging + 2 * shape::staging_bytes;
  std::uint32_t const empty = full + 8 * shape::stages;
  std::uint32_t const loaded = full + 16 * 8;  // room for eight stages
  int const group = static_cast<int>(threadIdx.x) / 128;
  int const rank = Cluster == 2 ? static_cast<int>(ptx::cluster_rank()) : 0;

  ptx::let_next_kernel_start();
  if (threadIdx.x == 0) {
    constexpr int multiplying = shape::take_turns ? 1 : 2;
    for (int s = 0; s < shape::stages; ++s) {
      ptx::barrier_init(barrier_of(full, s), 1);
      ptx::barrier_init(barrier_of(empty, s), 4 * multiplying * Cluster);
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
    bool const exists = hopper_next<shape, Cluster>(arguments, step, rank, tile);
    store_listed(list + static_cast<std::uint32_t>(shape::listed_bytes * step), packed_tile(tile, exists));
  }
  __syncthreads();
  if constexpr (Cluster == 2) ptx::cluster_sync();
  ptx::wait_for_kernels_before();  // nothing of global memory is touched above

  if (group == 0) {
    ptx::have_fewer_registers<40>();
    if (threadIdx.x < 32 && ptx::elect()) {
      int stage = 0;
      std::uint32_t parity = 1;
      hopper_tile tile;
      for (int step = 0; hopper_listed<shape, Cluster>(arguments, list, step, rank, tile); ++step) {
        auto const* const rows_from = tile.swapped ? &right : &left;
        auto const* const cols_from = tile.swapped ? &left : &right;
#pragma unroll 1
        for (int block = tile.first_block; block < tile.first_block + tile.blocks; ++block) {
          std::uint32_t const barrier = barrier_of(full, stage);
          std::uint32_t const to = base + static_cast<std::uint32_t>(stage * shape::stage_bytes);
          ptx::barrier_wait(barrier_of(empty, stage), parity);
          ptx::barrier_expect(barrier, static_cast<std::uint32_t>(shape::stage_bytes));
          int const x = block * shape::inner;
          // 128 rows of an operand are two boxes: of what both blocks of a cluster read, each fetches one for both.
          auto const load = [&](CUtensorMap const* from, int part, int first_row, unsigned name) {
            std::uint32_t const at = to + static_cast<std::uint32_t>(part * shape::part_bytes);
            if (Cluster == 2 && (tile.shared & name) != 0) {
              ptx::load_box_to_blocks(from, at + static_cast<std::uint32_t>(rank * shape::box_bytes), barrier, x,
                                      first_row + 64 * rank, tile.matrix, 3);
            } else {
              ptx::load_box(from, at, barrier, x, first_row, tile.matrix);
              ptx::load_box(from, at + shape::box_bytes, barrier, x, first_row + 64, tile.matrix);
            }
          };
          load(rows_from, 0, tile.place.row * 128, part_rows);
          load(cols_from, 1, tile.place.col[0] * 128, part_first_cols);
          if constexpr (TileCols == 256) load(cols_from, 2, tile.place.col[1] * 128, part_second_cols);
          if (++stage == shape::stages) {
            stage = 0;
            parity ^= 1;
          }
        }
      }
    }
  } else {
    ptx::have_more_registers<232>();
    int const mine = group - 1;
    int const thread = static_cast<int>(threadIdx.x) % 128;
    int const lane = thread % 32;
    std::uint32_t const own_rows = shape::take_turns ? 0u : static_cast<std::uint32_t>(mine * shape::box_bytes);
    auto const stage_at = [&](int stage) { return base + static_cast<std::uint32_t>(stage * shape::stage_bytes); };
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
    auto const release = [&](int stage) {
      if constexpr (Cluster == 2) {
        if (lane < 2) ptx::barrier_arrive_at(barrier_of(empty, stage), static_cast<std::uint32_t>(lane));
      } else {
        if (lane == 0) ptx::barrier_arrive(barrier_of(empty, stage));
      }
    };
    hopper_tile tile;
    int consumed = 0;      // pieces before this tile
    int held[2] = {0, 0};  // stages that the tile before borrowed
    bool holds = false;
    auto const give_back = [&] {
      if (holds) {
        release(held[0]);
        release(held[1]);
      }
      holds = false;
    };
    if (shape::take_turns && mine == 1 && hopper_listed<shape, Cluster>(arguments, list, 0, rank, tile)) {
      ptx::named_arrive(turn + 0, 256);
    }
    for (int step = 0; hopper_listed<shape, Cluster>(arguments, list, step, rank, tile); ++step) {
      if (shape::take_turns && step % 2 != mine) {
        consumed += tile.blocks;
        continue;
      }
      int const row = tile.place.row * 128 + (shape::take_turns ? 0 : 64 * mine);
      constexpr int per_row_group = TileCols / 64;
      auto const square_of = [&](int unit) {
        int const col = unit % per_row_group < 2 ? tile.place.col[0] : tile.place.col[1];
        return result_square{row + 64 * (unit / per_row_group), col * 128 + 64 * (unit % 2)};
      };
      unsigned living = 0;  // a bit for every square that is written
      coefficients k;

      float d[shape::row_groups][shape::accumulators];
      int stage = consumed % shape::stages;
      std::uint32_t parity = static_cast<std::uint32_t>(consumed / shape::stages) & 1u;
      int previous = 0;
      int before_previous = 0;
      if constexpr (shape::take_turns) ptx::named_sync(turn + mine, 256);
      for (int block = 0; block < tile.blocks; ++block) {
        ptx::barrier_wait(barrier_of(full, stage), parity);
        std::uint64_t const a = operand_descriptor(stage_at(stage) + own_rows);
        std::uint64_t const b = operand_descriptor(stage_at(stage) + shape::part_bytes);
        ptx::wgmma_fence();
#pragma unroll
        for (int slice = 0; slice < 4; ++slice) {  // of 32 bytes: 2 in units of the descriptor
#pragma unroll
          for (int r = 0; r < shape::row_groups; ++r) {
            ptx::wgmma<Operand>(d[r], a + static_cast<std::uint64_t>(r * (shape::box_bytes / 16) + 2 * slice),
                                b + static_cast<std::uint64_t>(2 * slice), block + slice);
          }
        }
        ptx::wgmma_commit();
        if (block == 0) {
          // The tile before has left by now, or soon will: what it staged is free again.
          if (epilogue.leader) ptx::stores_read<0>();
          if (shape::borrows && holds) {
            epilogue.sync();
            give_back();
          }
          k = arguments.each != nullptr ? arguments.each[tile.matrix] : arguments.same;
#pragma unroll
          for (int unit = 0; unit < shape::units; ++unit) {
            auto const at = square_of(unit);
            bool const inside = at.row < arguments.order && at.col < arguments.order;
            bool const written = unit % per_row_group / 2 < tile.place.cols;
            if (inside && written && role_of_box(at.row / 64, at.col / 64, tile.swapped) != box_role::left_out)
              living |= 1u << unit;
          }
          epilogue.restart(tile.swapped);
          if (epilogue.leader && arguments.has_addend && living != 0) {
            epilogue.fetch(square_of(__ffs(static_cast<int>(living)) - 1), epilogue.current, tile.matrix);
          }
        } else {
          ptx::wgmma_wait<1>();
          if (!shape::borrows || block + 1 < tile.blocks) release(previous);
        }
        before_previous = previous;
        previous = stage;
        if (++stage == shape::stages) {
          stage = 0;
          parity ^= 1;
        }
      }
      if constexpr (shape::take_turns) {
        hopper_tile next;
        if (hopper_listed<shape, Cluster>(arguments, list, step + 1, rank, next))
          ptx::named_arrive(turn + 1 - mine, 256);
      }
      ptx::wgmma_wait<0>();
#pragma unroll
      for (int r = 0; r < shape::row_groups; ++r) ptx::keep_here(d[r]);
      if (shape::borrows && tile.blocks > 1) {
        epilogue.sync();  // all four warps have multiplied what is now written over
        epilogue.borrow(stage_at(before_previous) + own_rows, stage_at(previous) + own_rows);
        held[0] = before_previous;
        held[1] = previous;
        holds = true;
      } else {
        release(previous);
      }
      consumed += tile.blocks;

      int const to = tile.matrix * arguments.splits + tile.split;
      auto const write_unit = [&]<int Unit>() {
        if ((living >> Unit & 1u) == 0) return;
        int const next = __ffs(static_cast<int>(living >> Unit & ~1u)) - 1 + Unit;  // below Unit: none
        epilogue.template write<Unit % per_row_group * 32>(d[Unit / per_row_group], square_of(Unit), next > Unit,
                                                           square_of(next), tile.matrix, to, k, give_back);
      };
      static_assert(shape::units == 4);
      write_unit.template operator()<0>();
      write_unit.template operator()<1>();
      write_unit.template operator()<2>();
      write_unit.template operator()<3>();
    }
    if (epilogue.leader) ptx::stores_read<0>();  // shared memory lives until then
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
