// SPDX-License-Identifier: MIT
/// @file
/// What a step of weights does besides multiplying: look at all inputs, bound norms, pass between weights and operands.
/// Sums are in double along a fixed tree: same input, same bits.
#pragma once

#include <cstdint>

#include <sigmax/cuda/library/weight_step.hpp>

#include "element.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace device = sigmax::gpu::detail;

/// Sum over the 256 threads of a block, for all of them.
__device__ __forceinline__ double block_sum(double x) {
  __shared__ double sums[8];
#pragma unroll
  for (int width = 16; width > 0; width /= 2) x += __shfl_xor_sync(0xffffffffu, x, width);
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

__device__ __forceinline__ float read_element(void const* from, element_kind kind, index at) {
  switch (kind) {
    case element_kind::f32:
      return static_cast<float const*>(from)[at];
    case element_kind::bf16:
      return device::to_float(static_cast<__nv_bfloat16 const*>(from)[at]);
    default:
      return device::to_float(static_cast<__half const*>(from)[at]);
  }
}

__device__ __forceinline__ void write_element(void* to, element_kind kind, index at, float value) {
  switch (kind) {
    case element_kind::f32:
      static_cast<float*>(to)[at] = value;
      return;
    case element_kind::bf16:
      static_cast<__nv_bfloat16*>(to)[at] = device::from_float<__nv_bfloat16>(value);
      return;
    default:
      static_cast<__half*>(to)[at] = device::from_float<__half>(value);
  }
}

/// Rows of a weight or a direction that one block looks at.
struct inspected_rows {
  void const* data;
  index cols, stride;
  index first_row;
  int rows;
  int weight;
  element_kind kind;
  bool contiguous;  ///< rows follow each other, and start at multiples of 16 bytes
};

/// Flags of a launch.
struct step_flags {
  int first_bad;   ///< of this launch; `no_weight` if all is well
  int reported;    ///< the least since the last check
};
inline constexpr int no_weight = 0x7fffffff;

/// Sums of squares of the rows, and whether they are finite.
__global__ void __launch_bounds__(256) inspect(inspected_rows const* all, double* sums, step_flags* flags) {
  auto const part = all[blockIdx.x];
  double sum = 0;
  bool good = true;
  auto const look = [&](float x) {
    good = good && fabsf(x) <= 3.402823466e38f;
    sum += static_cast<double>(x) * static_cast<double>(x);
  };
  index const count = part.rows * part.cols;
  if (part.contiguous) {
    auto const* const words = reinterpret_cast<uint4 const*>(
        static_cast<unsigned char const*>(part.data) +
        part.first_row * part.cols * (part.kind == element_kind::f32 ? 4 : 2));
    index const per_word = part.kind == element_kind::f32 ? 4 : 8;
    for (index i = static_cast<index>(threadIdx.x); i < count / per_word; i += 256) {
      uint4 const word = words[i];
      std::uint32_t const pieces[4] = {word.x, word.y, word.z, word.w};
#pragma unroll
      for (std::uint32_t const piece : pieces) {
        if (part.kind == element_kind::f32) {
          look(__uint_as_float(piece));
        } else {
          float2 const two = part.kind == element_kind::bf16 ? device::unpack_two<__nv_bfloat16>(piece)
                                                             : device::unpack_two<__half>(piece);
          look(two.x);
          look(two.y);
        }
      }
    }
    for (index i = count / per_word * per_word + static_cast<index>(threadIdx.x); i < count; i += 256) {
      look(read_element(part.data, part.kind, part.first_row * part.cols + i));
    }
  } else {
    for (index i = static_cast<index>(threadIdx.x); i < count; i += 256) {
      look(read_element(part.data, part.kind, (part.first_row + i / part.cols) * part.stride + i % part.cols));
    }
  }
  double const total = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
  if (!good) atomicMin(&flags->first_bad, part.weight);
}

/// scale = target / ||G||_F, 0 for G = 0: operands of 16 bits then neither overflow nor vanish. One block a weight, which
/// adds the sums of its parts [first_part[w], first_part[w + 1]).
__global__ void __launch_bounds__(256)
    scale_directions(double const* sums, int const* first_part, float const* target, float* scale, step_flags* flags) {
  int const weight = static_cast<int>(blockIdx.x);
  double sum = 0;
  for (int i = first_part[weight] + static_cast<int>(threadIdx.x); i < first_part[weight + 1]; i += 256) sum += sums[i];
  double const total = block_sum(sum);
  if (threadIdx.x != 0) return;
  double const wanted = total > 0 ? static_cast<double>(target[weight]) / sqrt(total) : 0.0;
  scale[weight] = wanted > 1e38 ? 1e38f : static_cast<float>(wanted);
  if (weight == 0 && flags->first_bad < flags->reported) flags->reported = flags->first_bad;
}

/// One weight of a group: where it lies, and its place in the list of all.
struct group_member {
  void* weight;
  void const* direction;
  index weight_stride, direction_stride;
  int place;
  element_kind weight_kind, direction_kind;
  bool tall;  ///< rows are the long side: operands hold its transpose
};

enum class passage {
  pack,    ///< X = scale G
  update,  ///< W = keep W + move Y; with a cap X = W / cap_width
  load,    ///< X = W / cap_width
  cap      ///< W = W + cap_width Y
};

/// Between weights and operands (short x long, `row` elements a row, `size` a matrix), in squares of 64 x 64 of the weight.
/// Weights are written only if all inputs were finite.
template <class T, passage Way>
__global__ void __launch_bounds__(256)
    pass(group_member const* members, index rows, index cols, index row, index size, T const* y, T* x,
         step_numbers const* numbers, float const* scale, step_flags const* flags, bool keep_operand) {
  // rows x cols: the short and the long side.
  __shared__ float square[64][65];
  auto const member = members[blockIdx.y];
  step_numbers const n = numbers[member.place];
  index const across = (cols + 63) / 64;
  index const top = static_cast<index>(blockIdx.x) / across * 64;   // in the operand
  index const left = static_cast<index>(blockIdx.x) % across * 64;
  T const* const from = y + static_cast<index>(blockIdx.y) * size;
  T* const to = x + static_cast<index>(blockIdx.y) * size;
  bool const write = flags->first_bad == no_weight;
  int const lane = static_cast<int>(threadIdx.x) % 64;
  int const first = static_cast<int>(threadIdx.x) / 64;
  constexpr bool reads_operand = Way == passage::update || Way == passage::cap;

  if (reads_operand && member.tall) {
#pragma unroll 4
    for (int i = first; i < 64; i += 4) {
      if (top + i < rows && left + lane < cols) square[lane][i] = device::to_float(from[(top + i) * row + left + lane]);
    }
    __syncthreads();
  }
  index const weight_top = member.tall ? left : top;
  index const weight_left = member.tall ? top : left;
  index const weight_rows = member.tall ? cols : rows;
  index const weight_cols = member.tall ? rows : cols;
#pragma unroll 4
  for (int i = first; i < 64; i += 4) {
    if (weight_top + i >= weight_rows || weight_left + lane >= weight_cols) continue;
    index const at = (weight_top + i) * member.weight_stride + weight_left + lane;
    float value = 0;
    if constexpr (Way == passage::pack) {
      value = scale[member.place] * read_element(member.direction, member.direction_kind,
                                                 (weight_top + i) * member.direction_stride + weight_left + lane);
    } else if constexpr (Way == passage::load) {
      value = read_element(member.weight, member.weight_kind, at) / n.cap_width;
    } else {
      float const operand =
          member.tall ? square[i][lane] : device::to_float(from[(top + i) * row + left + lane]);
      float const w = read_element(member.weight, member.weight_kind, at);
      value = Way == passage::update ? n.keep * w + n.move * operand : w + n.cap_width * operand;
      if (write) write_element(member.weight, member.weight_kind, at, value);
      value /= n.cap_width;
    }
    if (Way != passage::cap && keep_operand) {
      if (member.tall) {
        square[i][lane] = value;  // where only this thread has read
      } else {
        to[(top + i) * row + left + lane] = device::from_float<T>(value);
      }
    }
  }
  if (Way != passage::cap && keep_operand && member.tall) {
    __syncthreads();
#pragma unroll 4
    for (int i = first; i < 64; i += 4) {
      if (top + i < rows && left + lane < cols) {
        to[(top + i) * row + left + lane] = device::from_float<T>(square[lane][i]);
      }
    }
  }
}

/// Sum of squares and trace of a matrix, in `moment_parts` parts.
struct moments {
  double squares, trace;
};
inline constexpr int moment_parts = 16;

template <class T>
__global__ void __launch_bounds__(256) sum_moments(T const* matrices, index order, index row, index size, moments* parts) {
  T const* const matrix = matrices + static_cast<index>(blockIdx.y) * size;
  double squares = 0;
  double trace = 0;
  index const per_part = (order + moment_parts - 1) / moment_parts;
  index const first = static_cast<index>(blockIdx.x) * per_part;
  index const last = first + per_part < order ? first + per_part : order;
  for (index i = first; i < last; ++i) {
    for (index j = static_cast<index>(threadIdx.x); j < order; j += 256) {
      auto const value = static_cast<double>(device::to_float(matrix[i * row + j]));
      squares += value * value;
      if (i == j) trace += value;
    }
  }
  squares = block_sum(squares);
  trace = block_sum(trace);
  if (threadIdx.x == 0) parts[blockIdx.y * moment_parts + blockIdx.x] = {squares, trace};
}

/// >= the largest eigenvalue of a positive semidefinite matrix, up to rounding (Wolkowicz, Styan 1980, Theorem 2.1); never
/// above the Frobenius norm.
__device__ __forceinline__ double eigenvalue_above(double order, double trace, double squares) {
  double const mean = trace / order;
  double const variance = squares / order - mean * mean;
  double const bound = mean + (variance > 0 ? sqrt(variance * (order - 1)) : 0.0);
  return fmin(bound, sqrt(squares));
}

/// What the first step needs of one matrix besides its constants.
struct first_step {
  double bound;              ///< t >= ||R||_2
  coefficients square;       ///< P = R^2 / t^2
  float linear, quadratic, diagonal;  ///< H = linear R + quadratic P + diagonal I
  coefficients conjugate;    ///< W = R H / s^2
  coefficients last;         ///< of the product that ends the segment, 1 / s
};

/// t from R. One thread a matrix.
__global__ void bound_gram(moments const* parts, int count, index order, double frobenius, bool by_frobenius,
                           first_step* firsts, coefficients* squares) {
  int const b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b >= count) return;
  moments sum{0, 0};
  for (int i = 0; i < moment_parts; ++i) {
    sum.squares += parts[b * moment_parts + i].squares;
    sum.trace += parts[b * moment_parts + i].trace;
  }
  double const t =
      by_frobenius ? frobenius * frobenius : eigenvalue_above(static_cast<double>(order), sum.trace, sum.squares);
  firsts[b].bound = t;
  squares[b] = {t > 0 ? static_cast<float>(1 / (t * t)) : 0.0f, 0, 0};
}

