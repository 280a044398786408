// SPDX-License-Identifier: MIT
/// @file
/// Stands in for the header of this name: the same functions, carried out by `emulation::machine`, and what CUDA C++ adds
/// to the language, as far as the kernels that are emulated use it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <sigmax/config.hpp>

#include "cuda_emulation/machine.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the names are CUDA's.
#undef __launch_bounds__
#define __launch_bounds__(...)
#define threadIdx (::sigmax::test::emulation::machine::now().thread_index())
#define blockIdx (::sigmax::test::emulation::machine::now().block_index())
#define gridDim (::sigmax::test::emulation::machine::now().grid_size())

inline void __syncthreads() { ::sigmax::test::emulation::machine::now().block_sync(); }
inline void __syncwarp() {
  int nothing = 0;
  ::sigmax::test::emulation::machine::now().together("__syncwarp", nothing, [](auto const&) {});
}
inline int __ffs(int bits) { return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned>(bits)) + 1; }
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// The dynamic shared memory of the first block of a cluster: all that an sm_90 block can have.
alignas(1024) inline unsigned char dynamic_memory[232448];

namespace ptx {

inline test::emulation::machine& machine() { return test::emulation::machine::now(); }

inline std::uint32_t shared_address(void const* pointer) { return machine().address_of(pointer); }
inline bool elect() {
  __syncwarp();
  return threadIdx.x % 32 == machine().elected_lane();
}

inline void barrier_init(std::uint32_t barrier, std::uint32_t arrivals) { machine().barrier_init(barrier, arrivals); }
inline void barrier_init_visible() { machine().barrier_init_visible(); }
inline void barrier_expect(std::uint32_t barrier, std::uint32_t bytes) {
  machine().barrier_arrive(barrier, machine().rank(), bytes);
}
inline void barrier_arrive(std::uint32_t barrier) { machine().barrier_arrive(barrier, machine().rank(), 0); }
inline void barrier_arrive_at(std::uint32_t barrier, std::uint32_t rank) { machine().barrier_arrive(barrier, rank, 0); }
inline void barrier_wait(std::uint32_t barrier, std::uint32_t parity) { machine().barrier_wait(barrier, parity); }

template <int Registers>
void have_fewer_registers() {}
template <int Registers>
void have_more_registers() {}

inline void let_next_kernel_start() {}
inline void wait_for_kernels_before() { machine().may_touch_memory(); }

inline void named_sync(int id, int threads) { machine().named_sync(id, threads); }
inline void named_arrive(int id, int threads) { machine().named_arrive(id, threads); }
inline std::uint32_t cluster_rank() { return machine().rank(); }
inline void cluster_sync() { machine().cluster_sync(); }

inline test::emulation::mapped_matrices matrices_of(CUtensorMap const* map) {
  test::emulation::mapped_matrices matrices;
  static_assert(sizeof(matrices) <= sizeof(*map));
  std::memcpy(&matrices, map, sizeof(matrices));
  return matrices;
}
inline void prefetch_map(CUtensorMap const*) {}
inline void load_box(CUtensorMap const* map, std::uint32_t to, std::uint32_t barrier, int x, int y, int z) {
  machine().load_box(matrices_of(map), to, barrier, x, y, z, 1u << machine().rank());
}
inline void load_box_to_blocks(CUtensorMap const* map, std::uint32_t to, std::uint32_t barrier, int x, int y, int z,
                               std::uint16_t blocks) {
  machine().load_box(matrices_of(map), to, barrier, x, y, z, blocks);
}
inline void store_box(CUtensorMap const* map, std::uint32_t from, int x, int y, int z) {
  machine().store_box(matrices_of(map), from, x, y, z);
}
inline void stores_commit() { machine().stores_commit(); }
template <int Pending>
void stores_read() {
  machine().stores_read(Pending);
}
inline void fence_for_copies() { machine().fence_for_copies(); }

template <class T>
void load(T& v, std::uint32_t from) {
  machine().load(&v, from, sizeof(T));
}
template <class T>
void store(std::uint32_t to, T const& v) {
  machine().store(to, &v, sizeof(T));
}

/// Lanes 8 i to 8 i + 7 name the rows of matrix i. Lane l holds the elements 2 (l % 4) and the next of row l / 4.
struct matrix_rows {
  std::uint32_t address;
  std::uint32_t* words;  ///< of four matrices
};

inline void load_matrices(std::uint32_t (&r)[4], std::uint32_t from) {
  matrix_rows mine{from, r};
  machine().together("load_matrices", mine, [](auto const& all) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t lane = 0; lane < 32; ++lane) {
        auto const row = all[8 * i + lane / 4]->address;
        machine().load(&all[lane]->words[i], row + 4 * static_cast<std::uint32_t>(lane % 4), 4);
      }
    }
  });
}

inline void store_matrices(std::uint32_t (&r)[4], std::uint32_t to) {
  matrix_rows mine{to, r};
  machine().together("store_matrices", mine, [](auto const& all) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t lane = 0; lane < 32; ++lane) {
        auto const row = all[8 * i + lane / 4]->address;
        machine().store_of(lane, row + 4 * static_cast<std::uint32_t>(lane % 4), &all[lane]->words[i], 4);
      }
    }
  });
}

inline void store_matrices_transposed(std::uint32_t (&r)[4], std::uint32_t to) {
  matrix_rows mine{to, r};
  machine().together("store_matrices_transposed", mine, [](auto const& all) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t lane = 0; lane < 32; ++lane) {
        for (std::size_t half = 0; half < 2; ++half) {
          auto const v = static_cast<std::uint16_t>(all[lane]->words[i] >> 16 * half);
          auto const row = all[8 * i + 2 * (lane % 4) + half]->address;
          machine().store_of(lane, row + 2 * static_cast<std::uint32_t>(lane / 4), &v, 2);
        }
      }
    }
  });
}

inline void copy_16_bytes(std::uint32_t to, void const* from, std::uint32_t bytes) {
  machine().copy_16_bytes(to, from, bytes);
}
inline void copies_commit() { machine().copies_commit(); }
template <int Pending>
void copies_wait() {
  machine().copies_wait(Pending);
}

}  // namespace ptx
}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
