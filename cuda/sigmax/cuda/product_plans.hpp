// SPDX-License-Identifier: MIT
/// @file
/// General products through cuBLASLt, planned once for each shape.
#pragma once

#include <vector>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <sigmax/config.hpp>

#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// D = alpha A B + beta C of batches: a cuBLASLt handle, its workspace, and the plan of every shape seen so far. Owned by
/// whoever multiplies; not for two threads at a time. Plans are made outside of stream capture or inside, but a warmed
/// call only looks one up.
class product_plans {
 public:
  /// `workspace`: device memory for cuBLASLt, 256-byte aligned; 32 MiB is what it likes on sm_90. Not owned.
  /// @throws sigmax::error if cuBLASLt cannot be initialised.
  product_plans(void* workspace, std::size_t workspace_bytes);
  ~product_plans();
  product_plans(product_plans const&) = delete;
  product_plans& operator=(product_plans const&) = delete;

  /// D = alpha A B + beta C; A: m x k, B: k x n, C, D: m x n, all row-major, D not A or B, C may be D or, with beta = 0,
  /// absent (null). `kind` is that of A and B; C and D are of the same, or float with `float_result`.
  /// One algorithm for a shape on a device: same input, same bits.
  /// @throws shape_error for extents that do not fit, unsupported_error if cuBLASLt has no algorithm for the operands.
  void multiply(cudaStream_t stream, operand_kind kind, float alpha, device_batch const& a, device_batch const& b,
                float beta, device_batch const& c, device_batch const& d, bool float_result = false);

 private:
  struct key {
    operand_kind kind;
    bool float_result;
    bool has_addend;
    int count;
    index_t m, n, k;
    index_t row_strides[4];
    index_t strides[4];
    bool operator==(key const&) const = default;
  };
  struct plan {
    key shape;
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t layouts[4];
    cublasLtMatmulAlgo_t algorithm;
  };

  plan const& plan_for(key const& shape);
  void make(plan& fresh);

  cublasLtHandle_t handle_ = nullptr;
  void* workspace_;
  std::size_t workspace_bytes_;
  std::vector<plan> plans_;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