/// s from P = R^2 / t^2, and the coefficients of the first step p(x / s). One thread a matrix.
__global__ void bound_square(moments const* parts, int count, index order, bool by_frobenius, bool single, float a,
                             float b1, float c, double margin, first_step* firsts, float4* combination,
                             coefficients* conjugates, coefficients* lasts) {
  int const b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b >= count) return;
  double squares = 0;
  double trace = 0;
  for (int i = 0; i < moment_parts; ++i) {
    squares += parts[b * moment_parts + i].squares;
    trace += parts[b * moment_parts + i].trace;
  }
  double const t = firsts[b].bound;
  double const of_square =
      by_frobenius ? 1.0 : fmin(1.0, eigenvalue_above(static_cast<double>(order), trace, squares));
  double const s2 = t * sqrt(of_square) * margin * margin;  // of R^2: t^2 of_square
  if (!(s2 > 0)) {
    combination[b] = {0, 0, 0, 0};
    conjugates[b] = lasts[b] = {0, 0, 0};
    return;
  }
  double const s = sqrt(s2);
  double const end = single ? 1 / s : 1.0;
  combination[b] = {static_cast<float>(end * b1 / s2), static_cast<float>(end * c * (t / s2) * (t / s2)),
                    static_cast<float>(end * a), 0};
  conjugates[b] = {static_cast<float>(1 / s2), 0, 0};
  lasts[b] = {static_cast<float>(1 / s), 0, 0};
}

/// H = k.x R + k.y P + k.z I, one k a matrix. Not in place of R or P only where both are read again.
template <class T>
__global__ void __launch_bounds__(256) combine_matrices(T const* r, T const* p, T* h, index order, index row, index size,
                                                        float4 const* k) {
  float4 const factor = k[blockIdx.y];
  index const offset = static_cast<index>(blockIdx.y) * size;
  index const i = static_cast<index>(blockIdx.x);
  for (index j = static_cast<index>(threadIdx.x); j < order; j += 256) {
    index const at = offset + i * row + j;
    float value = factor.x * device::to_float(r[at]) + factor.y * device::to_float(p[at]);
    if (i == j) value += factor.z;
    h[at] = device::from_float<T>(value);
  }
}

/// The numbers of the caps of a group in the form the products want them.
__global__ void spread_caps(group_member const* members, int count, step_numbers const* numbers, float4* combination,
                            coefficients* products) {
  int const b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b >= count) return;
  step_numbers const n = numbers[members[b].place];
  combination[b] = {n.cap[1], n.cap[2], 0, 0};
  products[b] = {1, n.cap[0], 0};
}

/// Before a launch.
__global__ void begin_step(step_flags* flags) { flags->first_bad = no_weight; }

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
