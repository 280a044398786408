// SPDX-License-Identifier: MIT
/// @file
/// How a tile leaves the registers of a warp group on sm_90a: C is added, and boxes of 64 x 64 go to memory as they are and
/// transposed, by way of shared memory and bulk copies.
#pragma once

#include <cstdint>

#include <cuda.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/shared_memory.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

#include "element.cuh"
#include "hopper_tile.cuh"
#include "ptx.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// Writes 64 rows of one or two boxes of one warp group. `d` are the accumulators of those columns.
template <class Shape, class Result>
struct hopper_epilogue {
  hopper_arguments const& arguments;
  CUtensorMap const* addend;
  CUtensorMap const* result;
  std::uint32_t first_set;
  std::uint32_t loaded;  ///< barrier of the boxes of C
  std::uint32_t parity = 0;
  int named_barrier;
  int thread;  ///< of 128
  bool leader;
  std::uint32_t staging = first_set;  ///< the set in use

  static constexpr int box_bytes = Shape::box_bytes;
  /// Squares of 64 x 64 in a unit, and boxes in such a square.
  static constexpr int squares = Shape::unit_cols / 64;
  static constexpr int boxes_of_square = Shape::boxes / squares;

  __device__ __forceinline__ bool lives(long long row, long long col) const {
    return row < arguments.order && role_of_box(row / 64, col / 64) != box_role::above;
  }

  __device__ __forceinline__ void sync() const { ptx::named_sync(named_barrier, 128); }

  /// What the leader sent from the set that is next has been read.
  __device__ __forceinline__ static void set_is_free() { ptx::stores_read<Shape::sets - 1>(); }

  /// Starts loading C for the unit at (row, col). For the leader alone; what was staged has been read.
  __device__ __forceinline__ void fetch(long long row, long long col, int matrix) const {
    int const count = squares == 2 && role_of_box(row / 64, col / 64 + 1) == box_role::above ? 1 : Shape::boxes;
    ptx::barrier_expect(loaded, static_cast<std::uint32_t>(count * box_bytes));
    for (int box = 0; box < count; ++box) {
      ptx::load_box(addend, staging + static_cast<std::uint32_t>(box * box_bytes), loaded,
                    static_cast<int>(col) + box * Shape::box_cols, static_cast<int>(row), matrix);
    }
  }

  template <int First, int Count>
  __device__ __forceinline__ void write(float (&d)[Count], long long row, long long col, int to,
                                        coefficients const& k) {
    if (arguments.has_addend) {
      ptx::barrier_wait(loaded, parity);
      parity ^= 1;
    } else {
      if (leader) set_is_free();
      sync();
    }
    int const diagonal = static_cast<int>(row / 64 - col / 64);  // the square on it, if one is
#pragma unroll
    for (int square = 0; square < squares; ++square)
      write_square(d, First + square * 32, square, square == diagonal, k);
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
    next_set();
  }

 private:
  __device__ __forceinline__ void next_set() {
    if constexpr (Shape::sets == 2) staging = staging == first_set ? first_set + Shape::set_bytes : first_set;
  }

  __device__ __forceinline__ std::uint32_t straight(int square) const {
    return staging + static_cast<std::uint32_t>(square * boxes_of_square * box_bytes);
  }
  __device__ __forceinline__ std::uint32_t turned(int square) const {
    return straight(square) + Shape::boxes * box_bytes;
  }

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
            packed, turned(square) +
                        static_cast<std::uint32_t>(swizzled(group * 16 + by_columns.row, 32 * warp + by_columns.col)));
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

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
