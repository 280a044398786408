// SPDX-License-Identifier: MIT
/// @file
/// General products through cuBLASLt, planned once for each shape.
#pragma once

#include <cstddef>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// D = alpha A B + beta C of batches: a cuBLASLt handle, its workspace, and the plan of every shape seen so far. Owned by
/// whoever multiplies; not for two threads at a time. A call for a shape seen before only looks its plan up.
class product_plans {
 public:
  /// `workspace`: device memory for cuBLASLt, 256-byte aligned; 32 MiB is what it likes on sm_90. Not owned.
  /// @throws cuda_error if cuBLASLt cannot be initialised.
  product_plans(void* workspace, std::size_t workspace_bytes) {
    detail::check(library::create_product_state(workspace, workspace_bytes, &state_), "product_plans");
  }
  ~product_plans() { library::destroy_product_state(state_); }
  product_plans(product_plans const&) = delete;
  product_plans& operator=(product_plans const&) = delete;

  /// D = alpha A B + beta C; A: m x k, B: k x n, C, D: m x n, all row-major, D not A or B, C may be D or absent (null).
  /// `kind` is that of A and B; C and D are of the same, or float with `float_result`.
  /// One algorithm for a shape on a device: same input, same bits.
  /// @throws shape_error for extents that do not fit, cuda_error, also where cuBLASLt has no algorithm for the operands.
  void multiply(library::stream on, operand_kind kind, float alpha, device_batch const& a, device_batch const& b,
                float beta, device_batch const& c, device_batch const& d, bool float_result = false) {
    auto const& addend = c.data != nullptr ? c : d;
    if (a.rows != d.rows || b.cols != d.cols || a.cols != b.rows || addend.rows != d.rows || addend.cols != d.cols ||
        a.count != d.count || b.count != d.count || addend.count != d.count) {
      sigmax::detail::raise<shape_error>({"multiply: ", a.rows, " x ", a.cols, " times ", b.rows, " x ", b.cols,
                                          " is not ", d.rows, " x ", d.cols, ", or the batches differ"});
    }
    detail::check(library::multiply_on_tensor_cores(state_, on, {kind, float_result, alpha, beta, a, b, c, d}),
                  "multiply");
  }

  library::product_state* state() const { return state_; }

 private:
  library::product_state* state_ = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI::gpu
