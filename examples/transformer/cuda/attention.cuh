// SPDX-License-Identifier: MIT
/// @file
/// Kernels of attention: the products of all heads of all sequences at once, without the tiles and the depths that are
/// zero because no token attends to a later one; softmax; derivatives by what is learnt for each distance.
///
/// A block of 256 threads computes a tile of 64 x 64 of one product, each thread 4 x 4 of it: every element is one
/// chain of fused multiply-additions over the depth, which goes through shared memory in slices of 16, the next of
/// which is on its way in registers.
#pragma once

#include <limits>

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/reduce.cuh>

#include "kernels.hpp"

namespace transformer::device_kernels {

using sigmax::SIGMAX_CUDA_LIBRARY::larger_of;
using sigmax::SIGMAX_CUDA_LIBRARY::reduce_warp;
using sigmax::SIGMAX_CUDA_LIBRARY::sum_of;

/// Rows and columns of a tile. Attention weights right of the diagonal are zero to the end of the tile they are in.
inline constexpr int tile_size = 64;
inline constexpr int slice_depth = 16;
/// Room beside a row of a slice, so that threads which store different depths meet fewer of the same banks.
inline constexpr int slice_pitch = tile_size + 4;

/// A matrix for each head of each sequence: that of head h of sequence s begins at data + s * of_sequence + h *
/// of_head. `has_vectors`: four elements from a column divisible by four on lie on an address divisible by 16.
template <class T>
struct batch {
  T* data;
  index row_stride;
  index of_sequence;
  index of_head;
  bool has_vectors;

  __device__ T* of(index sequence, index head) const { return data + sequence * of_sequence + head * of_head; }
};

/// Which part of a product is there, t being the first row of a tile.
enum class causal : int {
  lower,      // A B^T, tiles that are not wholly above the diagonal
  lower_a,    // A B, A zero above the diagonal: depth [0, t + 64)
  lower_a_t,  // A^T B, A zero above the diagonal: depth [t, depth)
};

/// C = alpha op(A) op(B), rows x cols; blocks: (heads of all sequences, tiles of rows, tiles of columns).
template <class T>
struct head_product {
  T alpha;
  batch<T const> a;
  batch<T const> b;
  batch<T> c;
  int rows, cols, depth;
  int heads;
};

template <class T>
struct alignas(16) vector_of {
  T elements[16 / sizeof(T)];
};

/// Four elements at an address divisible by 16.
template <class T>
__device__ inline void copy_four(T const* from, T* to) {
  constexpr int vectors = 4 * sizeof(T) / 16;
#pragma unroll
  for (int v = 0; v < vectors; ++v) {
    vector_of<T> const part = reinterpret_cast<vector_of<T> const*>(from)[v];
#pragma unroll
    for (int e = 0; e < 4 / vectors; ++e) to[v * (4 / vectors) + e] = part.elements[e];
  }
}
template <class T>
__device__ inline void put_four(T const* from, T* to) {
  constexpr int vectors = 4 * sizeof(T) / 16;
#pragma unroll
  for (int v = 0; v < vectors; ++v) {
    vector_of<T> part;
#pragma unroll
    for (int e = 0; e < 4 / vectors; ++e) part.elements[e] = from[v * (4 / vectors) + e];
    reinterpret_cast<vector_of<T>*>(to)[v] = part;
  }
}

/// What a thread copies of the slices of an operand: four elements that are neighbours in memory. ByDepth: rows of
/// memory go along the depth, else across it.
template <class T, bool ByDepth>
class slice_part {
 public:
  /// Slices of the 64 rows or columns from `first` on, of `size`, at depths below `end`.
  __device__ slice_part(T const* data, index row_stride, bool has_vectors, int first, int size, int end)
      : data_(data), row_stride_(row_stride), first_(first), size_(size), end_(end), has_vectors_(has_vectors) {
    int const t = static_cast<int>(threadIdx.x);
    across_ = ByDepth ? t / 4 : 4 * (t % 16);
    depth_ = ByDepth ? 4 * (t % 4) : t / 16;
  }

  /// Reads from the slice that begins at depth `at`; zeros beyond the edges.
  __device__ void read(int at) {
    int const depth = at + depth_;
    int const place = first_ + across_;
    bool const is_inside = depth < end_ && place < size_;
    int const left = !is_inside ? 0 : ByDepth ? end_ - depth : size_ - place;
    T const* const from = data_ + (ByDepth ? place * row_stride_ + depth : depth * row_stride_ + place);
    if (has_vectors_ && left >= 4) {
      copy_four(from, values_);
    } else {
#pragma unroll
      for (int e = 0; e < 4; ++e) values_[e] = e < left ? from[e] : T(0);
    }
  }

  __device__ void write(T (*slice)[slice_pitch]) const {
    if constexpr (ByDepth) {
#pragma unroll
      for (int e = 0; e < 4; ++e) slice[depth_ + e][across_] = values_[e];
    } else {
      put_four(values_, &slice[depth_][across_]);
    }
  }

 private:
  T const* data_;
  index row_stride_;
  int first_, size_, end_;
  T values_[4];
  int across_, depth_;
  bool has_vectors_;
};

template <class T, causal Part>
__global__ void __launch_bounds__(256, sizeof(T) == 4 ? 4 : 2) head_product_kernel(head_product<T> const p) {
  constexpr bool has_lower_a = Part == causal::lower_a;
  constexpr bool has_lower_a_t = Part == causal::lower_a_t;
  // The tiles with the most work first: those of the last rows, unless depths begin with the row.
  int const row_tile = static_cast<int>(has_lower_a_t ? blockIdx.y : gridDim.y - 1 - blockIdx.y);
  int const col_tile = static_cast<int>(blockIdx.z);
  if (Part == causal::lower && col_tile > row_tile) return;
  int const first_row = row_tile * tile_size;
  int const first_col = col_tile * tile_size;
  int const depth_begin = has_lower_a_t ? first_row : 0;
  int const depth_end = has_lower_a && first_row + tile_size < p.depth ? first_row + tile_size : p.depth;
  int const sequence = static_cast<int>(blockIdx.x) / p.heads;
  int const head = static_cast<int>(blockIdx.x) % p.heads;

  alignas(16) __shared__ T a_slices[2][slice_depth][slice_pitch];
  alignas(16) __shared__ T b_slices[2][slice_depth][slice_pitch];
  slice_part<T, !has_lower_a_t> a(p.a.of(sequence, head), p.a.row_stride, p.a.has_vectors, first_row, p.rows,
                                  depth_end);
  slice_part<T, Part == causal::lower> b(p.b.of(sequence, head), p.b.row_stride, p.b.has_vectors, first_col, p.cols,
                                         depth_end);
  // A warp is 4 x 8 threads, the block 4 x 2 warps: 8 vectors of b are neighbours, those of a are broadcast.
  int const lane = static_cast<int>(threadIdx.x) % 32;
  int const warp = static_cast<int>(threadIdx.x) / 32;
  int const row = 4 * (warp / 2 * 4 + lane / 8);
  int const col = 4 * (warp % 2 * 8 + lane % 8);
  T sums[4][4] = {};

  a.read(depth_begin);
  b.read(depth_begin);
  a.write(a_slices[0]);
  b.write(b_slices[0]);
  __syncthreads();
  int current = 0;
  for (int at = depth_begin; at < depth_end; at += slice_depth) {
    bool const has_next = at + slice_depth < depth_end;
    if (has_next) {
      a.read(at + slice_depth);
      b.read(at + slice_depth);
    }
#pragma unroll
    for (int k = 0; k < slice_depth; ++k) {
      T left[4];
      T right[4];
      copy_four(&a_slices[current][k][row], left);
      copy_four(&b_slices[current][k][col], right);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] = fma(left[i], right[j], sums[i][j]);
      }
    }
    current = 1 - current;
    if (has_next) {
      // Of the slice before the one just read: the barrier before let all threads finish it.
      a.write(a_slices[current]);
      b.write(b_slices[current]);
    }
    __syncthreads();
  }

  T* const result = p.c.of(sequence, head);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    int const r = first_row + row + i;
    int const c = first_col + col;
    if (r >= p.rows || c >= p.cols) continue;
    T values[4];
#pragma unroll
    for (int j = 0; j < 4; ++j) values[j] = p.alpha * sums[i][j];
    T* const to = result + r * p.c.row_stride + c;
    if (p.c.has_vectors && p.cols - c >= 4) {
      put_four(values, to);
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (c + j < p.cols) to[j] = values[j];
      }
    }
  }
}

/// Of the kernels of softmax, which give each row a warp: rows of a block. Blocks: (heads of all sequences, rows).
inline constexpr int softmax_rows = 8;
/// Elements of a row that a lane holds in registers; longer rows are read again and again.
inline constexpr int kept_elements = 8;

/// Query i of a head and what it sees.
template <class T>
struct softmax_row {
  index i;         // the query
  index lane;      // the first column of this thread, the next 32 further
  index seen;      // columns that are not zero
  index end;       // columns that are read
  index of_batch;  // row of the matrix of all heads of all sequences

  __device__ explicit softmax_row(index length)
      : i(static_cast<index>(blockIdx.y) * softmax_rows + static_cast<index>(threadIdx.x / 32)),
        lane(static_cast<index>(threadIdx.x % 32)),
        seen(i + 1),
        end((i / tile_size + 1) * tile_size),
        of_batch(static_cast<index>(blockIdx.x) * length + i) {
    if (end > length) end = length;
  }
};

