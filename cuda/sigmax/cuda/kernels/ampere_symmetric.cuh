// SPDX-License-Identifier: MIT
/// @file
/// D = alpha A B^T + beta C + diagonal I with a symmetric result, from sm_80 on: mma.sync fed by asynchronous copies.
/// Any shape; any strides where `Aligned` is false.
///
/// A block computes one 128 x 128 tile of the triangle with 8 warps of 64 x 32, and writes it as it is and transposed from
/// shared memory. Pieces of 128 bytes of every row are in flight for the next two steps.
#pragma once

#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/cuda/kernels/mma.cuh>
#include <sigmax/cuda/kernels/ptx.cuh>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/shared_memory.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

#include "element.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// Operands, addend and result; strides in elements.
template <class Operand, class Result>
struct ampere_arguments {
  typename Operand::storage const* left;
  typename Operand::storage const* right;
  Result const* addend;  ///< nullptr: none
  Result* result;
  long long order, inner;
  long long left_row, left_col, left_batch;
  long long right_row, right_col, right_batch;
  long long addend_row, addend_col, addend_batch;
  long long result_row, result_col, result_batch;
  coefficients same;
  coefficients const* each;
};

/// What the kernel is told of a call.
template <operand_kind Kind>
ampere_arguments<operand<Kind>, typename operand<Kind>::storage> ampere_arguments_of(
    SIGMAX_CUDA_LIBRARY::symmetric_call const& o) {
  using T = typename operand<Kind>::storage;
  ampere_arguments<operand<Kind>, T> arguments{};
  arguments.left = static_cast<T const*>(o.left.data);
  arguments.right = static_cast<T const*>(o.right.data);
  arguments.addend = static_cast<T const*>(o.addend.data);
  arguments.result = static_cast<T*>(o.result.data);
  arguments.order = o.result.rows;
  arguments.inner = o.left.cols;
  arguments.left_row = o.left.row_stride;
  arguments.right_row = o.right.row_stride;
  arguments.addend_row = o.addend.row_stride;
  arguments.result_row = o.result.row_stride;
  arguments.left_col = arguments.right_col = arguments.addend_col = arguments.result_col = 1;
  arguments.left_batch = o.left.stride;
  arguments.right_batch = o.right.stride;
  arguments.addend_batch = o.addend.stride;
  arguments.result_batch = o.result.stride;
  arguments.same = o.same;
  arguments.each = o.each;
  return arguments;
}

inline constexpr int ampere_tile = 128;
inline constexpr int ampere_stages = 3;
inline constexpr int ampere_stage_bytes = 2 * ampere_tile * 128;
inline constexpr int ampere_shared_bytes = ampere_stages * ampere_stage_bytes;
inline constexpr int ampere_pitch =
    ampere_tile + 1;  ///< floats between rows of the staged tile: columns meet no bank twice
static_assert(ampere_tile * ampere_pitch * 4 <= ampere_shared_bytes);

/// 128 rows from `first_row`, 128 bytes from element `first` of the inner dimension; zero beyond the matrix.
template <bool Aligned, class T>
__device__ __forceinline__ void ampere_load(std::uint32_t to, unsigned char* generic, T const* from,
                                            long long row_stride, long long col_stride, long long first_row,
                                            long long rows, long long first, long long inner) {
  constexpr int size = static_cast<int>(sizeof(T));
  int const thread = static_cast<int>(threadIdx.x);
  if constexpr (Aligned) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      int const piece = thread + 256 * i;
      int const row = piece / 8;
      int const byte = 16 * (piece % 8);
      long long const k = first + byte / size;
      long long const left = (inner - k) * size;
      bool const inside = first_row + row < rows && left > 0;
      auto const bytes = static_cast<std::uint32_t>(inside ? (left < 16 ? left : 16) : 0);
      ptx::copy_16_bytes(to + static_cast<std::uint32_t>(swizzled(row, byte)),
                         inside ? from + (first_row + row) * row_stride + k : from, bytes);
    }
  } else {
    constexpr int per_row = 128 / size;
    for (int i = thread; i < ampere_tile * per_row; i += 256) {
      int const row = i / per_row;
      int const col = i % per_row;
      bool const inside = first_row + row < rows && first + col < inner;
      *reinterpret_cast<T*>(generic + swizzled(row, col * size)) =
          inside ? from[(first_row + row) * row_stride + (first + col) * col_stride] : from_float<T>(0);
    }
  }
}

