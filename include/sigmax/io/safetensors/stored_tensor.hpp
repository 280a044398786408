// SPDX-License-Identifier: MIT
/// @file
/// What a safetensors file says about one tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/io/safetensors/element_type.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// What a file says about one tensor. Elements are dense and row-major.
struct stored_tensor {
  /// As in the file, any UTF-8: use printable() to show it.
  std::string name;
  element_type type = element_type::f32;
  /// Extents, outermost first; none for a scalar.
  std::vector<index_t> shape;
  /// Its bytes are [begin, end) of the data that follow the header.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

namespace safetensors_detail {

/// The reference implementation reads no longer headers.
inline constexpr std::uint64_t max_header = 100'000'000;
/// As many extents as other libraries allow an array.
inline constexpr std::size_t max_rank = 64;
/// The key that is no tensor.
inline constexpr std::string_view metadata_key = "__metadata__";

/// Bytes of a dense tensor. @throws format_error if the product overflows (that of the extents other than zero, so that
/// every product of some of them is addressable too) or elements of less than a byte do not fill the last one.
inline std::uint64_t byte_count(element_type type, std::span<index_t const> shape) {
  index_t count = 1;
  bool empty = false;
  for (index_t const extent : shape) {
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, extent, &count)) {
      throw format_error("the product of its extents overflows 64 bits");
    }
  }
  std::uint64_t bits = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), std::uint64_t{bits_of(type)}, &bits)) {
    throw format_error("the product of its extents and the size of " + std::string(name_of(type)) +
                       " overflows 64 bits");
  }
  if (empty) return 0;
  if (bits % 8 != 0) {
    throw format_error(std::to_string(count) + " elements of type " + name_of(type) + " do not fill whole bytes");
  }
  return bits / 8;
}

/// "[2, 3]"
inline std::string shape_text(std::span<index_t const> shape) {
  std::string text;
  for (index_t const extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

}  // namespace safetensors_detail

}  // namespace sigmax::inline SIGMAX_ABI::io
