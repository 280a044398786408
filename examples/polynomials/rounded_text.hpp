// SPDX-License-Identifier: MIT
/// @file
/// Numbers as decimals that stay on the proven side: what is printed of a proof is still true.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>

namespace polynomials_program {

namespace detail {

/// |value| with that many decimals, rounded away from zero or towards it: digits are cut from the exact expansion.
inline std::string magnitude(double value, int decimals, bool away) {
  char text[1500];  // 309 digits before the point and 1074 behind it hold every double exactly
  auto const printed = std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::fixed, 1074);
  std::string digits(text, printed.ptr);
  std::size_t const kept = digits.find('.') + (decimals > 0 ? static_cast<std::size_t>(decimals) + 1 : 0);
  bool const exact = digits.find_first_of("123456789", kept) == std::string::npos;
  digits.resize(kept);
  if (exact || !away) return digits;
  for (std::size_t i = digits.size(); i > 0; --i) {
    char& c = digits[i - 1];
    if (c == '.') continue;
    if (c != '9') {
      ++c;
      return digits;
    }
    c = '0';
  }
  digits.insert(digits.begin(), '1');
  return digits;
}

/// With a sign in front, unless nothing but zeros is left. (Appending keeps -Wrestrict of g++ 12 quiet.)
inline std::string negative(std::string const& digits) {
  std::string result(digits.find_first_of("123456789i") == std::string::npos ? 0 : 1, '-');
  result.append(digits);
  return result;
}

}  // namespace detail

/// A decimal <= value; "-inf" and "inf" as they are.
inline std::string fixed_down(double value, int decimals) {
  if (!sigmax::is_finite(value)) return value > 0 ? "inf" : "-inf";
  return value < 0 ? detail::negative(detail::magnitude(value, decimals, true))
                   : detail::magnitude(value, decimals, false);
}

/// A decimal >= value.
inline std::string fixed_up(double value, int decimals) {
  if (!sigmax::is_finite(value)) return value < 0 ? "-inf" : "inf";
  return value < 0 ? detail::negative(detail::magnitude(value, decimals, false))
                   : detail::magnitude(value, decimals, true);
}

/// A decimal >= value >= 0 of that many significant digits; "inf" for infinity.
inline std::string significant_up(double value, int digits) {
  if (value == 0) return "0";
  if (!sigmax::is_finite(value)) return "inf";
  return sigmax::lipschitz::detail::without_exponent(sigmax::detail::decimal_up(value, digits));
}

/// The shortest text that reads back as the same double.
inline std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace polynomials_program
