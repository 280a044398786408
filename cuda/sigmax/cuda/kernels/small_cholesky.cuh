// SPDX-License-Identifier: MIT
/// @file
/// The Cholesky factor of a small matrix in one launch of one block: what many launches of small kernels would spend
/// waiting for one another is longer than all of its arithmetic.
///
/// By panels of 32 columns, right-looking. A panel is solved against its diagonal block in shared memory, a thread a
/// row, and subtracted from what is right of it by tiles of 32 x 32, a warp a tile. The first warp takes the next
/// diagonal block and factors it at once: the pivots, one after another, are what the time goes to, and the other warps
/// are busy meanwhile.
///
/// Rounding: with p_j = a_jj - sum_k l_jk^2 and s_ij = a_ij - sum_k l_ik l_jk, each one chain of fused
/// multiply-additions in the order of k, rounded to nearest, l_jj is sqrt(p_j) and r_j is 1 / l_jj up to two roundings
/// each (kernels/root.cuh), and l_ij = fl(s_ij r_j). So s_ij = l_ij l_jj and p_j = l_jj^2 up to the factors of j + 4
/// roundings: the factorisation by substitutions of Higham, 10.1, within the gamma_{n+8} of certified/cholesky.hpp,
/// which allows for a reciprocal in place of a division. Roots of positive finite numbers lie far inside the range, so
/// that no r_j overflows or underflows.
#pragma once

#include <cstddef>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/root.cuh>
#include <sigmax/cuda/kernels/triangular.cuh>
#include <sigmax/cuda/kernels/warp_tile.cuh>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// The largest order: a panel of doubles fits into the shared memory of sm_80, and a thread has at most one row. Larger
/// matrices are worth more than one multiprocessor.
inline constexpr index small_cholesky_order = 512;

/// Where the parts of the block's shared memory lie: all column by column.
struct small_cholesky_memory {
  static constexpr int threads = 512;
  static constexpr int size = triangular_block;
  // Room beside a column, so that threads which read or write different columns at once meet different banks.
  static constexpr int triangle_pitch = size + 4;
  static constexpr int reciprocals_at = size * triangle_pitch;
  static constexpr int columns_at = reciprocals_at + size;
  static constexpr int panel_at = columns_at + 2 * size;

  /// Rows below the first diagonal block, in whole blocks.
  static constexpr int panel_pitch(int order) { return (order - 1) / size * size + 4; }
  static constexpr std::size_t elements(int order) {
    return static_cast<std::size_t>(panel_at + size * panel_pitch(order));
  }
};
static_assert(small_cholesky_memory::elements(small_cholesky_order) * sizeof(double) <= 160 * 1024);
static_assert(small_cholesky_order - triangular_block <= small_cholesky_memory::threads);

/// Factors the triangle by one warp, lane i holding row i; beyond `order` stands an identity, so that the loops have
/// one length. `row[0]` is the current column, and all others move one place to the left in a step: the code of one
/// step serves for all, and stays in the cache of instructions. A column is subtracted from the others while the root
/// of the next pivot is on its way. @return the first row whose pivot is not a positive finite number, complete left of
/// it, and `order` if there is none.
template <class T>
__device__ int factor_triangle(T* triangle, T* reciprocals, T* columns, int order) {
  constexpr int size = small_cholesky_memory::size;
  constexpr int pitch = small_cholesky_memory::triangle_pitch;
  constexpr unsigned all = 0xffffffffu;
  T const largest = sizeof(T) == 4 ? T(3.402823466e+38f) : T(1.7976931348623157e+308);
  int const lane = static_cast<int>(threadIdx.x % 32);
  // One place behind, for the first step, which has nothing to subtract.
  T row[size + 1];
  row[0] = T(0);
#pragma unroll
  for (int j = 0; j < size; ++j) {
    row[j + 1] = lane < order && j <= lane ? triangle[j * pitch + lane] : T(lane == j ? 1 : 0);
  }
  T element(0);
  columns[size + lane] = T(0);
  __syncwarp();
  T pivot = __shfl_sync(all, row[1], 0);
#pragma unroll 1
  for (int j = 0; j < order; ++j) {
    root_pair<T> here;
    bool const found = find_root(pivot, here);
    T const* const before = columns + (j + 1) % 2 * size;
#pragma unroll
    for (int k = 0; k < size; ++k) row[k] = fma(-element, before[k], row[k + 1]);
    T const below = __shfl_sync(all, row[0], j + 1);
    T const next = __shfl_sync(all, row[1], j + 1);
    if (!found) {
      if (!(pivot > T(0)) || !(pivot <= largest)) return j;
      here = rounded_root(pivot);
    }
    // The next pivot: every lane computes it, with the bits of its own lane.
    pivot = fma(-(below * here.reciprocal), below * here.reciprocal, next);
    element = row[0] * here.reciprocal;
    // Two columns in turn, so that one barrier a step is enough. What comes of this above the diagonal is not looked
    // at.
    columns[j % 2 * size + ((lane - j - 1) & (size - 1))] = element;
    triangle[j * pitch + lane] = lane == j ? here.root : element;
    if (lane == j) reciprocals[j] = here.reciprocal;
    __syncwarp();
  }
  return order;
}

/// One row of the panel: x = x L^-T by substitution.
template <class T>
__device__ void solve_row(T const* triangle, T const* reciprocals, T* panel, int pitch) {
  using memory = small_cholesky_memory;
  T x[memory::size];
#pragma unroll
  for (int j = 0; j < memory::size; ++j) x[j] = panel[j * pitch];
#pragma unroll
  for (int j = 0; j < memory::size; ++j) {
    x[j] *= reciprocals[j];
#pragma unroll
    for (int k = j + 1; k < memory::size; ++k) x[k] = fma(-triangle[j * memory::triangle_pitch + k], x[j], x[k]);
  }
#pragma unroll
  for (int j = 0; j < memory::size; ++j) panel[j * pitch] = x[j];
}

