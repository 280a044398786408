// SPDX-License-Identifier: MIT
/// @file
/// Reads safetensors files: an 8-byte little-endian length, a JSON header of that length, the elements of all tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/io/safetensors/file.hpp>
#include <sigmax/io/safetensors/header.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

struct safetensors_options {
  /// Largest amount of memory, in bytes, that the file and the list of its tensors may take together. What would take
  /// more is refused before it is allocated.
  std::uint64_t max_memory = std::uint64_t{4} << 30;
  /// What messages call the file; `load_safetensors` puts the path here where it is empty.
  std::string label = {};
};

namespace safetensors_detail {

/// What messages and small strings may take.
inline constexpr std::uint64_t small_change = 16384;

inline std::uint64_t header_length(std::span<std::byte const> file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  return length;
}

/// The text between length and data. @throws format_error if there is none.
inline std::string_view header_text(std::span<std::byte const> file) {
  std::string const size = std::to_string(file.size());
  if (file.size() < 8) {
    throw format_error("not a safetensors file: it has " + size + " bytes; the length of the header alone takes 8");
  }
  std::uint64_t const length = header_length(file);
  if (length > max_header) {
    throw format_error("not a safetensors file: its first 8 bytes say that the header takes " + std::to_string(length) +
                       " bytes; at most " + std::to_string(max_header) + " are allowed");
  }
  if (length > file.size() - 8) {
    throw format_error("not a safetensors file, or cut off: the header takes " + std::to_string(length) +
                       " bytes; the file has " + size);
  }
  std::string_view const text(reinterpret_cast<char const*>(file.data()) + 8, static_cast<std::size_t>(length));
  if (!text.starts_with('{')) {
    throw format_error("not a safetensors file: the header begins with " +
                       (text.empty() ? "its end" : in_quotes(text.substr(0, 1))) + "; it must begin with '{'");
  }
  return text;
}

}  // namespace safetensors_detail

/// Puts files together.
struct safetensors_access {
  static safetensors_file parse(std::span<std::byte const> bytes, std::uint64_t limit, std::uint64_t used,
                                std::string const& shown) {
    try {
      safetensors_detail::memory_limit memory(limit, used);
      memory.charge(safetensors_detail::small_change + 2 * shown.size());
      std::string_view const text = safetensors_detail::header_text(bytes);
      auto const data = bytes.subspan(8 + text.size());
      return {shown, data, safetensors_detail::header_reader(text, 8, data.size(), memory).run()};
    } catch (unsupported_error const& e) {
      throw unsupported_error(shown + ": " + e.what());
    } catch (format_error const& e) {
      throw format_error(shown + ": " + e.what());
    } catch (std::bad_alloc const&) {
      throw format_error(shown + ": the memory of this machine does not suffice for the list of its tensors");
    }
  }

  static safetensors_file own(safetensors_file&& file, std::vector<std::byte>&& bytes) {
    file.owned_ = std::move(bytes);  // moving keeps the address
    return std::move(file);
  }
};

/// True if the bytes begin as a safetensors file does: a length that fits, and '{'. ONNX models do not: they would have
/// to begin with four bytes of anything and four of zero.
inline bool looks_like_safetensors(std::span<std::byte const> bytes) {
  if (bytes.size() < 9 || bytes[8] != std::byte{'{'}) return false;
  std::uint64_t const length = safetensors_detail::header_length(bytes);
  return length <= safetensors_detail::max_header && length <= bytes.size() - 8;
}

/// Reads a safetensors file from memory. The result refers to the bytes, which must stay.
///
/// Checked before anything is believed: the length of the header against the file and 100 MB; JSON of exactly the
/// expected form, in valid UTF-8, with whole numbers up to 2^63 - 1; every tensor has dtype, shape and data_offsets and
/// no other key; names, keys and metadata keys occur once; the product of the extents and the size of the type neither
/// overflows nor differs from the bytes that data_offsets give; the tensors fill the data with no hole and no overlap.
/// Stricter than the reference implementation, which takes duplicate names and metadata, unknown keys, white space
/// before the header and a metadata of null.
///
/// @throws format_error for bytes that break a rule or need more memory than allowed, unsupported_error for a type the
///         format does not know. Nothing else; the text is one line with label, tensor, value and rule.
/// @complexity linear in the length of the header, plus sorting the names; data are not touched. Allocates at most
///         max_memory minus the size of the bytes.
inline safetensors_file parse_safetensors(std::span<std::byte const> bytes, safetensors_options const& options = {}) {
  return safetensors_access::parse(bytes, options.max_memory, bytes.size(),
                                   options.label.empty() ? "safetensors file" : printable(options.label));
}

/// The same from a file, whose bytes the result owns; messages begin with its name.
/// @throws format_error also if the file cannot be read.
inline safetensors_file load_safetensors(std::filesystem::path const& path, safetensors_options const& options = {}) {
  auto bytes = read_file(path, options.max_memory);
  auto file = parse_safetensors(bytes, {options.max_memory, options.label.empty() ? path.string() : options.label});
  return safetensors_access::own(std::move(file), std::move(bytes));
}

}  // namespace sigmax::inline SIGMAX_ABI::io
