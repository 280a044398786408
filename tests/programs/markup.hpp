// SPDX-License-Identifier: MIT
/// @file
/// Is this text well-formed markup?
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sigmax::test {

/// Empty if every element is closed in order; else the place of the first problem.
inline std::string problem_in_markup(std::string const& markup) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = markup.find('<', at)) != std::string::npos) {
    std::size_t const end = markup.find('>', at);
    if (end == std::string::npos) return markup.substr(at, 60);
    std::string const tag = markup.substr(at + 1, end - at - 1);
    std::string const name = tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" \n", 1) - (tag[0] == '/' ? 1 : 0));
    bool const alone = tag.back() == '/' || tag[0] == '!' || name == "meta";
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name) return markup.substr(at, 60);
      open.pop_back();
    } else if (!alone) {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty() ? "" : "unclosed " + open.back();
}

inline bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// How often `part` occurs.
inline std::size_t count(std::string const& text, std::string const& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace sigmax::test
