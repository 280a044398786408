// SPDX-License-Identifier: MIT
/// @file
/// A square root and its reciprocal at once, in fewer dependent steps than one after the other take.
#pragma once

#include <cuda_runtime.h>

#include <sigmax/cuda/kernels/rough_root.cuh>
#include <sigmax/cuda/library/types.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

template <class T>
struct root_pair {
  T root;
  T reciprocal;
};

/// Both rounded to nearest.
template <class T>
__device__ inline root_pair<T> rounded_root(T x) {
  T const root = sqrt(x);
  return {root, T(1) / root};
}

/// With u = 2^-53 or 2^-24: root = sqrt(x) (1 + d), |d| <= 2 u, and reciprocal = (1 + e) / root, |e| <= 2 u, if this
/// says true. False, for x near the ends of the range and what is no positive number, says nothing: `rounded_root` is
/// for those. It has no branches, so that other work can be done while it waits.
///
/// Newton's method in fused multiply-additions from an approximation by the hardware, of which nothing is taken for
/// granted. In [1 / limit, limit] nothing overflows or underflows. The residual x - root^2, rounded once, is found to
/// be at most 3 u x, which gives |d| <= 2 u. With f = fl(1 - root y), reciprocal = fl(y + f y), and y = (1 - f) / root
/// up to the rounding of f, which is of order u f: (1 - f^2) / root, rounded once. So |e| <= 2 u if f^2 <= u / 2.
template <class T>
__device__ inline bool find_root(T x, root_pair<T>& result) {
  constexpr bool is_float = sizeof(T) == 4;
  constexpr T limit = is_float ? T(0x1p90) : static_cast<T>(0x1p900);
  constexpr T unit = is_float ? T(0x1p-24) : T(0x1p-53);
  constexpr T most = is_float ? T(0x1p-13) : T(0x1p-27);
  T const rough = rough_reciprocal_root(x);
  T const error = fma(-x * rough, rough, T(1));
  T const y = fma(rough * error, fma(T(0.375), error, T(0.5)), rough);
  T const near = x * y;
  T const root = fma(fma(-near, near, x), T(0.5) * y, near);
  T const f = fma(-root, y, T(1));
  result = {root, fma(f, y, y)};
  bool const usual = x >= T(1) / limit && x <= limit;
  return usual && fabs(fma(-root, root, x)) <= 3 * unit * x && fabs(f) <= most;
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