/// visit(i, j) for the rows < `rows` of a panel of 32 columns, by warps [first, last) of the block. A warp takes 4 x 8
/// elements at a time, which are few sectors of memory whatever the strides.
template <class F>
__device__ void for_each_of_panel(int rows, int first, int last, F const& visit) {
  int const lane = static_cast<int>(threadIdx.x % 32);
  int const warp = static_cast<int>(threadIdx.x / 32);
#pragma unroll 2
  for (int i = 4 * (warp - first) + lane / 8; i < rows; i += 4 * (last - first)) {
#pragma unroll
    for (int j = 0; j < small_cholesky_memory::size; j += 8) visit(i, j + lane % 8);
  }
}

/// to = from - (32 rows of the panel) (32 rows of the panel)^T, where j <= i + `below_diagonal` and i < `rows`.
template <class T>
__device__ void update_tile(strided<T> from, strided<T> to, T const* down, T const* across, int pitch,
                            int below_diagonal) {
  warp_tile<T> tile(static_cast<int>(threadIdx.x % 32));
  int const rows = from.rows < triangular_block ? static_cast<int>(from.rows) : triangular_block;
  auto const is_inside = [&](int i, int j) { return i < rows && j <= i + below_diagonal; };
#pragma unroll
  for (int ii = 0; ii < tile.rows; ++ii) {
    T const* const row = from.data + tile.row(ii) * from.row_stride;
#pragma unroll
    for (int jj = 0; jj < tile.cols; ++jj) {
      tile(ii, jj) = is_inside(tile.row(ii), tile.col(jj)) ? row[tile.col(jj) * from.col_stride] : T(0);
    }
  }
  tile.subtract(down, across, pitch);
#pragma unroll
  for (int ii = 0; ii < tile.rows; ++ii) {
    T* const row = to.data + tile.row(ii) * to.row_stride;
#pragma unroll
    for (int jj = 0; jj < tile.cols; ++jj) {
      if (is_inside(tile.row(ii), tile.col(jj))) row[tile.col(jj) * to.col_stride] = tile(ii, jj);
    }
  }
}

/// a = L L^T in place, the lower triangle only, for an order >= 1. The first row whose pivot is not a positive finite
/// number goes to `*stopped`, and -1 if there is none.
template <class T>
__global__ void __launch_bounds__(small_cholesky_memory::threads) small_cholesky_kernel(strided<T> a, index* stopped) {
  using memory = small_cholesky_memory;
  constexpr int size = memory::size;
  constexpr int warps = memory::threads / 32;
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  __shared__ int completed;  // rows of the current diagonal block
  T* const triangle = reinterpret_cast<T*>(shared_bytes);
  T* const reciprocals = triangle + memory::reciprocals_at;
  T* const panel = triangle + memory::panel_at;
  int const n = static_cast<int>(a.rows);
  int const pitch = memory::panel_pitch(n);
  int const thread = static_cast<int>(threadIdx.x);
  int const warp = thread / 32;

  for_each_of_panel(n < size ? n : size, 0, warps, [&](int i, int j) {
    if (j <= i) triangle[j * memory::triangle_pitch + i] = a.data[i * a.row_stride + j * a.col_stride];
  });
  __syncthreads();
  int first = 0;
  for (;; first += size) {
    int const order = n - first < size ? n - first : size;
    if (first > 0) {
      // The panel of the step before, which is left of `rest`.
      auto const left = a.block(first, first - size, n - first, size);
      auto const rest = a.block(first, first, n - first, n - first);
      if (warp > 0) {
        for_each_of_panel(n - first, 1, warps,
                          [&](int i, int j) { left.data[i * a.row_stride + j * a.col_stride] = panel[j * pitch + i]; });
      }
      // The tiles on and below the diagonal row by row, (0, 0), (1, 0), (1, 1), (2, 0), ...: the first warp has the
      // first one, which becomes the triangle, and the others are dealt out.
      int row = 0;
      for (int col = warp;; col += warps - 1) {
        for (; col > row; ++row) col -= row + 1;
        if (row * size >= n - first) break;
        auto const tile = rest.block(row * size, col * size, n - first - row * size, size);
        strided<T> const to = warp == 0 ? strided<T>{triangle, size, size, 1, memory::triangle_pitch} : tile;
        update_tile<T>(tile, to, panel + row * size, panel + col * size, pitch, (row - col) * size);
        if (warp == 0) break;
      }
    }
    if (warp == 0) {
      __syncwarp();
      int const done = factor_triangle(triangle, reciprocals, triangle + memory::columns_at, order);
      if (thread == 0) completed = done;
    }
    __syncthreads();

    auto const diagonal = a.block(first, first, order, order);
    for_each_of_panel(order, 0, warps, [&](int i, int j) {
      if (j <= i) diagonal.data[i * a.row_stride + j * a.col_stride] = triangle[j * memory::triangle_pitch + i];
    });
    if (completed < order || first + size >= n) break;
    int const below = n - first - size;
    int const padded = (below + size - 1) / size * size;
    auto const left = a.block(first + size, first, below, size);
    for_each_of_panel(padded, 0, warps, [&](int i, int j) {
      panel[j * pitch + i] = i < below ? left.data[i * a.row_stride + j * a.col_stride] : T(0);
    });
    __syncthreads();
    if (thread < padded) solve_row(triangle, reciprocals, panel + thread, pitch);
    __syncthreads();
  }
  // `first` is the last diagonal block that was begun.
  if (thread == 0) *stopped = completed < n - first && completed < size ? first + completed : -1;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
