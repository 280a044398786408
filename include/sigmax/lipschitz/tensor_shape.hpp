// SPDX-License-Identifier: MIT
/// @file
/// Extents of the values that flow through a network.
#pragma once

#include <string>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Extents, outermost first; values are dense and row-major. A scalar has no extents and one element.
using tensor_shape = std::vector<index_t>;

/// Number of elements. @throws shape_error on a negative extent or where the product does not fit index_t.
inline index_t element_count(tensor_shape const& shape) {
  index_t count = 1;
  for (index_t const extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) {
      sigmax::detail::raise<shape_error>(
          {"tensor_shape: extent is ", extent, "; extents must not be negative and their product must be addressable"});
    }
  }
  return count;
}

/// "1 x 3 x 32 x 32"; "scalar" for no extents.
inline std::string shape_text(tensor_shape const& shape) {
  std::string text;
  for (index_t const extent : shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
