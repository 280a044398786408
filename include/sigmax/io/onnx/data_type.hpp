// SPDX-License-Identifier: MIT
/// @file
/// Element types of ONNX tensors by number and name.
#pragma once

#include <array>
#include <string>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// TensorProto.DataType, as far as the importer reads it.
namespace data_type {
inline constexpr int float32 = 1;
inline constexpr int int32 = 6;
inline constexpr int int64 = 7;
inline constexpr int text = 8;
inline constexpr int boolean = 9;
inline constexpr int float16 = 10;
inline constexpr int float64 = 11;
inline constexpr int bfloat16 = 16;
}  // namespace data_type

/// "float16"; "data type 77" for a number ONNX does not define.
inline std::string data_type_name(int type) {
  static constexpr std::array<char const*, 24> names{
      "undefined",      "float",      "uint8",          "int8",       "uint16",   "int16",
      "int32",          "int64",      "string",         "bool",       "float16",  "double",
      "uint32",         "uint64",     "complex64",      "complex128", "bfloat16", "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",     "float4e2m1"};
  if (type >= 0 && type < static_cast<int>(names.size())) return names[static_cast<std::size_t>(type)];
  return "data type " + std::to_string(type);
}

/// The types weights and data may have: each value of them is a double.
constexpr bool is_real_type(int type) {
  return type == data_type::float32 || type == data_type::float64 || type == data_type::float16 ||
         type == data_type::bfloat16;
}

/// True if every value of the real type `from` is a value of the real type `to`.
constexpr bool widens(int from, int to) {
  return from == to || to == data_type::float64 || (to == data_type::float32 && from != data_type::float64);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
