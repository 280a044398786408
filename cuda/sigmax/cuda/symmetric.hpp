// SPDX-License-Identifier: MIT
/// @file
/// Symmetric results on tensor cores: X X^T and P Q of commuting symmetric P, Q, one triangle of tiles computed.
#pragma once

#include <cstddef>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/cuda/error.hpp>
#include <sigmax/cuda/operand.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

/// How a symmetric product is carried out.
struct symmetric_options {
  /// Of all matrices, unless `each` points to one entry a matrix in device memory.
  coefficients same = {};
  coefficients const* each = nullptr;
  tensor_kernel kernel = tensor_kernel::automatic;
  /// Float memory on the device for the parts of a split inner dimension; without it nothing is split.
  float* scratch = nullptr;
  std::size_t scratch_bytes = 0;
  /// What lies between the columns of a row and the next multiple of 16 bytes is zero, in all matrices, and may be
  /// written: the fast kernels then take any number of columns.
  bool owns_padding = false;
};

namespace detail {

inline void symmetric(char const* function, library::stream on, operand_kind kind, device_batch const& left,
                      device_batch const& right, device_batch const& addend, device_batch const& result,
                      symmetric_options const& options) {
  bool const has_addend = addend.data != nullptr;
  auto const fits = [&](device_batch const& a, index_t rows, index_t cols) {
    return a.rows == rows && a.cols == cols && a.count == result.count && a.row_stride >= a.cols;
  };
  if (!fits(result, result.rows, result.rows) || !fits(left, result.rows, left.cols) ||
      !fits(right, result.rows, left.cols) || (has_addend && !fits(addend, result.rows, result.rows))) {
    sigmax::detail::raise<shape_error>(
        {function,     ": the operands are ",
         left.rows,    " x ",
         left.cols,    " and ",
         right.rows,   " x ",
         right.cols,   ", the result ",
         result.rows,  " x ",
         result.cols,  ", in batches of ",
         left.count,   ", ",
         right.count,  " and ",
         result.count, "; the result must be square with their rows, and rows must not overlap"});
  }
  if (result.count > 65535) {
    sigmax::detail::raise<shape_error>({function, ": ", result.count, " matrices; at most 65535 are supported"});
  }
  if (result.rows == 0 || result.count <= 0) return;
  if ((left.data == nullptr && left.cols > 0) || (right.data == nullptr && right.cols > 0) || result.data == nullptr) {
    sigmax::detail::raise<domain_error>({function, ": a matrix is null; it must point to memory of the device"});
  }
  check(library::symmetric_on_tensor_cores(
            on, {kind, options.kernel, left, right, addend, result, options.same, options.each, options.scratch,
                 options.scratch_bytes, options.owns_padding}),
        function);
}

}  // namespace detail

/// D = alpha X X^T + beta C + diagonal I for every matrix of a batch.
///
/// X: m x n, C, D: m x m, of one kind; C symmetric or absent (`c.data` null); D may be C, not X.
/// Result: symmetric to the last bit; sums in float in an order that depends on the shapes and the device model alone.
/// Cost: n m^2 FLOPs, half of a general product. With few tiles and a long inner dimension this is split, and the parts
/// are added in order, where `scratch` holds 4 m^2 bytes a part and matrix.
/// Fast where the rows of all matrices start and end at multiples of 16 bytes (but see `owns_padding`); correct for any.
/// @throws shape_error for extents that do not fit, domain_error for a null pointer, architecture_error where the library
/// has no such kernel for the device or the operands, cuda_error.
inline void gram(library::stream on, operand_kind kind, device_batch const& x, device_batch const& c,
                 device_batch const& d, symmetric_options const& options = {}) {
  detail::symmetric("gram", on, kind, x, x, c, d, options);
}

/// D = alpha P Q + beta C + diagonal I for symmetric P, Q that commute, so that P Q is symmetric. As `gram`; P may be Q.
inline void symmetric_product(library::stream on, operand_kind kind, device_batch const& p, device_batch const& q,
                              device_batch const& c, device_batch const& d, symmetric_options const& options = {}) {
  detail::symmetric("symmetric_product", on, kind, p, q, c, d, options);
}

/// Bytes of scratch with which `gram` of an m x n batch splits the inner dimension as it would like to; 0 where it does
/// not split.
inline std::size_t symmetric_scratch_bytes(operand_kind kind, index_t m, index_t inner, int count) {
  std::size_t bytes = 0;
  detail::check(library::symmetric_scratch_bytes(kind, m, inner, count, &bytes), "symmetric_scratch_bytes");
  return bytes;
}

}  // namespace sigmax::inline SIGMAX_ABI::gpu
