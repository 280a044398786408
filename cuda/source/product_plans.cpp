// SPDX-License-Identifier: MIT
#include <sigmax/cuda/check_status.hpp>
#include <sigmax/cuda/product_plans.hpp>

#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

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
cublasLtMatrixLayout_t layout_of(cudaDataType_t type, index_t rows, index_t cols, index_t row_stride, index_t stride,
                                 int count) {
  cublasLtMatrixLayout_t layout = nullptr;
  gpu::detail::check_status(cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(cols),
                                                       static_cast<std::uint64_t>(rows), row_stride),
                            "cublasLtMatrixLayoutCreate");
  std::int64_t const apart = stride;
  bool const set = cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                                    sizeof(count)) == CUBLAS_STATUS_SUCCESS &&
                   cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &apart,
                                                    sizeof(apart)) == CUBLAS_STATUS_SUCCESS;
  if (!set) {
    cublasLtMatrixLayoutDestroy(layout);
    gpu::detail::check_status(CUBLAS_STATUS_INVALID_VALUE, "cublasLtMatrixLayoutSetAttribute");
  }
  return layout;
}

struct preference {
  cublasLtMatmulPreference_t value = nullptr;
  explicit preference(std::size_t bytes) {
    gpu::detail::check_status(cublasLtMatmulPreferenceCreate(&value), "cublasLtMatmulPreferenceCreate");
    cublasLtMatmulPreferenceSetAttribute(value, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof(bytes));
  }
  preference(preference const&) = delete;
  preference& operator=(preference const&) = delete;
  ~preference() { cublasLtMatmulPreferenceDestroy(value); }
};

}  // namespace

product_plans::product_plans(void* workspace, std::size_t workspace_bytes)
    : workspace_(workspace), workspace_bytes_(workspace_bytes) {
  detail::check_status(cublasLtCreate(&handle_), "cublasLtCreate");
}

product_plans::~product_plans() {
  for (auto const& p : plans_) release(p.product, p.layouts);
  cublasLtDestroy(handle_);
}

product_plans::plan const& product_plans::plan_for(key const& shape) {
  for (auto const& p : plans_) {
    if (p.shape == shape) return p;
  }
  plan fresh{shape, nullptr, {}, {}};
  try {
    make(fresh);
    plans_.push_back(fresh);
  } catch (...) {
    release(fresh.product, fresh.layouts);
    throw;
  }
  return plans_.back();
}

void product_plans::make(plan& fresh) {
  auto const& shape = fresh.shape;
  auto const type = data_type(shape.kind);
  auto const result = shape.float_result ? CUDA_R_32F : type;
  auto const compute =
      shape.kind == operand_kind::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  detail::check_status(cublasLtMatmulDescCreate(&fresh.product, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
  index_t const rows[4] = {shape.m, shape.k, shape.m, shape.m};
  index_t const cols[4] = {shape.k, shape.n, shape.n, shape.n};
  for (int i = 0; i < 4; ++i) {
    fresh.layouts[i] = layout_of(i < 2 ? type : result, rows[i], cols[i], shape.row_strides[i], shape.strides[i],
                                 shape.count);
  }
  preference const limit(workspace_bytes_);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  auto const status =
      cublasLtMatmulAlgoGetHeuristic(handle_, fresh.product, fresh.layouts[1], fresh.layouts[0], fresh.layouts[2],
                                     fresh.layouts[3], limit.value, 1, &found, &count);
  if (status != CUBLAS_STATUS_SUCCESS || count == 0) {
    sigmax::detail::raise<unsupported_error>({"multiply: cuBLASLt has no algorithm for ", shape.m, " x ", shape.k,
                                              " times ", shape.k, " x ", shape.n, ", ", cublasLtGetStatusName(status)});
  }
  fresh.algorithm = found.algo;
}

void product_plans::multiply(cudaStream_t stream, operand_kind kind, float alpha, device_batch const& a,
                             device_batch const& b, float beta, device_batch const& c, device_batch const& d,
                             bool float_result) {
  if (d.rows == 0 || d.cols == 0 || d.count == 0) return;
  bool const has_addend = c.data != nullptr;
  auto const& addend = has_addend ? c : d;
  if (a.rows != d.rows || b.cols != d.cols || a.cols != b.rows || addend.rows != d.rows || addend.cols != d.cols ||
      a.count != d.count || b.count != d.count || addend.count != d.count) {
    sigmax::detail::raise<shape_error>({"multiply: ", a.rows, " x ", a.cols, " times ", b.rows, " x ", b.cols,
                                        " is not ", d.rows, " x ", d.cols, ", or the batches differ"});
  }
  auto const& chosen = plan_for({kind,
                               float_result,
                               has_addend,
                               d.count,
                               d.rows,
                               d.cols,
                               a.cols,
                               {a.row_stride, b.row_stride, addend.row_stride, d.row_stride},
                               {a.stride, b.stride, addend.stride, d.stride}});
  float const factor = has_addend ? beta : 0.0f;
  detail::check_status(cublasLtMatmul(handle_, chosen.product, &alpha, b.data, chosen.layouts[1], a.data, chosen.layouts[0],
                                      &factor, addend.data, chosen.layouts[2], d.data, chosen.layouts[3], &chosen.algorithm,
                                      workspace_, workspace_bytes_, stream),
                       "cublasLtMatmul");
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu
