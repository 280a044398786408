// SPDX-License-Identifier: MIT
/// @file
/// Numbers of certificates as short text, rounded to the side they stand for, whatever the locale.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::detail {

/// "1.2345e+02" -> "123.45" for exponents in which that reads better.
inline std::string without_exponent(std::string const& scientific) {
  std::size_t const e = scientific.find('e');
  if (e == std::string::npos) return scientific;
  int exponent = 0;
  char const* const first = scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1);
  auto const parsed = std::from_chars(first, scientific.data() + scientific.size(), exponent);
  if (parsed.ec != std::errc() || exponent < -4 || exponent > 8) return scientific;
  std::string digits = scientific.substr(0, 1) + (e > 2 ? scientific.substr(2, e - 2) : "");
  if (exponent < 0) return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  auto const whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  return whole == digits.size() ? digits : digits.substr(0, whole) + "." + digits.substr(whole);
}

/// A decimal of 10 digits >= value.
inline std::string short_upper(extended const& value) {
  if (value.is_zero() || value.is_infinite()) return value.to_decimal_up();
  double const near = value.to_double_up();
  if (is_finite(near) && near > 1e-290) return without_exponent(sigmax::detail::decimal_up(near, 10));
  // "d.ddd" and "e+N" apart: the digits as a double, moved upwards over its rounding, are below 10.
  std::string const all = value.to_decimal_up();
  std::size_t const e = all.find('e');
  double digits = 0;
  std::from_chars(all.data(), all.data() + e, digits);
  std::string const rounded = sigmax::detail::decimal_up(next_up(digits), 10);
  if (rounded.substr(rounded.find('e')) == "e+00") return rounded.substr(0, rounded.find('e')) + all.substr(e);
  return all;
}

/// A decimal of 10 digits <= value, for finite value >= 0.
inline std::string short_lower(double value) {
  if (!(value > 0)) return "0";
  char text[800];
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 766);
  std::string const all(text, printed.ptr);  // every digit there is
  return without_exponent(all.substr(0, 11) + all.substr(all.find('e')));
}

/// An estimate to so many digits.
inline std::string short_number(double value, int digits = 10) {
  if (is_nan(value)) return "?";
  if (!is_finite(value)) return value < 0 ? "-inf" : "inf";
  char text[64];
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits - 1);
  bool const negative = value < 0;
  return (negative ? "-" : "") + without_exponent({text + (negative ? 1 : 0), printed.ptr});
}

/// Plain number of a table cell.
inline std::string table_number(double value, int decimals) {
  if (is_nan(value)) return "?";
  if (!is_finite(value)) return value < 0 ? "-inf" : "inf";
  char text[64];
  bool const fits = std::fabs(value) < 1e12;
  auto const printed = std::to_chars(text, text + sizeof text, value,
                                     fits ? std::chars_format::fixed : std::chars_format::scientific, decimals);
  return {text, printed.ptr};
}

/// A logarithm with six decimals, rounded up.
inline std::string log_text(double log10) { return table_number(std::ceil(log10 * 1e6) / 1e6, 6); }

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::detail
