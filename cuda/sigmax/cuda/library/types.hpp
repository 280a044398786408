// SPDX-License-Identifier: MIT
/// @file
/// What crosses the border between the headers of `sigmax::cuda`, compiled by anyone with any flags, and its static
/// library, compiled once by nvcc: plain structs and functions. Their namespace holds the version but not the flags of a
/// translation unit, as SIGMAX_ABI does, so that programs for all processors find the one library. Includes no CUDA header.
#pragma once

#include <cstddef>

struct CUstream_st;

/// The namespace of the compiled library.
#define SIGMAX_CUDA_LIBRARY cuda_library_v0_1

namespace sigmax::SIGMAX_CUDA_LIBRARY {

using index = std::ptrdiff_t;

/// `cudaStream_t` without its header.
using stream = CUstream_st*;

/// Which interface of CUDA a call belongs to.
enum class origin : int { none, runtime, cublas, cusolver, sigmax };

/// What a call came to. `code` is the number its interface gave.
struct [[nodiscard]] status {
  origin from = origin::none;
  int code = 0;
  char const* call = "";

  constexpr bool failed() const { return from != origin::none; }
};

/// Codes of `origin::sigmax`.
inline constexpr int no_kernel_for_this_device = 1;
inline constexpr int eigenvalues_did_not_converge = 2;

/// A matrix in device memory: element (i, j) is `data[i * row_stride + j * col_stride]`.
template <class T>
struct strided {
  T* data = nullptr;
  index rows = 0;
  index cols = 0;
  index row_stride = 0;
  index col_stride = 0;

  constexpr strided transposed() const { return {data, cols, rows, col_stride, row_stride}; }
  constexpr strided block(index row, index col, index row_count, index col_count) const {
    return {data + row * row_stride + col * col_stride, row_count, col_count, row_stride, col_stride};
  }
  constexpr bool empty() const { return rows == 0 || cols == 0; }
};

template <class T>
struct strided_vector {
  T* data = nullptr;
  index size = 0;
  index stride = 0;
};

/// Temporary device memory of a primitive, used by work on its stream only. Null: allocated and freed in stream order.
struct scratch_source {
  void* context = nullptr;
  void* (*take)(void* context, std::size_t bytes) = nullptr;
};

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
