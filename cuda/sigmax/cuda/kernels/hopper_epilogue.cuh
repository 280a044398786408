// SPDX-License-Identifier: MIT
/// @file
/// How a tile leaves the registers of a warp group on sm_90a: C is added, and boxes of 64 x 64 go to memory as they are and
/// transposed, by way of shared memory and bulk copies.
#pragma once

#include <cstdint>
#include <type_traits>

#include <cuda.h>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/ptx.cuh>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/shared_memory.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

#include "element.cuh"
#include "hopper_tile.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// A square of 64 x 64 of the result: its first row and column.
struct result_square {
  int row, col;
};

/// Where a warp group stages a square, as it is and transposed: `Shape::boxes` boxes each.
struct staging_set {
  std::uint32_t straight, turned;
};

/// Writes squares of one warp group.
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
  staging_set current{}, other{};  ///< `other` where there are two sets
  bool two_sets = Shape::own_sets == 2;
  bool swapped = false;  ///< of a square on the diagonal the upper half counts
  int written = 0;       ///< squares of this tile

  static constexpr int box_bytes = Shape::box_bytes;

  __device__ __forceinline__ void sync() const { ptx::named_sync(named_barrier, 128); }

  /// Begins with the first set of its own. What was staged has been read.
  __device__ __forceinline__ void restart(bool is_swapped) {
    swapped = is_swapped;
    written = 0;
    constexpr int half = Shape::boxes * box_bytes;
    current = {first_set, first_set + half};
    if constexpr (Shape::own_sets == 2) other = {first_set + Shape::set_bytes, first_set + Shape::set_bytes + half};
    if constexpr (Shape::borrows) two_sets = false;
  }

  /// Has a second set for the squares until `restart`.
  __device__ __forceinline__ void borrow(std::uint32_t straight, std::uint32_t turned) {
    other = {straight, turned};
    two_sets = true;
  }

  /// Starts loading C for a square. For the leader alone; what was staged in the set has been read.
  __device__ __forceinline__ void fetch(result_square const& at, staging_set const& to, int matrix) const {
    ptx::barrier_expect(loaded, static_cast<std::uint32_t>(Shape::boxes * box_bytes));
    for (int box = 0; box < Shape::boxes; ++box) {
      ptx::load_box(addend, to.straight + static_cast<std::uint32_t>(box * box_bytes), loaded,
                    at.col + box * Shape::box_cols, at.row, matrix);
    }
  }

  /// Writes the square at `at` from the accumulators d[First], ...; C for the first one of a tile has been fetched, and for
  /// `next`, if there is one, it is fetched here. `give_back` is called when a borrowed set has been read for good.
  template <int First, int Count, class GiveBack>
  __device__ __forceinline__ void write(float (&d)[Count], result_square const at, bool has_next,
                                        result_square const next, int matrix, int to, coefficients const& k,
                                        GiveBack const& give_back) {
    // Without C a borrowed set serves one square, the second: the third is written while it is read, and before the
    // fourth it goes back.
    bool const keeps_lent = arguments.has_addend || !Shape::borrows;
    if (arguments.has_addend) {
      ptx::barrier_wait(loaded, parity);
      parity ^= 1;
      if (two_sets && has_next) {
        sync();  // a thread that still waited for this phase would take the end of the next but one for it
        if (leader) {
          ptx::stores_read<0>();
          fetch(next, other, matrix);
        }
        __syncwarp();
      }
    } else {
      bool const is_last = !keeps_lent && written == 3;
      if (leader) {
        if (two_sets && !is_last) {
          ptx::stores_read<1>();
        } else {
          ptx::stores_read<0>();
        }
      }
      sync();
      if (is_last) give_back();
    }
    bool const on_diagonal = at.row == at.col;
    // A body for each kind: what a square does not need would be most of its instructions.
    if (on_diagonal) {
      write_square<First, true, true>(d, k);
      sync();
      reflect();
    } else if (sizeof(Result) == 4 || arguments.has_addend) {  // floats have no registers for a third
      write_square<First, false, true>(d, k);
    } else {
      write_square<First, false, false>(d, k);
    }
    ptx::fence_for_copies();
    sync();
    if (leader) {
      send(at, on_diagonal, to);
      ptx::stores_commit();
      if (arguments.has_addend && !two_sets && has_next) {
        ptx::stores_read<0>();
        fetch(next, current, matrix);
      }
    }
    if (two_sets && (keeps_lent || written < 2)) {
      auto const used = current;
      current = other;
      other = used;
    }
    ++written;
  }

 private:
  /// Address of element (r, c) of a square of 64 x 64.
  __device__ __forceinline__ static std::uint32_t address(std::uint32_t base, int r, int c) {
    constexpr int size = static_cast<int>(sizeof(Result));
    int const box = Shape::boxes == 1 ? 0 : c / Shape::box_cols;
    int const inside = Shape::boxes == 1 ? c : c % Shape::box_cols;
    return base + static_cast<std::uint32_t>(box * box_bytes + swizzled(r, inside * size));
  }

  /// A square as it is and transposed. OnDiagonal, MayAdd: whether it has to look for the diagonal and for C.
  template <int First, bool OnDiagonal, bool MayAdd, int Count>
  __device__ __forceinline__ void write_square(float (&d)[Count], coefficients const& k) const {
    int const warp = thread / 32;
    int const lane = thread % 32;
    bool const add = MayAdd && arguments.has_addend;
    auto const origin = accumulator_place(warp, lane, 0);
    // Accumulators i with 8 (i / 4) + i % 2 - 8 (i / 2 % 2) equal to this lie on the diagonal.
    int const offset = origin.row - origin.col;
    auto const value = [&](int i, float c) {
      float v = k.alpha * d[First + i];
      if constexpr (MayAdd) v += k.beta * c;
      if constexpr (OnDiagonal) {
        if (offset == 8 * (i >> 2) + (i & 1) - 8 * ((i >> 1) & 1)) v += k.diagonal;
      }
      return v;
    };
    if constexpr (sizeof(Result) == 2) {
      auto const by_rows = piece_by_rows(lane);
      auto const by_columns = piece_by_columns(lane);
#pragma unroll
      for (int group = 0; group < 4; ++group) {  // of 16 columns
        std::uint32_t const at =
            current.straight + static_cast<std::uint32_t>(swizzled(16 * warp + by_rows.row, group * 32 + by_rows.col));
        std::uint32_t packed[4] = {0, 0, 0, 0};
        if (add) ptx::load_matrices(packed, at);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          float2 const c = unpack_two<Result>(packed[i]);
          int const index = 8 * group + 2 * i;
          packed[i] = pack_two<Result>(value(index, c.x), value(index + 1, c.y));
        }
        ptx::store_matrices(packed, at);
        ptx::store_matrices_transposed(
            packed, current.turned +
                        static_cast<std::uint32_t>(swizzled(group * 16 + by_columns.row, 32 * warp + by_columns.col)));
      }
    } else {
#pragma unroll
      for (int i = 0; i < 32; i += 2) {
        auto const place = accumulator_place(warp, lane, i);
        std::uint32_t const at = address(current.straight, place.row, place.col);
        float2 c = {0, 0};
        if (add) ptx::load(c, at);
        float2 const v = {value(i, c.x), value(i + 1, c.y)};
        ptx::store(at, v);
        ptx::store(address(current.turned, place.col, place.row), v.x);
        ptx::store(address(current.turned, place.col + 1, place.row), v.y);
      }
    }
  }

  /// The half of a diagonal square that does not count from its transpose.
  __device__ __forceinline__ void reflect() const {
#pragma unroll 1
    for (int i = thread; i < 64 * 64; i += 128) {
      int const r = i / 64;
      int const c = i % 64;
      if (swapped ? c >= r : c <= r) continue;
      std::conditional_t<sizeof(Result) == 2, std::uint16_t, float> v;
      ptx::load(v, address(current.turned, r, c));
      ptx::store(address(current.straight, r, c), v);
    }
  }

  __device__ __forceinline__ void send(result_square const& at, bool on_diagonal, int to) const {
    for (int box = 0; box < Shape::boxes; ++box) {
      auto const offset = static_cast<std::uint32_t>(box * box_bytes);
      ptx::store_box(result, current.straight + offset, at.col + box * Shape::box_cols, at.row, to);
      if (!on_diagonal && arguments.mirror) {
        ptx::store_box(result, current.turned + offset, at.row + box * Shape::box_cols, at.col, to);
      }
    }
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
