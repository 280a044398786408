// SPDX-License-Identifier: MIT
#include <memory>
#include <vector>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <sigmax/cuda/kernels/status.cuh>
#include <sigmax/cuda/library/tensor_cores.hpp>

namespace sigmax::SIGMAX_CUDA_LIBRARY {

namespace {

void release(cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t const (&layouts)[4]) {
  for (auto const layout : layouts) {
    if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
  }
  if (product != nullptr) cublasLtMatmulDescDestroy(product);
}

cudaDataType_t data_type(operand_kind kind) {
  return kind == operand_kind::bf16 ? CUDA_R_16BF : kind == operand_kind::f16 ? CUDA_R_16F : CUDA_R_32F;
}

/// A row-major matrix is a column-major one transposed: D^T = B^T A^T is what cuBLASLt computes.
cublasLtMatrixLayout_t layout_of(cudaDataType_t type, index rows, index cols, index row_stride, index stride,
                                 int count) {
  cublasLtMatrixLayout_t layout = nullptr;
  must(cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(cols), static_cast<std::uint64_t>(rows),
                                  row_stride),
       "cublasLtMatrixLayoutCreate");
  std::int64_t const apart = stride;
  bool const set = cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                                    sizeof(count)) == CUBLAS_STATUS_SUCCESS &&
                   cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &apart,
                                                    sizeof(apart)) == CUBLAS_STATUS_SUCCESS;
  if (!set) {
    cublasLtMatrixLayoutDestroy(layout);
    must(CUBLAS_STATUS_INVALID_VALUE, "cublasLtMatrixLayoutSetAttribute");
  }
  return layout;
}

struct preference {
  cublasLtMatmulPreference_t value = nullptr;
  explicit preference(std::size_t bytes) {
    must(cublasLtMatmulPreferenceCreate(&value), "cublasLtMatmulPreferenceCreate");
    cublasLtMatmulPreferenceSetAttribute(value, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof(bytes));
  }
  preference(preference const&) = delete;
  preference& operator=(preference const&) = delete;
  ~preference() { cublasLtMatmulPreferenceDestroy(value); }
};

}  // namespace

struct product_state {
  struct key {
    operand_kind kind;
    bool float_result;
    bool has_addend;
    int count;
    index m, n, k;
    index row_strides[4];
    index strides[4];
    bool operator==(key const&) const = default;
  };
  struct plan {
    key shape;
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t layouts[4];  ///< of A, B, C, D
    cublasLtMatmulAlgo_t algorithm;
  };

  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
  std::vector<plan> plans;

  product_state() = default;
  product_state(product_state const&) = delete;
  product_state& operator=(product_state const&) = delete;
  ~product_state() {
    for (auto const& p : plans) release(p.product, p.layouts);
    if (handle != nullptr) cublasLtDestroy(handle);
  }

  plan const& plan_for(key const& shape) {
    for (auto const& p : plans) {
      if (p.shape == shape) return p;
    }
    plan fresh{shape, nullptr, {}, {}};
    try {
      make(fresh);
      plans.push_back(fresh);
    } catch (...) {
      release(fresh.product, fresh.layouts);
      throw;
    }
    return plans.back();
  }

  void make(plan& fresh) const {
    auto const& shape = fresh.shape;
    auto const type = data_type(shape.kind);
    auto const result = shape.float_result ? CUDA_R_32F : type;
    auto const compute = shape.kind == operand_kind::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    must(cublasLtMatmulDescCreate(&fresh.product, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
    index const rows[4] = {shape.m, shape.k, shape.m, shape.m};
    index const cols[4] = {shape.k, shape.n, shape.n, shape.n};
    for (int i = 0; i < 4; ++i) {
      fresh.layouts[i] =
          layout_of(i < 2 ? type : result, rows[i], cols[i], shape.row_strides[i], shape.strides[i], shape.count);
    }
    preference const limit(workspace_bytes);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    must(cublasLtMatmulAlgoGetHeuristic(handle, fresh.product, fresh.layouts[1], fresh.layouts[0], fresh.layouts[2],
                                        fresh.layouts[3], limit.value, 1, &found, &count),
         "cublasLtMatmulAlgoGetHeuristic");
    if (count == 0) must(CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic");
    fresh.algorithm = found.algo;
  }
};

status create_product_state(void* workspace, std::size_t workspace_bytes, product_state** made) {
  return guarded([&] {
    auto state = std::make_unique<product_state>();
    state->workspace = workspace;
    state->workspace_bytes = workspace_bytes;
    must(cublasLtCreate(&state->handle), "cublasLtCreate");
    *made = state.release();
  });
}

void destroy_product_state(product_state* gone) { delete gone; }

status multiply_on_tensor_cores(product_state* state, stream on, product_call const& call) {
  auto const& a = call.left;
  auto const& b = call.right;
  auto const& d = call.result;
  if (d.rows == 0 || d.cols == 0 || d.count == 0) return {};
  bool const has_addend = call.addend.data != nullptr;
  auto const& addend = has_addend ? call.addend : d;
  return guarded([&] {
    auto const& chosen = state->plan_for({call.kind,
                                          call.float_result,
                                          has_addend,
                                          d.count,
                                          d.rows,
                                          d.cols,
                                          a.cols,
                                          {a.row_stride, b.row_stride, addend.row_stride, d.row_stride},
                                          {a.stride, b.stride, addend.stride, d.stride}});
    float const factor = has_addend ? call.beta : 0.0f;
    must(cublasLtMatmul(state->handle, chosen.product, &call.alpha, b.data, chosen.layouts[1], a.data,
                        chosen.layouts[0], &factor, addend.data, chosen.layouts[2], d.data, chosen.layouts[3],
                        &chosen.algorithm, state->workspace, state->workspace_bytes, on),
         "cublasLtMatmul");
  });
}

}  // namespace sigmax::SIGMAX_CUDA_LIBRARY
