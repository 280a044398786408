// SPDX-License-Identifier: MIT
/// @file
/// The backend of a device whose products of floats run on tensor cores.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/copies.hpp>
#include <sigmax/cuda/device_memory.hpp>
#include <sigmax/cuda/operand.hpp>
#include <sigmax/cuda/product_plans.hpp>
#include <sigmax/cuda/stream.hpp>
#include <sigmax/cuda/symmetric.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// `gpu::cuda`, but for the products of floats: they see the leading 11 bits of each operand and sum in float. Several times
/// as fast, with errors of some 2^-11 ||A|| ||B||: for optimizers, not for proofs, which do not accept it. The products of
/// doubles and everything that is no product of matrices are those of `gpu::cuda`.
///
/// Operands whose rows are not contiguous, at multiples of 16 bytes, are copied first; a result that lies otherwise is
/// computed as by `gpu::cuda`. The same input gives the same bits on one device model.
/// A backend holds 32 MiB of device memory and a handle of cuBLASLt from its first general product on; copies share them.
class cuda_tf32 : public cuda {
 public:
  static constexpr char const* name = "gpu::cuda_tf32";
  static constexpr bool standard_rounding = false;

  /// @throws no_device_error, architecture_error.
  explicit cuda_tf32(stream_handle on) : cuda(on), products_(std::make_shared<general_products>()) {}

  cuda_tf32 using_scratch(workspace& memory) const { return {cuda::using_scratch(memory), products_}; }
  cuda_tf32 checking_pointers() const { return {cuda::checking_pointers(), products_}; }

  template <device_real T>
  void gram(std::type_identity_t<T> alpha, matrix_in<T, space> x, std::type_identity_t<T> beta, matrix_in<T, space> c,
            matrix_view<T, space> g) const {
    if constexpr (std::same_as<T, float>) {
      if (lies_well(g)) return symmetric(alpha, x, x, true, beta, c, g);
    }
    cuda::gram<T>(alpha, x, beta, c, g);
  }

  template <device_real T>
  void symmetric_product(std::type_identity_t<T> alpha, matrix_in<T, space> p, matrix_in<T, space> q,
                         std::type_identity_t<T> beta, matrix_in<T, space> c, matrix_view<T, space> r) const {
    if constexpr (std::same_as<T, float>) {
      bool const is_square = p.data() == q.data() && p.row_stride() == q.row_stride();
      if (lies_well(r)) return symmetric(alpha, p, q, is_square, beta, c, r);
    }
    cuda::symmetric_product<T>(alpha, p, q, beta, c, r);
  }

  template <device_real T>
  void multiply(std::type_identity_t<T> alpha, matrix_in<T, space> a, matrix_in<T, space> b,
                std::type_identity_t<T> beta, matrix_in<T, space> c, matrix_view<T, space> r) const {
    if constexpr (std::same_as<T, float>) {
      bool const is_vector = r.rows() == 1 || r.cols() == 1;
      if (lies_well(r) && !is_vector && !a.empty()) {
        if (!detail::has_plain_rows(r) || !is_aligned(r)) {
          return general(alpha, b.transposed(), a.transposed(), beta, c.transposed(), r.transposed());
        }
        return general(alpha, a, b, beta, c, r);
      }
    }
    cuda::multiply<T>(alpha, a, b, beta, c, r);
  }

 private:
  /// cuBLASLt's handle and memory, made when they are first needed.
  struct general_products {
    sigmax::detail::device_matrix<float> memory;
    std::unique_ptr<product_plans> plans;
  };

  cuda_tf32(cuda const& base, std::shared_ptr<general_products> products)
      : cuda(base), products_(std::move(products)) {}

  static bool lies_well(matrix_view<float, space> r) {
    return !r.empty() && ((detail::has_plain_rows(r) && is_aligned(r)) ||
                          (detail::has_plain_rows(r.transposed()) && is_aligned(r.transposed())));
  }

  static device_batch batch(matrix_in<float, space> x) {
    index_t const row_stride = x.rows() <= 1 ? x.cols() : x.row_stride();
    return {const_cast<float*>(x.data()), x.rows(), x.cols(), row_stride, 0, 1};
  }

  /// Rows at multiples of 16 bytes, as tensor cores read them.
  static bool is_aligned(matrix_in<float, space> x) {
    return reinterpret_cast<std::uintptr_t>(x.data()) % 16 == 0 && (x.rows() <= 1 || x.row_stride() % 4 == 0);
  }

  /// x with plain, aligned rows: itself, or a copy in the frame.
  matrix_in<float, space> with_rows(matrix_in<float, space> x, workspace::frame& frame) const {
    if (detail::has_plain_rows(x) && is_aligned(x)) return x;
    auto const copy = frame.matrix<float, space>(x.rows(), (x.cols() + 3) / 4 * 4).block(0, 0, x.rows(), x.cols());
    combine<float>(1.0f, x, 0.0f, copy);
    return copy;
  }

  void symmetric(float alpha, matrix_in<float, space> p, matrix_in<float, space> q, bool is_square, float beta,
                 matrix_in<float, space> c, matrix_view<float, space> r) const {
    if (!detail::has_plain_rows(r) || !is_aligned(r)) {  // the result is its transpose
      r = r.transposed();
      c = c.transposed();
    }
    with_memory([&](workspace::frame& frame) {
      auto const left = with_rows(p, frame);
      auto const right = is_square ? left : with_rows(q, frame);
      symmetric_options options;
      options.same = {alpha, beta, 0};
      options.scratch_bytes = symmetric_scratch_bytes(operand_kind::tf32, r.rows(), p.cols(), 1);
      auto const floats = static_cast<index_t>((options.scratch_bytes + sizeof(float) - 1) / sizeof(float));
      options.scratch = frame.vector<float, space>(floats).data();
      auto const addend = beta == 0 ? device_batch{} : batch(with_rows(c, frame));
      gpu::symmetric_product(stream(), operand_kind::tf32, batch(left), batch(right), addend, batch(r), options);
    });
  }

  void general(float alpha, matrix_in<float, space> a, matrix_in<float, space> b, float beta, matrix_in<float, space> c,
               matrix_view<float, space> r) const {
    if (products_->plans == nullptr) {
      constexpr index_t floats = index_t{1} << 23;
      products_->memory = sigmax::detail::device_matrix<float>(memory_of(stream()), 1, floats);
      products_->plans = std::make_unique<product_plans>(products_->memory.data(), floats * sizeof(float));
    }
    with_memory([&](workspace::frame& frame) {
      auto const addend = beta == 0 ? device_batch{} : batch(with_rows(c, frame));
      products_->plans->multiply(stream(), operand_kind::tf32, alpha, batch(with_rows(a, frame)),
                                 batch(with_rows(b, frame)), beta, addend, batch(r));
    });
  }

  std::shared_ptr<general_products> products_;
};

static_assert(backend<cuda_tf32, float> && !certifying_backend<cuda_tf32, float>);

}  // namespace sigmax::inline SIGMAX_ABI::gpu
