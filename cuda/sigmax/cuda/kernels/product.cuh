// SPDX-License-Identifier: MIT
/// @file
/// Matrix products of float and double in IEEE arithmetic: each result is one chain of fused multiply-additions over the
/// depth, or the sum of a few chains where the depth is divided. Nothing else may stand behind `standard_rounding`: vendor
/// libraries promise no order of accumulation, and may emulate double by integers.
///
/// A block of 256 threads computes a tile of Rows x Cols. Operands of any strides are copied element by element into
/// shared memory (cp.async, which leaves zeros beyond the edges), some slices of the depth ahead, depth-major.
///
/// float: each thread reads vectors of 16 bytes, and holds groups of vectors x vectors of the result, 16 vectors apart.
/// double: the units that multiply matrices of double (mma.sync of .f64, rounding mode .rn); a warp holds 64 x 32 of the
/// result. That they round each step to nearest is NVIDIA's word, and what the tests look at: the bits have to be those of
/// the chain of fused multiply-additions, as they were on an H100 (tests/cuda/products.gpu.cpp).
#pragma once

#include <cstddef>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/double_product.cuh>
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

template <class T, int Rows, int Cols, int Depth, int Stages>
struct tile {
  static constexpr int threads = 256;
  static constexpr int rows = Rows;
  static constexpr int cols = Cols;
  static constexpr int depth = Depth;
  // Room beside a row, so that threads which read or write different depths at once meet different banks.
  static constexpr int row_pitch = Rows + 4;
  static constexpr int col_pitch = Cols + 4;
  static constexpr int stages = Stages;
  static constexpr int stage_size = Depth * (row_pitch + col_pitch);
  static constexpr std::size_t bytes = stages * stage_size * sizeof(T);
  static_assert(Rows * Depth % threads == 0 && Cols * Depth % threads == 0);
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

/// What a thread holds of the result, and how a slice of the operands is added to it. `row` and `col` of element (i, j).
template <class T, class Tile>
class accumulator;

/// Scalar fused multiply-additions. A warp is 4 x 8 threads, the block 4 x 2 warps: 8 vectors of b are 128 bytes in a row,
/// those of a are broadcast.
template <class Tile>
class accumulator<float, Tile> {
 public:
  static constexpr int vector = 4;
  static constexpr int rows = Tile::rows / 16;
  static constexpr int cols = Tile::cols / 16;

  __device__ accumulator() {
    int const lane = static_cast<int>(threadIdx.x % 32);
    int const warp = static_cast<int>(threadIdx.x / 32);
    first_row_ = (warp / 2 * 4 + lane / 8) * vector;
    first_col_ = (warp % 2 * 8 + lane % 8) * vector;
  }

  __device__ void add(float const* a, float const* b) {
#pragma unroll
    for (int k = 0; k < Tile::depth; ++k) {
      __align__(16) float x[rows];
      __align__(16) float y[cols];
#pragma unroll
      for (int i = 0; i < rows; i += vector) load(x + i, a + k * Tile::row_pitch + row(i));
#pragma unroll
      for (int j = 0; j < cols; j += vector) load(y + j, b + k * Tile::col_pitch + col(j));
#pragma unroll
      for (int i = 0; i < rows; ++i) {
#pragma unroll
        for (int j = 0; j < cols; ++j) sums_[i][j] = fma(x[i], y[j], sums_[i][j]);
      }
    }
  }

  __device__ float operator()(int i, int j) const { return sums_[i][j]; }
  __device__ int row(int i) const { return first_row_ + i / vector * 16 * vector + i % vector; }
  __device__ int col(int j) const { return first_col_ + j / vector * 16 * vector + j % vector; }

 private:
  static __device__ void load(float* to, float const* from) {
    *reinterpret_cast<float4*>(to) = *reinterpret_cast<float4 const*>(from);
  }

  float sums_[rows][cols] = {};
  int first_row_;
  int first_col_;
};

/// Products of 16 x 4 by 4 x 8 matrices, 2 x 4 warps.
template <class Tile>
class accumulator<double, Tile> {
 public:
  static constexpr int down = Tile::rows / 32;    // products of 16 rows in a warp
  static constexpr int across = Tile::cols / 32;  // of 8 columns
  static constexpr int rows = 2 * down;
  static constexpr int cols = 2 * across;
  static_assert(Tile::depth % 4 == 0 && down > 0 && across > 0);

  __device__ accumulator() {
    int const lane = static_cast<int>(threadIdx.x % 32);
    int const warp = static_cast<int>(threadIdx.x / 32);
    first_row_ = warp / 4 * 16 * down;
    first_col_ = warp % 4 * 8 * across;
    outer_ = lane / 4;
    inner_ = lane % 4;
  }

