// SPDX-License-Identifier: MIT
/// @file
/// The look at all weights and directions before a step writes: are they finite, and how large are the directions.
#pragma once

#include <cstdint>

#include <sigmax/cuda/library/weight_step.hpp>

#include "block_sum.cuh"
#include "stored_element.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

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
  int first_bad;  ///< of this launch; `no_weight` if all is well
  int reported;   ///< the least since the last check
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
    auto const* const words =
        reinterpret_cast<uint4 const*>(static_cast<unsigned char const*>(part.data) +
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

/// Before a launch.
__global__ void begin_step(step_flags* flags) { flags->first_bad = no_weight; }

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
