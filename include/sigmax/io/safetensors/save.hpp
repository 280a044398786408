// SPDX-License-Identifier: MIT
/// @file
/// Writes safetensors files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/safetensors/element_type.hpp>
#include <sigmax/io/safetensors/header_cursor.hpp>
#include <sigmax/io/safetensors/named_tensor.hpp>
#include <sigmax/io/safetensors/stored_tensor.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

namespace safetensors_detail {

/// Appends text as a JSON string. @throws domain_error, calling it `what`, if it is not UTF-8.
inline void append_quoted(std::string& json, std::string_view text, char const* what) {
  static constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  static constexpr std::string_view escapes = "\"\\bfnrt";
  static constexpr char digits[] = "0123456789abcdef";
  json += '"';
  for (std::size_t i = 0; i < text.size();) {
    std::size_t plain = i;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    json.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;
    std::size_t const length = io::detail::utf8_length(text.substr(i));
    if (length == 0) throw domain_error(std::string(what) + " " + in_quotes(text) + " is not UTF-8; it must be");
    char const c = text[i];
    if (std::size_t const at = escaped.find(c); at != std::string_view::npos) {
      json += '\\';
      json += escapes[at];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    } else {
      json += text.substr(i, length);
    }
    i += length;
  }
  json += '"';
}

/// The order in which tensors are stored, that of the reference implementation: large alignments first, so that every
/// element lies on a multiple of its size, then by name. @throws domain_error if two have one name.
inline std::vector<named_tensor const*> in_file_order(std::vector<named_tensor> const& tensors) {
  std::vector<named_tensor const*> order;
  order.reserve(tensors.size());
  for (named_tensor const& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](auto const* a, auto const* b) { return a->name() < b->name(); });
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::string const& name = order[i]->name();
    if (i > 0 && name == order[i - 1]->name()) {
      throw domain_error("tensor name " + in_quotes(name) + " is given twice; names must be unique");
    }
    if (name == metadata_key) throw domain_error("tensor name '__metadata__' is taken by the format");
  }
  std::sort(order.begin(), order.end(), [](auto const* a, auto const* b) {
    return a->type() != b->type() ? a->type() > b->type() : a->name() < b->name();
  });
  return order;
}

/// Length and header. @throws domain_error for what cannot be written.
inline std::string header_bytes(std::vector<named_tensor const*> const& order,
                                std::map<std::string, std::string> const& metadata) {
  std::string json(8, '\0');
  json += '{';
  auto const separate = [&] {
    if (json.back() != '{') json += ',';
  };
  if (!metadata.empty()) {
    json.append("\"").append(metadata_key).append("\":{");
    for (auto const& [key, value] : metadata) {
      separate();
      append_quoted(json, key, "metadata key");
      json += ':';
      append_quoted(json, value, "metadata value");
    }
    json += '}';
  }
  std::uint64_t end = 0;
  for (named_tensor const* const tensor : order) {
    separate();
    append_quoted(json, tensor->name(), "tensor name");
    json.append(":{\"dtype\":\"").append(name_of(tensor->type())).append("\",\"shape\":[");
    for (std::size_t i = 0; i < tensor->shape().size(); ++i) {
      json.append(i == 0 ? "" : ",").append(std::to_string(tensor->shape()[i]));
    }
    json.append("],\"data_offsets\":[").append(std::to_string(end));
    if (__builtin_add_overflow(end, tensor->byte_count(), &end) || end > static_cast<std::uint64_t>(INT64_MAX)) {
      throw domain_error("the tensors take more than 2^63 - 1 bytes");
    }
    json.append(",").append(std::to_string(end)).append("]}");
  }
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  std::uint64_t const length = json.size() - 8;
  if (length > max_header) {
    throw domain_error("the header takes " + std::to_string(length) + " bytes; readers take at most " +
                       std::to_string(max_header));
  }
  std::memcpy(json.data(), &length, sizeof length);
  return json;
}

}  // namespace safetensors_detail

/// The bytes of a safetensors file of the tensors, in no matter what order, with the metadata.
///
/// Every bit of every element is kept, of NaN too. The same tensors give the same bytes, those of the reference
/// implementation: stored by falling alignment of their types and then by name, metadata by key, header padded to eight
/// bytes, so that all elements lie on multiples of their size.
/// @throws domain_error for a name that is given twice, taken by the format ("__metadata__") or not UTF-8, for metadata
///         that are not UTF-8 and for a header beyond 100 MB. Shapes were checked when the tensors were named.
/// @complexity one pass over the elements.
inline std::string safetensors_bytes(std::vector<named_tensor> const& tensors,
                                     std::map<std::string, std::string> const& metadata = {}) {
  auto const order = safetensors_detail::in_file_order(tensors);
  std::string bytes = safetensors_detail::header_bytes(order, metadata);
  for (named_tensor const* const tensor : order) {
    tensor->for_each_block(
        [&](void const* data, std::size_t size) { bytes.append(static_cast<char const*>(data), size); });
  }
  return bytes;
}

/// The same into a file, completely or not at all: an error leaves the old file as it was. What cannot be written is
/// refused before a file is begun.
///
///     save_safetensors("model.safetensors", {{"w", W}, {"b", b.view()}, {"kernel", {8, 3, 3, 3}, elements}},
///                      {{"step", "1000"}});
///
/// Memory: the header and 64 KiB. Throws as safetensors_bytes, format_error if the file cannot be written.
inline void save_safetensors(std::filesystem::path const& path, std::vector<named_tensor> const& tensors,
                             std::map<std::string, std::string> const& metadata = {}) {
  auto const order = safetensors_detail::in_file_order(tensors);
  std::string const header = safetensors_detail::header_bytes(order, metadata);
  atomic_file file(path);
  file.write(header);
  for (named_tensor const* const tensor : order) {
    tensor->for_each_block([&](void const* data, std::size_t size) { file.write(data, size); });
  }
  file.commit();
}

}  // namespace sigmax::inline SIGMAX_ABI::io
