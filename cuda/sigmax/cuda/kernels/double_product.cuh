// SPDX-License-Identifier: MIT
/// @file
/// The units that multiply matrices of double, of which each step is a fused multiply-addition rounded to nearest
/// (kernels/product.cuh says how that is known).
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

/// Adds to 8 rows of 8 the product of 8 x 4 and 4 x 8 elements, by a warp. Lane l holds element (l / 4, l % 4) of the
/// first factor, (l % 4, l / 4) of the second, and (l / 4, 2 (l % 4)) and its right neighbour of the sum.
__device__ inline void add_product_of_eight_rows(double a, double b, double* c) {
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rn {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+d"(c[0]), "+d"(c[1])
               : "d"(a), "d"(b));
}

/// The same for 16 rows: `a0` and `c0` belong to rows 0 to 7, `a1` and `c1` to rows 8 to 15.
__device__ inline void add_product(double a0, double a1, double b, double* c0, double* c1) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64.rn {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
               : "+d"(c0[0]), "+d"(c0[1]), "+d"(c1[0]), "+d"(c1[1])
               : "d"(a0), "d"(a1), "d"(b));
#else
  add_product_of_eight_rows(a0, b, c0);
  add_product_of_eight_rows(a1, b, c1);
#endif
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