template <class Operand, class Result, bool Aligned>
__global__ void __launch_bounds__(256) ampere_symmetric(ampere_arguments<Operand, Result> const p) {
  using T = typename Operand::storage;
  extern __shared__ unsigned char dynamic_memory[];
  std::uint32_t const base = ptx::shared_address(dynamic_memory);
  auto const place = triangle_place(static_cast<int>(blockIdx.x));
  auto const batch = static_cast<long long>(blockIdx.y);
  long long const row = static_cast<long long>(place.row) * ampere_tile;
  long long const col = static_cast<long long>(place.col) * ampere_tile;
  T const* const left = p.left + batch * p.left_batch;
  T const* const right = p.right + batch * p.right_batch;
  constexpr int inner_piece = 128 / static_cast<int>(sizeof(T));
  int const pieces = static_cast<int>((p.inner + inner_piece - 1) / inner_piece);
  int const warp = static_cast<int>(threadIdx.x) / 32;
  int const lane = static_cast<int>(threadIdx.x) % 32;
  int const warp_row = warp / 4 * 64;
  int const warp_col = warp % 4 * 32;

  auto const load = [&](int piece) {
    if (piece < pieces) {
      int const offset = piece % ampere_stages * ampere_stage_bytes;
      std::uint32_t const to = base + static_cast<std::uint32_t>(offset);
      long long const first = static_cast<long long>(piece) * inner_piece;
      ampere_load<Aligned>(to, dynamic_memory + offset, left, p.left_row, p.left_col, row, p.order, first, p.inner);
      ampere_load<Aligned>(to + ampere_tile * 128, dynamic_memory + offset + ampere_tile * 128, right, p.right_row,
                           p.right_col, col, p.order, first, p.inner);
    }
    ptx::copies_commit();
  };

  float d[4][4][4] = {};
#pragma unroll
  for (int s = 0; s < ampere_stages - 1; ++s) load(s);
  for (int piece = 0; piece < pieces; ++piece) {
    ptx::copies_wait<ampere_stages - 2>();
    __syncthreads();
    load(piece + ampere_stages - 1);
    std::uint32_t const a_at = base + static_cast<std::uint32_t>(piece % ampere_stages * ampere_stage_bytes);
    std::uint32_t const b_at = a_at + ampere_tile * 128;
    auto const by_rows = piece_by_rows(lane);
    auto const by_columns = piece_by_columns(lane);
#pragma unroll
    for (int slice = 0; slice < 4; ++slice) {
      std::uint32_t a[4][4];
      std::uint32_t b[2][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        ptx::load_matrices(a[i], a_at + static_cast<std::uint32_t>(
                                            swizzled(warp_row + 16 * i + by_rows.row, 32 * slice + by_rows.col)));
      }
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        ptx::load_matrices(b[j], b_at + static_cast<std::uint32_t>(
                                            swizzled(warp_col + 16 * j + by_columns.row, 32 * slice + by_columns.col)));
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int e = 0; e < 4; ++e) a[i][e] = ptx::rounded_operand<Operand>(a[i][e]);
      }
#pragma unroll
      for (int j = 0; j < 2; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) b[j][e] = ptx::rounded_operand<Operand>(b[j][e]);
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) ptx::mma<Operand>(d[i][j], a[i], b[j / 2][2 * (j % 2)], b[j / 2][2 * (j % 2) + 1]);
      }
    }
  }
  ptx::copies_wait<0>();
  __syncthreads();

  // The tile in float, C added, in shared memory; then both halves of D from there.
  auto* const staged = reinterpret_cast<float*>(dynamic_memory);
  coefficients const k = p.each != nullptr ? p.each[batch] : p.same;
  Result const* const addend = p.addend == nullptr ? nullptr : p.addend + batch * p.addend_batch;
  Result* const result = p.result + batch * p.result_batch;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        auto const inside = accumulator_place(0, lane, e);
        int const r = warp_row + 16 * i + inside.row;
        int const c = warp_col + 8 * j + inside.col;
        float v = k.alpha * d[i][j][e];
        bool const lower = row + r < p.order && col + c <= row + r;
        if (lower && addend != nullptr) {
          v += k.beta * to_float(addend[(row + r) * p.addend_row + (col + c) * p.addend_col]);
        }
        if (row + r == col + c) v += k.diagonal;
        staged[r * ampere_pitch + c] = v;
      }
    }
  }
  __syncthreads();
  bool const diagonal = place.row == place.col;
  for (int i = static_cast<int>(threadIdx.x); i < ampere_tile * ampere_tile; i += 256) {
    int const r = i / ampere_tile;
    int const c = i % ampere_tile;
    if (row + r < p.order && col + c < p.order) {
      float const v = diagonal && c > r ? staged[c * ampere_pitch + r] : staged[r * ampere_pitch + c];
      result[(row + r) * p.result_row + (col + c) * p.result_col] = from_float<Result>(v);
    }
    if (!diagonal && row + c < p.order && col + r < p.order) {
      result[(col + r) * p.result_row + (row + c) * p.result_col] = from_float<Result>(staged[c * ampere_pitch + r]);
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
