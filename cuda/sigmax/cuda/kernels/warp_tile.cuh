// SPDX-License-Identifier: MIT
/// @file
/// 32 x 32 elements in the registers of a warp, from which a product of panels in shared memory is subtracted.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/double_product.cuh>
#include <sigmax/cuda/kernels/triangular.cuh>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// A lane holds rows x cols of the elements; its (i, j) is the warp's (row(i), col(j)).
template <class T>
class warp_tile;

template <>
class warp_tile<float> {
 public:
  static constexpr int rows = 8;
  static constexpr int cols = 4;

  __device__ explicit warp_tile(int lane) : first_row_(lane / 8 * rows), first_col_(lane % 8) {}

  /// Subtracts the product of rows of a panel by the transpose of rows of it.
  __device__ void subtract(float const* down, float const* across, int pitch) {
#pragma unroll 8
    for (int k = 0; k < triangular_block; ++k) {
      __align__(16) float x[rows];
      float y[cols];
#pragma unroll
      for (int i = 0; i < rows; i += 4) {
        *reinterpret_cast<float4*>(x + i) = *reinterpret_cast<float4 const*>(down + k * pitch + row(i));
      }
#pragma unroll
      for (int j = 0; j < cols; ++j) y[j] = across[k * pitch + col(j)];
#pragma unroll
      for (int i = 0; i < rows; ++i) {
#pragma unroll
        for (int j = 0; j < cols; ++j) values_[i][j] = fma(-x[i], y[j], values_[i][j]);
      }
    }
  }

  __device__ float& operator()(int i, int j) { return values_[i][j]; }
  __device__ int row(int i) const { return first_row_ + i; }
  __device__ int col(int j) const { return first_col_ + 8 * j; }

 private:
  float values_[rows][cols];
  int first_row_;
  int first_col_;
};

template <>
class warp_tile<double> {
 public:
  static constexpr int rows = 4;
  static constexpr int cols = 8;

  __device__ explicit warp_tile(int lane) : outer_(lane / 4), inner_(lane % 4) {}

  __device__ void subtract(double const* down, double const* across, int pitch) {
#pragma unroll 2
    for (int k = 0; k < triangular_block; k += 4) {
      double x[rows];
      double y[cols / 2];
#pragma unroll
      for (int i = 0; i < rows; ++i) x[i] = -down[(k + inner_) * pitch + row(i)];
#pragma unroll
      for (int j = 0; j < cols / 2; ++j) y[j] = across[(k + inner_) * pitch + 8 * j + outer_];
#pragma unroll
      for (int i = 0; i < rows; i += 2) {
#pragma unroll
        for (int j = 0; j < cols / 2; ++j)
          add_product(x[i], x[i + 1], y[j], values_[i] + 2 * j, values_[i + 1] + 2 * j);
      }
    }
  }

  __device__ double& operator()(int i, int j) { return values_[i][j]; }
  __device__ int row(int i) const { return 8 * i + outer_; }
  __device__ int col(int j) const { return j / 2 * 8 + 2 * inner_ + j % 2; }

 private:
  double values_[rows][cols];
  int outer_;
  int inner_;
};

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
