// SPDX-License-Identifier: MIT
/// @file
/// The free normalisation on the device: bounds of the norms of a batch from their Gram matrices and the squares of these,
/// and what they make of the coefficients of the first step.
#pragma once

#include <sigmax/cuda/library/tensor_cores.hpp>

#include "block_sum.cuh"
#include "stored_element.cuh"

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Sum of squares and trace of a matrix, in `moment_parts` parts.
struct moments {
  double squares, trace;
};
inline constexpr int moment_parts = 16;

template <class T>
__global__ void __launch_bounds__(256)
    sum_moments(T const* matrices, index order, index row, index size, moments* parts) {
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
  double bound;                       ///< t >= ||R||_2
  coefficients square;                ///< P = R^2 / t^2
  float linear, quadratic, diagonal;  ///< H = linear R + quadratic P + diagonal I
  coefficients conjugate;             ///< W = R H / s^2
  coefficients last;                  ///< of the product that ends the segment, 1 / s
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
  // A cubic goes by R alone, as on the host.
  bool const by_square = !by_frobenius && c != 0;
  double const of_square = by_square ? fmin(1.0, eigenvalue_above(static_cast<double>(order), trace, squares)) : 1.0;
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
__global__ void __launch_bounds__(256)
    combine_matrices(T const* r, T const* p, T* h, index order, index row, index size, float4 const* k) {
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

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