  __device__ void add(double const* a, double const* b) {
#pragma unroll
    for (int k = 0; k < Tile::depth; k += 4) {
      double x[rows];
      double y[across];
#pragma unroll
      for (int i = 0; i < rows; ++i) x[i] = a[(k + inner_) * Tile::row_pitch + row(i)];
#pragma unroll
      for (int j = 0; j < across; ++j) y[j] = b[(k + inner_) * Tile::col_pitch + first_col_ + 8 * j + outer_];
#pragma unroll
      for (int i = 0; i < rows; i += 2) {
#pragma unroll
        for (int j = 0; j < across; ++j) add_product(x[i], x[i + 1], y[j], sums_[i] + 2 * j, sums_[i + 1] + 2 * j);
      }
    }
  }

  __device__ double operator()(int i, int j) const { return sums_[i][j]; }
  __device__ int row(int i) const { return first_row_ + 8 * i + outer_; }
  __device__ int col(int j) const { return first_col_ + j / 2 * 8 + 2 * inner_ + j % 2; }

 private:
  double sums_[rows][cols] = {};
  int first_row_;
  int first_col_;
  int outer_;
  int inner_;
};

template <class T>
__device__ inline T scaled_sum(T alpha, T sum, T beta, strided<T const> const& c, index i, index j) {
  T const scaled = alpha * sum;
  return beta == T(0) ? scaled : scaled + beta * c.data[i * c.row_stride + j * c.col_stride];
}

template <class T, class Tile, int Blocks>
__global__ void __launch_bounds__(Tile::threads, Blocks) product_kernel(product<T> const p) {
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  T* const memory = reinterpret_cast<T*>(shared_bytes);
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

  accumulator<T, Tile> sums;
  int stage = 0;
  int free_stage = Tile::stages - 1;
  for (int s = 0; s < slices; ++s) {
    wait_for_copies<Tile::stages - 2>();
    __syncthreads();
    if (s + Tile::stages - 1 < slices) load(free_stage);
    commit_copies();
    sums.add(slice_of_a(stage), slice_of_b(stage));
    stage = stage + 1 == Tile::stages ? 0 : stage + 1;
    free_stage = free_stage + 1 == Tile::stages ? 0 : free_stage + 1;
  }

#pragma unroll
  for (int ii = 0; ii < sums.rows; ++ii) {
    index const i = first_row + sums.row(ii);
#pragma unroll
    for (int jj = 0; jj < sums.cols; ++jj) {
      index const j = first_col + sums.col(jj);
      if (i >= p.r.rows || j >= p.r.cols || (p.of != region::whole && j > i)) continue;
      if (p.parts != nullptr) {
        p.parts[(part * p.r.rows + i) * p.r.cols + j] = sums(ii, jj);
        continue;
      }
      T const value = scaled_sum(p.alpha, sums(ii, jj), p.beta, p.c, i, j);
      p.r.data[i * p.r.row_stride + j * p.r.col_stride] = value;
      if (p.of == region::mirrored && j < i) p.r.data[j * p.r.row_stride + i * p.r.col_stride] = value;
    }
  }
}

inline constexpr int join_tile = 32;

/// Adds up the parts of a product whose depth was divided, in their order: a block of 32 x 8 threads for 32 x 32 results,
/// which are written along rows above the diagonal too.
template <class T>
__global__ void __launch_bounds__(256) join_parts_kernel(product<T> const p, index parts) {
  __shared__ T values[join_tile][join_tile + 1];
  index const at = static_cast<index>(blockIdx.x);
  tile_position const tile = p.of == region::mirrored
                                 ? triangle_tile(at)
                                 : banded_tile(at, divided_up(p.r.rows, join_tile), divided_up(p.r.cols, join_tile));
  index const first_row = tile.row * join_tile;
  index const first_col = tile.col * join_tile;
  int const x = static_cast<int>(threadIdx.x);
  for (int y = static_cast<int>(threadIdx.y); y < join_tile; y += 8) {
    index const i = first_row + y;
    index const j = first_col + x;
    if (i >= p.r.rows || j >= p.r.cols || (p.of == region::mirrored && j > i)) continue;
    T const* const part = p.parts + i * p.r.cols + j;
    T sum = part[0];
#pragma unroll 4
    for (index k = 1; k < parts; ++k) sum += part[k * p.r.rows * p.r.cols];
    T const value = scaled_sum(p.alpha, sum, p.beta, p.c, i, j);
    p.r.data[i * p.r.row_stride + j * p.r.col_stride] = value;
    values[y][x] = value;
  }
  if (p.of != region::mirrored) return;
  __syncthreads();
  for (int y = static_cast<int>(threadIdx.y); y < join_tile; y += 8) {
    index const i = first_row + x;
    index const j = first_col + y;
    if (i < p.r.rows && j < i) p.r.data[j * p.r.row_stride + i * p.r.col_stride] = values[x][y];
  }
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
