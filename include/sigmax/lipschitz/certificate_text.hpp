// SPDX-License-Identifier: MIT
/// @file
/// A certificate as text for people.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_advice.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

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

/// "for all x, y", and which.
template <class = void>
std::string domain_text(certificate const& c) {
  std::string const front = "for all x, y";
  auto const& domain = c.domain();
  if (domain.shape() == input_domain::kind::box) return front + " in the given box";
  if (domain.shape() == input_domain::kind::all) return front;
  char text[64];
  auto const printed = std::to_chars(text, text + sizeof text, domain.radius());
  bool origin = true;
  for (double const x : domain.centre(static_cast<std::size_t>(element_count(c.input_shape())))) {
    origin = origin && x == 0;
  }
  return front + " within " + std::string(text, printed.ptr) + " (" + c.norm_in().name() + ") of the " +
         (origin ? "origin" : "given centre");
}

/// "product 125.2, other 58.9", the methods that were tried, the one that won marked.
template <class = void>
std::string tried_text(certificate const& c) {
  std::string text;
  for (auto const& tried : c.tried()) {
    text += (text.empty() ? "" : ", ") + tried.name + " " +
            (tried.upper.is_infinite() ? std::string("none") : short_upper(tried.upper)) +
            (tried.name == c.method() ? " (used)" : "");
  }
  return text;
}

}  // namespace detail

/// The certificate as an aligned table of the layers, the upper bound (rounded up), the lower bound (rounded down) with
/// the ratio of both, the methods that were tried, what the proof rests on, and what would tighten it. Ends in a newline.
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
  std::string text = "||f(x) - f(y)||_" + out + " <= L ||x - y||_" + in + " " + detail::domain_text(c) + "; input " +
                     shape_text(c.input_shape()) + ", output " + shape_text(c.output_shape()) + "\n\n" +
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
  if (c.tried().size() > 1) text += "tried: " + detail::tried_text(c) + "\n";
  for (auto const& refused : c.refused()) {
    text += "refused: " + refused.name + " (" + refused.op + "): " + refused.reason + "\n";
  }
  for (auto const& reason : c.rests_on().reasons()) text += "rests on: " + reason + "\n";
  for (auto const& line : what_is_loose(c)) text += "to tighten: " + line + "\n";
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
