// SPDX-License-Identifier: MIT
/// @file
/// What crosses from the program to the elementwise loops, which are compiled for several levels of processors: plain
/// data, for the reasons of sigmax/kernels/table.hpp. No standard header may be included here.
#pragma once

namespace transformer::pointwise_kernels {

using size = decltype(static_cast<char*>(nullptr) - static_cast<char*>(nullptr));

/// The functions of pointwise.hpp for float.
struct table {
  void (*gelu)(float const* x, float* y, float* slope, size n, float divisor);
  void (*multiply)(float const* x, float* y, size n);
  void (*softmax)(float* x, size n, float scale);
  void (*softmax_backward)(float const* p, float* dp, size n, float scale);
  float (*cross_entropy)(float* x, size n, size target, float weight, bool* correct);
};

table const& generic();
table const& x86_64_v3();
table const& x86_64_v4();

}  // namespace transformer::pointwise_kernels
