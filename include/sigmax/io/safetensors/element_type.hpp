// SPDX-License-Identifier: MIT
/// @file
/// Element types of safetensors files by name and size.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

static_assert(std::endian::native == std::endian::little,
              "sigmax::safetensors: the elements of a file are little-endian and are used where they lie");

/// The `dtype` of a tensor: all that the format knows (safetensors 0.8), by growing alignment. sigmax computes with f64,
/// f32, f16 and bf16; the others are listed, checked and written as bytes.
enum class element_type : unsigned char {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};

namespace safetensors_detail {

struct element_type_entry {
  char const* name;
  unsigned bits;
};

/// In the order of element_type.
inline constexpr std::array<element_type_entry, 22> element_types{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

}  // namespace safetensors_detail

/// "BF16", as files spell it.
constexpr char const* name_of(element_type type) {
  return safetensors_detail::element_types[static_cast<std::size_t>(type)].name;
}

/// Bits of one element; elements of less than a byte are packed.
constexpr unsigned bits_of(element_type type) {
  return safetensors_detail::element_types[static_cast<std::size_t>(type)].bits;
}

/// The type a file calls `name`; nothing for a name the format does not know. Names are case-sensitive.
constexpr std::optional<element_type> element_type_named(std::string_view name) {
  for (std::size_t i = 0; i < safetensors_detail::element_types.size(); ++i) {
    if (name == safetensors_detail::element_types[i].name) return static_cast<element_type>(i);
  }
  return std::nullopt;
}

/// Integers and truth values: they hold indices, masks and counters, not weights.
constexpr bool is_integer(element_type type) {
  return name_of(type)[0] == 'I' || name_of(type)[0] == 'U' || type == element_type::boolean;
}

/// The type in which a file stores T.
template <exact_in_double T>
inline constexpr element_type element_type_of = std::is_same_v<T, double>  ? element_type::f64
                                                : std::is_same_v<T, float> ? element_type::f32
                                                : std::is_same_v<T, f16>   ? element_type::f16
                                                                           : element_type::bf16;

}  // namespace sigmax::inline SIGMAX_ABI::io
