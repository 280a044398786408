// SPDX-License-Identifier: MIT
/// @file
/// The shape of ONNX's protobuf messages as the wire scan sees them: which field holds what, and what one of it costs
/// in memory once protobuf has parsed it. Field numbers are those of onnx.proto up to IR version 11.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::io::wire {

/// The messages of ONNX.
enum class message : std::uint8_t {
  model,
  graph,
  node,
  attribute,
  tensor,
  tensor_segment,
  sparse_tensor,
  value_info,
  type,
  type_tensor,
  type_element,  // Sequence, Optional: a type in field 1
  type_map,
  type_sparse_tensor,
  shape,
  dimension,
  entry,  // StringStringEntry, OperatorSetId, Opaque: strings and numbers only
  annotation,
  training,
  function,
  count
};

/// What a field holds.
enum class content : std::uint8_t { varint, fixed32, fixed64, bytes, message };

/// One field of a message. `element` is the size in memory of one element where the field is repeated, else 0.
struct field {
  std::uint16_t number;
  content holds;
  std::uint8_t element = 0;
  message inner = message::count;
};

namespace detail {

constexpr field number(std::uint16_t n) { return {n, content::varint}; }
constexpr field text(std::uint16_t n) { return {n, content::bytes}; }
constexpr field inner(std::uint16_t n, message m) { return {n, content::message, 0, m}; }

inline constexpr std::array model_fields{number(1),
                                         text(2),
                                         text(3),
                                         text(4),
                                         number(5),
                                         text(6),
                                         inner(7, message::graph),
                                         inner(8, message::entry),
                                         inner(14, message::entry),
                                         inner(20, message::training),
                                         inner(25, message::function)};
inline constexpr std::array graph_fields{inner(1, message::node),           text(2),
                                         inner(5, message::tensor),         text(10),
                                         inner(11, message::value_info),    inner(12, message::value_info),
                                         inner(13, message::value_info),    inner(14, message::annotation),
                                         inner(15, message::sparse_tensor), inner(16, message::entry)};
inline constexpr std::array node_fields{text(1),
                                        text(2),
                                        text(3),
                                        text(4),
                                        inner(5, message::attribute),
                                        text(6),
                                        text(7),
                                        text(8),
                                        inner(9, message::entry)};
inline constexpr std::array attribute_fields{text(1),
                                             field{2, content::fixed32},
                                             number(3),
                                             text(4),
                                             inner(5, message::tensor),
                                             inner(6, message::graph),
                                             field{7, content::fixed32, 4},
                                             field{8, content::varint, 8},
                                             text(9),
                                             inner(10, message::tensor),
                                             inner(11, message::graph),
                                             text(13),
                                             inner(14, message::type),
                                             inner(15, message::type),
                                             number(20),
                                             text(21),
                                             inner(22, message::sparse_tensor),
                                             inner(23, message::sparse_tensor)};
inline constexpr std::array tensor_fields{field{1, content::varint, 8},
                                          number(2),
                                          inner(3, message::tensor_segment),
                                          field{4, content::fixed32, 4},
                                          field{5, content::varint, 4},
                                          text(6),
                                          field{7, content::varint, 8},
                                          text(8),
                                          text(9),
                                          field{10, content::fixed64, 8},
                                          field{11, content::varint, 8},
                                          text(12),
                                          inner(13, message::entry),
                                          number(14),
                                          inner(16, message::entry)};
inline constexpr std::array segment_fields{number(1), number(2)};
inline constexpr std::array sparse_fields{inner(1, message::tensor), inner(2, message::tensor),
                                          field{3, content::varint, 8}};
inline constexpr std::array value_info_fields{text(1), inner(2, message::type), text(3), inner(4, message::entry)};
inline constexpr std::array type_fields{
    inner(1, message::type_tensor), inner(4, message::type_element),       inner(5, message::type_map),    text(6),
    inner(7, message::entry),       inner(8, message::type_sparse_tensor), inner(9, message::type_element)};
inline constexpr std::array type_tensor_fields{number(1), inner(2, message::shape)};
inline constexpr std::array type_element_fields{inner(1, message::type)};
inline constexpr std::array type_map_fields{number(1), inner(2, message::type)};
inline constexpr std::array shape_fields{inner(1, message::dimension)};
inline constexpr std::array dimension_fields{number(1), text(2), text(3)};
inline constexpr std::array entry_fields{text(1), text(2)};
inline constexpr std::array annotation_fields{text(1), inner(2, message::entry)};
inline constexpr std::array training_fields{inner(1, message::graph), inner(2, message::graph),
                                            inner(3, message::entry), inner(4, message::entry)};
inline constexpr std::array function_fields{text(1),
                                            text(4),
                                            text(5),
                                            text(6),
                                            inner(7, message::node),
                                            text(8),
                                            inner(9, message::entry),
                                            text(10),
                                            inner(11, message::attribute),
                                            inner(12, message::value_info),
                                            text(13),
                                            inner(14, message::entry)};

}  // namespace detail

/// The fields of a message.
constexpr std::span<field const> fields_of(message m) {
  switch (m) {
    case message::model:
      return detail::model_fields;
    case message::graph:
      return detail::graph_fields;
    case message::node:
      return detail::node_fields;
    case message::attribute:
      return detail::attribute_fields;
    case message::tensor:
      return detail::tensor_fields;
    case message::tensor_segment:
      return detail::segment_fields;
    case message::sparse_tensor:
      return detail::sparse_fields;
    case message::value_info:
      return detail::value_info_fields;
    case message::type:
      return detail::type_fields;
    case message::type_tensor:
    case message::type_sparse_tensor:
      return detail::type_tensor_fields;
    case message::type_element:
      return detail::type_element_fields;
    case message::type_map:
      return detail::type_map_fields;
    case message::shape:
      return detail::shape_fields;
    case message::dimension:
      return detail::dimension_fields;
    case message::entry:
      return detail::entry_fields;
    case message::annotation:
      return detail::annotation_fields;
    case message::training:
      return detail::training_fields;
    case message::function:
      return detail::function_fields;
    default:
      return {};
  }
}

/// Bytes that one parsed message of this kind may take without its contents: the object, its slot in the message that
/// holds it and, for nodes, what the importer makes of it. Larger than what protobuf 3.21 needs; a test compares.
constexpr std::uint64_t message_cost(message m) {
  switch (m) {
    case message::node:
      return 2048;
    case message::model:
    case message::graph:
    case message::attribute:
    case message::tensor:
    case message::function:
      return 512;
    default:
      return 256;
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::io::wire
