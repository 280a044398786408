// SPDX-License-Identifier: MIT
/// @file
/// The three norms as one: the largest of the Euclidean lengths of rows, times a factor.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// ||v|| = max over the rows r of v of ||r||_2 / sqrt(divisor), rows being `width` successive elements.
/// l2: one row, divisor 1. linf: rows of one element, divisor 1. rms: the last axis, divisor its length.
struct row_norm {
  std::size_t width = 1;
  std::size_t divisor = 1;

  /// The norm of tensors of this shape.
  static row_norm of(norm::any which, tensor_shape const& shape) {
    auto const count = static_cast<std::size_t>(element_count(shape));
    if (which == norm::any(norm::l2)) return {count == 0 ? 1 : count, 1};
    if (which == norm::any(norm::linf)) return {1, 1};
    std::size_t const last = row_width(shape);
    return {last, last};
  }

  /// The length of the last axis, 1 for a scalar: a token's width.
  static std::size_t row_width(tensor_shape const& shape) {
    return shape.empty() || shape.back() <= 0 ? 1 : static_cast<std::size_t>(shape.back());
  }

  /// >= the largest |v_i| of a v with ||v|| <= 1, and >= the largest length of a row.
  double reach() const { return divisor == 1 ? 1.0 : sqrt_up(static_cast<double>(divisor)); }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
