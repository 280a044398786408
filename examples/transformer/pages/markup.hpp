// SPDX-License-Identifier: MIT
/// @file
/// Markup that the pages of programs share.
#pragma once

#include <string>
#include <vector>

#include <sigmax/io/printable.hpp>

#include "../../report/text.hpp"

namespace transformer {

inline std::string paragraph(std::string const& text, char const* kind = nullptr) {
  return std::string("<p") + (kind != nullptr ? std::string(" class=\"") + kind + "\"" : "") + ">" +
         report::escaped(sigmax::io::printable(text, 8192)) + "</p>\n";
}

/// The cell of a table, or of its head.
struct cell {
  std::string text;
  bool is_number = false;
};

inline std::string row_of(std::vector<cell> const& cells, char const* tag = "td") {
  std::string row = "<tr>";
  for (auto const& each : cells) {
    row += std::string("<") + tag + (each.is_number ? " class=\"number\">" : ">") +
           report::escaped(sigmax::io::printable(each.text, 200)) + "</" + tag + ">";
  }
  return row + "</tr>\n";
}

/// `rows` is markup.
inline std::string table_of(std::vector<cell> const& head, std::string const& rows) {
  return "<div class=\"scroll\">\n<table>\n<thead>" + row_of(head, "th") + "</thead>\n<tbody>\n" + rows +
         "</tbody>\n</table>\n</div>\n";
}

}  // namespace transformer
