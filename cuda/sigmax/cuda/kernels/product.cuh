// SPDX-License-Identifier: MIT
/// @file
/// Matrix products of float and double in IEEE arithmetic: each result is one chain of fused multiply-additions over the
/// depth, or the sum of a few chains where the depth is divided. Nothing else may stand behind `standard_rounding`: vendor
/// libraries promise no order of accumulation, and may emulate double by integers.
///
/// A block of 256 threads computes a tile of Rows x Cols. Operands of any strides are copied element by element into
/// shared memory (cp.async, which leaves zeros beyond the edges), three slices of the depth deep, depth-major, so that
/// each thread reads vectors of 16 bytes. A thread holds groups of vectors x vectors of the result, 16 vectors apart.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/tile_schedule.hpp>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Which part of the result is computed.
enum class region : int {
  whole,
  lower,     // on and below the diagonal; the rest is not touched
  mirrored,  // the same, and copied above the diagonal
};

/// r = alpha a b + beta c. `b_cols` is b transposed: row j of it is column j of b.
template <class T>
struct product {
  T alpha;
  strided<T const> a;
  strided<T const> b_cols;
  T beta;
  strided<T const> c;
  strided<T> r;
  region of;
  index depth_of_part;   // the depth block z of the grid sums over
  T* parts;              // [part][row][col], unscaled, if there is more than one
  index const* stopped;  // nothing is done if this is not null and `*stopped` >= 0
};

template <class T, int Rows, int Cols, int Depth>
struct tile {
  static constexpr int threads = 256;
  static constexpr int rows = Rows;
  static constexpr int cols = Cols;
  static constexpr int depth = Depth;
  static constexpr int vector = 16 / static_cast<int>(sizeof(T));
  static constexpr int row_groups = Rows / (16 * vector);
  static constexpr int col_groups = Cols / (16 * vector);
  static constexpr int row_pitch = Rows + vector;  // 16 bytes more: fewer bank conflicts where depth is contiguous
  static constexpr int col_pitch = Cols + vector;
  static constexpr int stages = 3;
  static constexpr int stage_size = Depth * (row_pitch + col_pitch);
  static_assert(Rows % (16 * vector) == 0 && Cols % (16 * vector) == 0);
  static_assert(Rows * Depth % threads == 0 && Cols * Depth % threads == 0);
  static_assert(stages * stage_size * sizeof(T) <= 48 * 1024);
};

/// Copies sizeof(T) bytes to shared memory, or zero where `valid` is false.
template <class T>
__device__ inline void copy_async(T* to, T const* from, bool valid) {
  auto const shared = static_cast<unsigned>(__cvta_generic_to_shared(to));
  int const bytes = valid ? static_cast<int>(sizeof(T)) : 0;
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared), "l"(from), "n"(sizeof(T)), "r"(bytes)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Pending>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

/// Copies slices of Depth of `Size` rows of a matrix to shared memory as [depth][Pitch].
template <class T, int Size, int Depth, int Pitch, int Threads>
class slice_loader {
 public:
  /// Rows [first_row, first_row + Size) of x, from column `first` on, up to column `end`.
  __device__ slice_loader(strided<T const> const& x, index first_row, index first, index end) {
    int const t = static_cast<int>(threadIdx.x);
    // Neighbouring threads read along the direction in which x is contiguous.
    by_depth_ = magnitude(x.col_stride) <= magnitude(x.row_stride);
    row_ = by_depth_ ? t / Depth : t % Size;
    depth_ = by_depth_ ? t % Depth : t / Size;
    rows_left_ = x.rows - first_row - row_;
    depth_left_ = end - first - depth_;
    safe_ = x.data;
    from_ = x.data + (first_row + row_) * x.row_stride + (first + depth_) * x.col_stride;
    step_ = by_depth_ ? row_step * x.row_stride : depth_step * x.col_stride;
    advance_ = Depth * x.col_stride;
  }

  /// Starts the copy of the next slice.
  __device__ void load(T* slice) {
    T const* from = from_;
    if (by_depth_) {
#pragma unroll
      for (int e = 0; e < count; ++e, from += step_) {
        bool const valid = depth_left_ > 0 && rows_left_ > e * row_step;
        copy_async(slice + depth_ * Pitch + row_ + e * row_step, valid ? from : safe_, valid);
      }
    } else {
#pragma unroll
      for (int e = 0; e < count; ++e, from += step_) {
        bool const valid = rows_left_ > 0 && depth_left_ > e * depth_step;
        copy_async(slice + (depth_ + e * depth_step) * Pitch + row_, valid ? from : safe_, valid);
      }
    }
    from_ += advance_;
    depth_left_ -= Depth;
  }

 private:
  static constexpr int count = Size * Depth / Threads;
  static constexpr int row_step = Threads / Depth;
  static constexpr int depth_step = Threads >= Size ? Threads / Size : 1;
  static_assert(Threads % Size == 0 || Size % Threads == 0);
  static_assert(Threads >= Size);

  T const* from_;
  T const* safe_;
  index step_;
  index advance_;
  index rows_left_;
  index depth_left_;
  int row_;
  int depth_;
  bool by_depth_;
};

template <class T>
struct vector_of;
template <>
struct vector_of<float> {
  using type = float4;
};
template <>
struct vector_of<double> {
  using type = double2;
};

/// Loads 16 bytes from shared memory.
template <class T>
__device__ inline void load_vector(T* to, T const* from) {
  using vector = typename vector_of<T>::type;
  *reinterpret_cast<vector*>(to) = *reinterpret_cast<vector const*>(from);
}

template <class T>
__device__ inline T scaled_sum(T alpha, T sum, T beta, strided<T const> const& c, index i, index j) {
  T const scaled = alpha * sum;
  return beta == T(0) ? scaled : scaled + beta * c.data[i * c.row_stride + j * c.col_stride];
}

