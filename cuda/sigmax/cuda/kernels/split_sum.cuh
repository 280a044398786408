// SPDX-License-Identifier: MIT
/// @file
/// The second half of a product whose inner dimension was split: the parts are added in order.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/schedule/triangle.hpp>

#include "element.cuh"

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

/// D = alpha (part 0 + part 1 + ...) + beta C + diagonal I. One block a 64 x 64 box of the triangle and a matrix; parts
/// are m x m floats with rows `part_row` apart, of which boxes on and below the diagonal are read.
template <class Result>
__global__ void __launch_bounds__(256)
    add_parts(float const* parts, int splits, int order, long long part_row, Result const* addend, long long addend_row,
              long long addend_batch, Result* result, long long result_row, long long result_batch,
              coefficients const same, coefficients const* each) {
  __shared__ float box[64][65];
  auto const place = triangle_place(static_cast<int>(blockIdx.x));
  auto const batch = static_cast<long long>(blockIdx.y);
  coefficients const k = each != nullptr ? each[batch] : same;
  long long const part_size = order * part_row;
  float const* const first = parts + batch * splits * part_size;
  int const row = 64 * place.row;
  int const col = 64 * place.col;
  for (int i = static_cast<int>(threadIdx.x); i < 64 * 64; i += 256) {
    int const r = i / 64;
    int const c = i % 64;
    float sum = 0;
    if (row + r < order && col + c < order) {
      for (int s = 0; s < splits; ++s) sum += first[s * part_size + (row + r) * part_row + col + c];
      sum *= k.alpha;
      int const from_row = row + r > col + c ? row + r : col + c;  // C is symmetric: its lower half is read
      int const from_col = row + r > col + c ? col + c : row + r;
      if (addend != nullptr) {
        sum += k.beta * to_float(addend[batch * addend_batch + from_row * addend_row + from_col]);
      }
      if (row + r == col + c) sum += k.diagonal;
    }
    box[r][c] = sum;
  }
  __syncthreads();
  Result* const to = result + batch * result_batch;
  for (int i = static_cast<int>(threadIdx.x); i < 64 * 64; i += 256) {
    int const r = i / 64;
    int const c = i % 64;
    if (row + r < order && col + c < order) to[(row + r) * result_row + col + c] = from_float<Result>(box[r][c]);
    if (row != col && col + r < order && row + c < order) {
      to[(col + r) * result_row + row + c] = from_float<Result>(box[c][r]);
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