/// weights <- softmax(weights + biases), zero right of the diagonal.
template <class T, bool Keeps>
__global__ void __launch_bounds__(256)
    softmax_forward_kernel(index length, int heads, strided<T const> position, strided<T> weights) {
  softmax_row<T> const at(length);
  if (at.i >= length) return;
  T* const p = weights.data + at.of_batch * weights.row_stride;
  int const head = static_cast<int>(blockIdx.x) % heads;
  // The last column of `position` belongs to distance 0.
  T const* const biases =
      position.data == nullptr ? nullptr : position.data + head * position.row_stride + position.cols - 1 - at.i;
  auto const score = [&](index j) { return biases == nullptr ? p[j] : p[j] + biases[j]; };
  T most = -std::numeric_limits<T>::infinity();
  T total(0);
  if constexpr (Keeps) {
    T values[kept_elements];
#pragma unroll
    for (int e = 0; e < kept_elements; ++e) {
      index const j = at.lane + 32 * e;
      values[e] = j < at.seen ? score(j) : -std::numeric_limits<T>::infinity();
      most = larger_of()(most, values[e]);
    }
    most = reduce_warp(larger_of(), most);
#pragma unroll
    for (int e = 0; e < kept_elements; ++e) {
      values[e] = at.lane + 32 * e < at.seen ? exp(values[e] - most) : T(0);
      total += values[e];
    }
    total = reduce_warp(sum_of(), total);
#pragma unroll
    for (int e = 0; e < kept_elements; ++e) {
      index const j = at.lane + 32 * e;
      if (j < at.end) p[j] = j < at.seen ? values[e] / total : T(0);
    }
  } else {
    for (index j = at.lane; j < at.seen; j += 32) most = larger_of()(most, score(j));
    most = reduce_warp(larger_of(), most);
    for (index j = at.lane; j < at.seen; j += 32) {
      T const value = exp(score(j) - most);
      p[j] = value;
      total += value;
    }
    total = reduce_warp(sum_of(), total);
    for (index j = at.lane; j < at.end; j += 32) p[j] = j < at.seen ? p[j] / total : T(0);
  }
}

/// d <- (diag(p) - p p^T) d, zero right of the diagonal.
template <class T, bool Keeps>
__global__ void __launch_bounds__(256)
    softmax_backward_kernel(index length, strided<T const> weights, strided<T> d_weights) {
  softmax_row<T> const at(length);
  if (at.i >= length) return;
  T const* const p = weights.data + at.of_batch * weights.row_stride;
  T* const d = d_weights.data + at.of_batch * d_weights.row_stride;
  T mean(0);
  if constexpr (Keeps) {
    T shares[kept_elements];
    T values[kept_elements];
#pragma unroll
    for (int e = 0; e < kept_elements; ++e) {
      index const j = at.lane + 32 * e;
      shares[e] = j < at.seen ? p[j] : T(0);
      values[e] = j < at.seen ? d[j] : T(0);
      mean = fma(shares[e], values[e], mean);
    }
    mean = reduce_warp(sum_of(), mean);
#pragma unroll
    for (int e = 0; e < kept_elements; ++e) {
      index const j = at.lane + 32 * e;
      if (j < at.end) d[j] = j < at.seen ? shares[e] * (values[e] - mean) : T(0);
    }
  } else {
    for (index j = at.lane; j < at.seen; j += 32) mean = fma(p[j], d[j], mean);
    mean = reduce_warp(sum_of(), mean);
    for (index j = at.lane; j < at.end; j += 32) d[j] = j < at.seen ? p[j] * (d[j] - mean) : T(0);
  }
}

inline constexpr int position_threads = 128;

/// sums[length * head of a sequence + distance] = the sum of d(i, i - distance), row after row. Blocks: (heads of all
/// sequences, distances). Neighbouring threads read neighbouring elements.
template <class T>
__global__ void __launch_bounds__(position_threads)
    position_of_head_kernel(index length, strided<T const> d_weights, T* sums) {
  index const distance = static_cast<index>(blockIdx.y) * position_threads + threadIdx.x;
  if (distance >= length) return;
  index const first = static_cast<index>(blockIdx.x) * length;
  T const* at = d_weights.data + (first + distance) * d_weights.row_stride;
  T sum(0);
#pragma unroll 8
  for (index i = distance; i < length; ++i, at += d_weights.row_stride + 1) sum += *at;
  sums[first + distance] = sum;
}

/// d_position(h, context - 1 - distance) += the sums of the heads h, sequence after sequence. Blocks: (distances,
/// heads).
template <class T>
__global__ void __launch_bounds__(position_threads)
    position_of_batch_kernel(index length, index sequences, T const* sums, strided<T> d_position) {
  index const distance = static_cast<index>(blockIdx.x) * position_threads + threadIdx.x;
  if (distance >= length) return;
  index const head = blockIdx.y;
  T& result = d_position.data[head * d_position.row_stride + d_position.cols - 1 - distance];
  T sum = result;
#pragma unroll 8
  for (index s = 0; s < sequences; ++s) sum += sums[(s * gridDim.y + head) * length + distance];
  result = sum;
}

}  // namespace transformer::device_kernels
