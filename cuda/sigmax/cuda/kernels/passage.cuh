// SPDX-License-Identifier: MIT
/// @file
/// The ways between weights, in their own layout and format, and the operands of products.
#pragma once

#include <sigmax/cuda/library/weight_step.hpp>

#include "inspect.cuh"
#include "stored_element.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

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
  index const top = static_cast<index>(blockIdx.x) / across * 64;  // in the operand
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
      float const operand = member.tall ? square[i][lane] : device::to_float(from[(top + i) * row + left + lane]);
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

/// The numbers of the caps of a group in the form the products want them.
__global__ void spread_caps(group_member const* members, int count, step_numbers const* numbers, float4* combination,
                            coefficients* products) {
  int const b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b >= count) return;
  step_numbers const n = numbers[members[b].place];
  combination[b] = {n.cap[1], n.cap[2], 0, 0};
  products[b] = {1, n.cap[0], 0};
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
