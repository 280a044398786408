// SPDX-License-Identifier: MIT
/// @file
/// Safetensors files put together by hand, wrong ones among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <sigmax/io/safetensors.hpp>

#include "support/message_of.hpp"

namespace sigmax::test {

/// Length (that of the header, or a lie), header, data.
inline std::string safetensors_text(std::string_view header, std::string_view data, std::uint64_t length) {
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file.append(header).append(data);
}
inline std::string safetensors_text(std::string_view header, std::string_view data = {}) {
  return safetensors_text(header, data, header.size());
}

/// The text must outlive the file.
inline sigmax::io::safetensors_file parse_text(std::string const& text,
                                               sigmax::io::safetensors_options const& options = {}) {
  return sigmax::io::parse_safetensors(std::as_bytes(std::span(text.data(), text.size())), options);
}
sigmax::io::safetensors_file parse_text(std::string&&, sigmax::io::safetensors_options const& = {}) = delete;

}  // namespace sigmax::test
