// SPDX-License-Identifier: MIT
/// @file
/// Text for markup: escaped, and numbers that do not depend on the locale.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include <sigmax/bound/rounding.hpp>

namespace report {

/// `text` with the five characters that mean something in HTML, SVG and their attributes replaced.
inline std::string escaped(std::string_view text) {
  std::string result;
  for (char const c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// A number with a fixed number of decimals, for positions in a drawing and for reading, never for proofs.
inline std::string decimal(double value, int decimals) {
  if (!sigmax::is_finite(value)) return sigmax::is_nan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  char text[400];
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals);
  return {text, printed.ptr};
}

}  // namespace report
