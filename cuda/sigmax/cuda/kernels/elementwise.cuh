// SPDX-License-Identifier: MIT
/// @file
/// Kernels that visit every element of a matrix: maps and reductions.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/kernels/reduce.cuh>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// y = alpha x + beta y.
template <class T>
struct combination {
  T alpha;
  T beta;
  __device__ void operator()(T x, T& y) const {
    T const term = alpha * x;
    y = beta == T(0) ? term : term + beta * y;
  }
};

/// The same, computed in T whatever x and y are stored in.
template <class T>
struct stored_combination {
  T alpha;
  T beta;
  template <class U, class S>
  __device__ void operator()(U x, S& y) const {
    T const term = alpha * static_cast<T>(x);
    y = static_cast<S>(beta == T(0) ? term : term + beta * static_cast<T>(y));
  }
};

template <class T>
struct division {
  T divisor;
  __device__ void operator()(T, T& y) const { y = y / divisor; }
};

struct conversion {
  template <class S, class T>
  __device__ void operator()(S x, T& y) const {
    y = static_cast<T>(x);
  }
};

/// map(x_ij, y_ij) for all elements: threads of a block along the columns, blocks over both directions in strides.
template <class Map, class S, class T>
__global__ void __launch_bounds__(256) map_kernel(Map map, strided<S const> x, strided<T> y) {
  index const across = static_cast<index>(gridDim.x) * 256;
  for (index i = blockIdx.y; i < y.rows; i += gridDim.y) {
    for (index j = static_cast<index>(blockIdx.x) * 256 + threadIdx.x; j < y.cols; j += across) {
      map(x.data[i * x.row_stride + j * x.col_stride], y.data[i * y.row_stride + j * y.col_stride]);
    }
  }
}

template <class T>
__global__ void __launch_bounds__(256) add_to_diagonal_kernel(T shift, strided<T> y) {
  index const i = static_cast<index>(blockIdx.x) * 256 + threadIdx.x;
  if (i < y.rows) y.data[i * (y.row_stride + y.col_stride)] += shift;
}

template <class T>
__global__ void __launch_bounds__(256) clear_above_diagonal_kernel(strided<T> y) {
  index const j = static_cast<index>(blockIdx.x) * 256 + threadIdx.x;
  if (j >= y.cols) return;
  for (index i = blockIdx.y; i < y.rows && i < j; i += gridDim.y) y.data[i * y.row_stride + j * y.col_stride] = T(0);
}

template <class T>
struct square_of_element {
  using value = T;
  using operation = sum_of;
  __device__ T operator()(T sum, T x, T) const { return fma(x, x, sum); }
};

template <class T>
struct product_of_elements {
  using value = T;
  using operation = sum_of;
  __device__ T operator()(T sum, T x, T y) const { return fma(x, y, sum); }
};

/// The larger magnitude, +infinity for what is not finite.
template <class T>
struct magnitude_of_element {
  using value = compute_t<T>;
  using operation = larger_of;
  __device__ value operator()(value largest, T x, T) const {
    value const size = fabs(static_cast<value>(x));
    value const infinity = static_cast<value>(__int_as_float(0x7f800000));
    if (!(size < infinity)) return infinity;
    return largest < size ? size : largest;
  }
};

/// Each block reduces its share of the pairs (x_ij, y_ij) to one number.
template <class Term, class T>
__global__ void __launch_bounds__(256)
    reduce_elements_kernel(strided<T const> x, strided<T const> y, typename Term::value* partials) {
  using value = typename Term::value;
  __shared__ value memory[8];
  index const across = static_cast<index>(gridDim.x) * 256;
  value result(0);
  for (index i = blockIdx.y; i < x.rows; i += gridDim.y) {
#pragma unroll 4
    for (index j = static_cast<index>(blockIdx.x) * 256 + threadIdx.x; j < x.cols; j += across) {
      result = Term()(result, x.data[i * x.row_stride + j * x.col_stride], y.data[i * y.row_stride + j * y.col_stride]);
    }
  }
  result = reduce_block<256>(typename Term::operation(), result, memory);
  if (threadIdx.x == 0) partials[static_cast<index>(blockIdx.y) * gridDim.x + blockIdx.x] = result;
}

/// One block reduces what the blocks before it left, to partials[0].
template <class Operation, class T>
__global__ void __launch_bounds__(256) reduce_partials_kernel(T* partials, int count) {
  __shared__ T memory[8];
  T result(0);
  for (int i = static_cast<int>(threadIdx.x); i < count; i += 256) result = Operation()(result, partials[i]);
  result = reduce_block<256>(Operation(), result, memory);
  if (threadIdx.x == 0) partials[0] = result;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
