// SPDX-License-Identifier: MIT
/// @file
/// Names from files, made safe to print: an error is one line whatever a file calls its tensors.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::io {

namespace detail {

/// Length of the well-formed UTF-8 sequence at the front of `text`; 0 if there is none (RFC 3629, section 4).
constexpr std::size_t utf8_length(std::string_view text) {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto const continues = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  unsigned const first = byte(0);
  unsigned const second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    bool const overlong = first == 0xe0 && second < 0xa0;
    bool const surrogate = first == 0xed && second >= 0xa0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    bool const overlong = first == 0xf0 && second < 0x90;
    bool const beyond = first == 0xf4 && second >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace detail

/// `text` as valid UTF-8 on one line: control characters and bytes that are not UTF-8 become "\x0a" and the like, and
/// what goes beyond `max_bytes` becomes "...". Other text is returned as it is.
inline std::string printable(std::string_view text, std::size_t max_bytes = 200) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    auto const first = static_cast<unsigned char>(text.front());
    std::size_t length = detail::utf8_length(text);
    // U+0080 to U+009f are control characters too, and U+2028, U+2029 end lines.
    bool const control = first < 0x20 || first == 0x7f ||
                         (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) ||
                         text.substr(0, 3) == "\xe2\x80\xa8" || text.substr(0, 3) == "\xe2\x80\xa9";
    if (length == 0) length = 1;
    bool const escaped = control || (first >= 0x80 && length == 1);
    if (result.size() + (escaped ? 4 * length : length) > max_bytes) return result.append("...");
    for (char const c : text.substr(0, length)) {
      auto const byte = static_cast<unsigned char>(c);
      if (escaped) {
        result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
      } else {
        result += c;
      }
    }
    text.remove_prefix(length);
  }
  return result;
}

/// `text` in quotes, printable.
inline std::string in_quotes(std::string_view text) {
  std::string result(1, '\'');
  result.append(printable(text));
  result.push_back('\'');
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::io
