// SPDX-License-Identifier: MIT
/// @file
/// A first look at the bytes of an ONNX file, before protobuf sees them. A file of one megabyte can make protobuf
/// allocate a gigabyte (two bytes on the wire are an empty message of hundreds in memory) or recurse very deeply; this
/// scan finds out beforehand, without an allocation and in one pass.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/onnx/wire_schema.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

/// What the scan found.
struct wire_summary {
  /// Fields of all messages together.
  std::uint64_t fields = 0;
  /// Deepest nesting of messages; the model itself is 1.
  int depth = 0;
  /// Not less than what the file, its parsed form and the importer's lists take together, in bytes. Copies of weights
  /// are not in it: the importer accounts for each as it makes it.
  std::uint64_t memory = 0;
};

namespace wire {

/// Deepest nesting the scan accepts. Protobuf would accept 100 and recurse as deeply.
inline constexpr int max_depth = 64;

/// Reads tags, lengths and numbers off a range of bytes; every read checks the end.
class cursor {
 public:
  cursor(std::byte const* first, std::size_t size) : first_(first), size_(size) {}

  std::size_t at() const { return at_; }
  void skip_to(std::size_t position) { at_ = position; }

  /// A varint of at most `max_bytes` bytes that ends before `end`. @throws format_error otherwise.
  std::uint64_t varint(std::size_t end, int max_bytes = 10) {
    std::uint64_t value = 0;
    for (int i = 0; i < max_bytes; ++i) {
      if (at_ >= end) fail("a number is cut off");
      auto const byte = std::to_integer<std::uint64_t>(first_[at_++]);
      if (i == 9 && byte > 1) fail("a number has more than 64 bits");
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    fail("a number is longer than " + std::to_string(max_bytes) + " bytes");
  }

  /// Moves on by `count` bytes that must lie before `end`.
  void skip(std::uint64_t count, std::size_t end, char const* what) {
    if (count > end - at_) {
      fail(std::string(what) + " of " + std::to_string(count) + " bytes goes beyond the end, " +
           std::to_string(end - at_) + " are left");
    }
    at_ += static_cast<std::size_t>(count);
  }

  [[noreturn]] void fail(std::string const& problem) const {
    throw format_error("not an ONNX model: " + problem + " (byte " + std::to_string(at_) + " of " +
                       std::to_string(size_) + ")");
  }

 private:
  std::byte const* first_;
  std::size_t size_;
  std::size_t at_ = 0;
};

/// The field of message `m` with this number, or a null pointer.
constexpr field const* find_field(message m, std::uint64_t number) {
  for (field const& f : fields_of(m)) {
    if (f.number == number) return &f;
  }
  return nullptr;
}

/// Adds to the memory of the summary, which saturates and must not pass the limit. @throws format_error if it does.
inline void charge(wire_summary& summary, std::uint64_t bytes, std::uint64_t max_memory) {
  if (__builtin_add_overflow(summary.memory, bytes, &summary.memory)) summary.memory = UINT64_MAX;
  if (summary.memory > max_memory) {
    throw format_error("loading the model may take more than the " + std::to_string(max_memory) +
                       " bytes that max_memory allows");
  }
}

/// Size of one number on the wire for this content, 0 for a varint.
constexpr std::size_t wire_size(content c) { return c == content::fixed32 ? 4 : c == content::fixed64 ? 8 : 0; }

/// Wire type (0 to 5) that goes with this content.
constexpr unsigned wire_type(content c) {
  switch (c) {
    case content::varint:
      return 0;
    case content::fixed64:
      return 1;
    case content::fixed32:
      return 5;
    default:
      return 2;
  }
}

/// Passes over the payload of a packed repeated field. @return the number of its elements.
inline std::uint64_t scan_packed(cursor& bytes, field const& f, std::size_t end) {
  std::size_t const size = end - bytes.at();
  if (std::size_t const each = wire_size(f.holds); each != 0) {
    if (size % each != 0) {
      bytes.fail("a list of " + std::to_string(each) + "-byte numbers takes " + std::to_string(size) + " bytes");
    }
    bytes.skip_to(end);
    return size / each;
  }
  std::uint64_t count = 0;
  for (; bytes.at() < end; ++count) bytes.varint(end);
  return count;
}

}  // namespace wire

/// Checks the protobuf wire format of an ONNX model and bounds the memory that parsing it takes.
///
/// Refuses truncated numbers and payloads, numbers beyond 64 bits, field number 0, groups (ONNX has none), lists whose
/// length is no multiple of their element, nesting beyond wire::max_depth, and whatever may take more than
/// `max_memory` bytes. Fields ONNX does not define are passed over, as protobuf does. Allocates nothing but the text of
/// an error. @complexity linear in the size of the file.
/// @throws format_error with the byte at which the problem was found.
inline wire_summary scan_onnx_wire(std::span<std::byte const> file, std::uint64_t max_memory) {
  struct open_message {
    wire::message kind;
    std::size_t end;
  };
  wire_summary summary;
  wire::cursor bytes(file.data(), file.size());
  std::array<open_message, wire::max_depth> open{};
  open[0] = {wire::message::model, file.size()};
  summary.depth = 1;
  int depth = 1;
  wire::charge(summary, wire::message_cost(wire::message::model) + file.size(), max_memory);

  while (depth > 0) {
    auto const [kind, end] = open[static_cast<std::size_t>(depth - 1)];
    if (bytes.at() == end) {
      --depth;
      continue;
    }
    std::uint64_t const tag = bytes.varint(end, 5);
    std::uint64_t const number = tag >> 3;
    auto const type = static_cast<unsigned>(tag & 7);
    if (tag > UINT32_MAX || number == 0) bytes.fail("field number " + std::to_string(number) + " does not exist");
    ++summary.fields;

    wire::field const* const known = wire::find_field(kind, number);
    bool const fits = known != nullptr && wire::wire_type(known->holds) == type;
    // A number of a list costs up to three elements: the list grows by doubling and copies itself as it does.
    std::uint64_t const one_number = known != nullptr && known->element != 0 ? 3u * known->element : fits ? 0u : 64u;
    switch (type) {
      case 0:
        bytes.varint(end);
        wire::charge(summary, one_number, max_memory);
        break;
      case 1:
        bytes.skip(8, end, "a number");
        wire::charge(summary, one_number, max_memory);
        break;
      case 5:
        bytes.skip(4, end, "a number");
        wire::charge(summary, one_number, max_memory);
        break;
      case 2: {
        std::uint64_t const length = bytes.varint(end);
        std::size_t const start = bytes.at();
        bytes.skip(length, end, "a field");
        std::size_t const stop = bytes.at();
        if (known != nullptr && known->holds == wire::content::message) {
          if (depth == wire::max_depth) bytes.fail("messages are nested more than 64 deep");
          wire::charge(summary, wire::message_cost(known->inner), max_memory);
          open[static_cast<std::size_t>(depth++)] = {known->inner, stop};
          if (depth > summary.depth) summary.depth = depth;
          bytes.skip_to(start);
        } else if (known != nullptr && known->element != 0) {
          bytes.skip_to(start);
          wire::charge(summary, wire::scan_packed(bytes, *known, stop) * 3u * known->element, max_memory);
        } else {
          wire::charge(summary, length + 128, max_memory);
        }
        break;
      }
      default:
        bytes.fail("wire type " + std::to_string(type) + " does not occur in ONNX");
    }
  }
  return summary;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