template <class T, class Tile, int Blocks>
__global__ void __launch_bounds__(Tile::threads, Blocks) product_kernel(product<T> const p) {
  constexpr int V = Tile::vector;
  constexpr int row_count = Tile::row_groups * V;
  constexpr int col_count = Tile::col_groups * V;
  __shared__ __align__(16) T memory[Tile::stages * Tile::stage_size];
  if (p.stopped != nullptr && *p.stopped >= 0) return;

  index const tiles_down = divided_up(p.r.rows, Tile::rows);
  index const tiles_across = divided_up(p.r.cols, Tile::cols);
  index const at = static_cast<index>(blockIdx.x);
  tile_position const position =
      p.of == region::mirrored ? triangle_tile(at) : banded_tile(at, tiles_down, tiles_across);
  index const first_row = position.row * Tile::rows;
  index const first_col = position.col * Tile::cols;
  if (p.of == region::lower && first_col >= first_row + Tile::rows) return;

  index const part = static_cast<index>(blockIdx.z);
  index const depth = p.a.cols;
  index const begin = part * p.depth_of_part;
  index const end = begin + p.depth_of_part < depth ? begin + p.depth_of_part : depth;
  int const slices = static_cast<int>(divided_up(end - begin, Tile::depth));

  slice_loader<T, Tile::rows, Tile::depth, Tile::row_pitch, Tile::threads> a(p.a, first_row, begin, end);
  slice_loader<T, Tile::cols, Tile::depth, Tile::col_pitch, Tile::threads> b(p.b_cols, first_col, begin, end);
  auto const slice_of_a = [&](int stage) { return memory + stage * Tile::stage_size; };
  auto const slice_of_b = [&](int stage) { return slice_of_a(stage) + Tile::depth * Tile::row_pitch; };
  auto const load = [&](int stage) {
    a.load(slice_of_a(stage));
    b.load(slice_of_b(stage));
  };
#pragma unroll
  for (int s = 0; s < Tile::stages - 1; ++s) {
    if (s < slices) load(s);
    commit_copies();
  }

  // A warp is 4 x 8 threads, the block 4 x 2 warps: 8 vectors of b are 128 bytes in a row, those of a are broadcast.
  int const lane = static_cast<int>(threadIdx.x % 32);
  int const warp = static_cast<int>(threadIdx.x / 32);
  int const row_of_thread = (warp / 2 * 4 + lane / 8) * V;
  int const col_of_thread = (warp % 2 * 8 + lane % 8) * V;

  T sums[row_count][col_count] = {};
  int stage = 0;
  int free_stage = Tile::stages - 1;
  for (int s = 0; s < slices; ++s) {
    wait_for_copies<Tile::stages - 2>();
    __syncthreads();
    if (s + Tile::stages - 1 < slices) load(free_stage);
    commit_copies();
    T const* const a_slice = slice_of_a(stage) + row_of_thread;
    T const* const b_slice = slice_of_b(stage) + col_of_thread;
#pragma unroll
    for (int k = 0; k < Tile::depth; ++k) {
      __align__(16) T x[row_count];
      __align__(16) T y[col_count];
#pragma unroll
      for (int g = 0; g < Tile::row_groups; ++g) load_vector(x + g * V, a_slice + k * Tile::row_pitch + g * 16 * V);
#pragma unroll
      for (int g = 0; g < Tile::col_groups; ++g) load_vector(y + g * V, b_slice + k * Tile::col_pitch + g * 16 * V);
#pragma unroll
      for (int i = 0; i < row_count; ++i) {
#pragma unroll
        for (int j = 0; j < col_count; ++j) sums[i][j] = fma(x[i], y[j], sums[i][j]);
      }
    }
    stage = stage + 1 == Tile::stages ? 0 : stage + 1;
    free_stage = free_stage + 1 == Tile::stages ? 0 : free_stage + 1;
  }

#pragma unroll
  for (int ii = 0; ii < row_count; ++ii) {
    index const i = first_row + row_of_thread + ii / V * 16 * V + ii % V;
#pragma unroll
    for (int jj = 0; jj < col_count; ++jj) {
      index const j = first_col + col_of_thread + jj / V * 16 * V + jj % V;
      if (i >= p.r.rows || j >= p.r.cols || (p.of != region::whole && j > i)) continue;
      if (p.parts != nullptr) {
        p.parts[(part * p.r.rows + i) * p.r.cols + j] = sums[ii][jj];
        continue;
      }
      T const value = scaled_sum(p.alpha, sums[ii][jj], p.beta, p.c, i, j);
      p.r.data[i * p.r.row_stride + j * p.r.col_stride] = value;
      if (p.of == region::mirrored && j < i) p.r.data[j * p.r.row_stride + i * p.r.col_stride] = value;
    }
  }
}

/// Adds up the parts of a product whose depth was divided, in their order.
template <class T>
__global__ void __launch_bounds__(256) join_parts_kernel(product<T> const p, index parts) {
  index const i = static_cast<index>(blockIdx.y) * blockDim.y + threadIdx.y;
  index const j = static_cast<index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= p.r.rows || j >= p.r.cols || (p.of != region::whole && j > i)) return;
  T sum = p.parts[i * p.r.cols + j];
  for (index part = 1; part < parts; ++part) sum += p.parts[(part * p.r.rows + i) * p.r.cols + j];
  T const value = scaled_sum(p.alpha, sum, p.beta, p.c, i, j);
  p.r.data[i * p.r.row_stride + j * p.r.col_stride] = value;
  if (p.of == region::mirrored && j < i) p.r.data[j * p.r.row_stride + i * p.r.col_stride] = value;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
