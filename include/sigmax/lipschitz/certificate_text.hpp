// SPDX-License-Identifier: MIT
/// @file
/// A certificate as text for people.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

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

/// Rows with aligned columns; the columns from `first_right` up to `last_right` to the right.
template <class Rows>
std::string aligned(Rows const& rows, std::size_t first_right, std::size_t last_right) {
  std::vector<std::size_t> width(rows.front().size(), 0);
  for (auto const& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = width[c] < row[c].size() ? row[c].size() : width[c];
  }
  std::string text;
  for (auto const& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      std::string const fill(width[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (c >= first_right && c <= last_right ? fill + row[c] : row[c] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace detail

namespace detail {

/// "for all x, y", and which.
inline std::string domain_text(input_domain const& domain) {
  std::string const front = "for all x, y";
  if (domain.shape() == input_domain::kind::box) return front + " in the given box";
  if (domain.shape() == input_domain::kind::all) return front;
  char text[64];
  auto const printed = std::to_chars(text, text + sizeof text, domain.radius());
  return front + " within " + std::string(text, printed.ptr) + " of the given centre";
}

}  // namespace detail

/// The certificate as an aligned table of the layers, the upper bound (rounded up), the lower bound (rounded down) with
/// the ratio of both, and what the proof rests on. Ends in a newline.
template <std::same_as<certificate> Certificate>
std::string to_string(Certificate const& c) {
  std::vector<std::vector<std::string>> rows{
      {"layer", "operator", "shape", "log10 own", "log10 so far", "share", "rule"}};
  for (auto const& layer : c.layers()) {
    rows.push_back({layer.name, layer.op, shape_text(layer.shape), detail::log_text(layer.log10_sensitivity),
                    detail::log_text(layer.log10_lipschitz), detail::table_number(100 * layer.share, 1) + "%",
                    layer.rule});
  }
  std::string const in = c.norm_in().name();
  std::string const out = c.norm_out().name();
  std::string text = "||f(x) - f(y)||_" + out + " <= L ||x - y||_" + in + " " + detail::domain_text(c.domain()) +
                     "; input " + shape_text(c.input_shape()) + ", output " + shape_text(c.output_shape()) + "\n\n" +
                     detail::aligned(rows, 3, 5) + "\n";
  text += "L <= " + detail::short_upper(c.upper_extended()) + "   log10 " + detail::log_text(c.log10_upper()) + ", " +
          c.method() + " of the layers" + (c.conditional() ? ", conditional" : "") + "\n";
  if (auto const& lower = c.lower(); lower && lower->proven) {
    text += "L >= " + detail::short_lower(lower->value) + "   proven by a pair of points";
    if (lower->value > 0 && is_finite(c.upper())) {
      text += ", upper / lower = " + detail::table_number(c.upper() / lower->value, 4);
    }
    text += "\n";
  } else if (lower && lower->estimate > 0) {
    text += "L about " + detail::table_number(lower->estimate, 6) + " or more (seen in floating point, not proven)\n";
  } else if (lower) {
    text += "no lower bound was found\n";
  }
  for (auto const& refused : c.refused()) {
    text += "refused: " + refused.name + " (" + refused.op + "): " + refused.reason + "\n";
  }
  for (auto const& reason : c.rests_on().reasons()) text += "rests on: " + reason + "\n";
  return text + certificate::statement + "\n";
}

/// Prints `to_string(c)` to any stream that prints strings.
template <class Stream>
  requires requires(Stream& stream, std::string const& text) { stream << text; }
Stream& operator<<(Stream& stream, certificate const& c) {
  stream << to_string(c);
  return stream;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
