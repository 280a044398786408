// SPDX-License-Identifier: MIT
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>

#include "coefficient_file.hpp"

namespace polynomials_program {

namespace {

using sigmax::odd_polynomial;
using sigmax::polynomial_schedule;

/// Reads both notations character by character and knows the line it is in.
class reader {
 public:
  reader(std::string_view text, std::string const& label) : text_(text), label_(label) {}

  polynomial_schedule read() {
    skip_space(true, true);
    if (at_end()) fail("", "there is no step; a line of coefficients or a JSON array of arrays is needed");
    next() == '[' ? read_json() : read_lines();
    return schedule_;
  }

 private:
  void read_lines() {
    while (!at_end()) {
      odd_polynomial<> step;
      append_number(step);
      for (skip_space(false, true); !at_end() && next() != '\n'; skip_space(false, true)) {
        if (next() == ',') {
          ++at_;
          skip_space(false, true);
        }
        append_number(step);
      }
      append(step);
      skip_space(true, true);
    }
  }

  void read_json() {
    expect('[', "an array of arrays begins with [");
    do {
      skip_space(true, false);
      expect('[', "each step is an array of its coefficients, [a, b, c]");
      odd_polynomial<> step;
      do {
        skip_space(true, false);
        append_number(step);
        skip_space(true, false);
      } while (accept(','));
      expect(']', "coefficients are separated by , and end with ]");
      append(step);
      skip_space(true, false);
    } while (accept(','));
    expect(']', "steps are separated by , and end with ]");
    skip_space(true, false);
    if (!at_end()) fail(word(), "nothing may follow the array");
  }

  void append_number(odd_polynomial<>& step) {
    std::string_view const token = word();
    char const* const end = token.data() + token.size();
    double value = 0;
    auto const parsed = std::from_chars(token.data(), end, value);
    if (parsed.ec == std::errc::result_out_of_range) fail(token, "the number does not fit a double");
    if (parsed.ec != std::errc() || parsed.ptr != end || !sigmax::is_finite(value)) {
      fail(token, "a coefficient is a finite decimal number such as -1.25 or 3e-4");
    }
    if (step.terms() == odd_polynomial<>::max_terms) fail(token, "a step has at most 5 coefficients (degree 9)");
    step.append(value);
    at_ += token.size();
  }

  void append(odd_polynomial<> const& step) {
    if (schedule_.size() == polynomial_schedule::capacity) {
      fail(std::to_string(schedule_.size() + 1), "a schedule has at most 32 steps");
    }
    schedule_.append(step);
  }

  /// Blanks; with `lines` also ends of lines, with `comments` what follows # up to the end of its line.
  void skip_space(bool lines, bool comments) {
    for (; !at_end(); ++at_) {
      char const c = next();
      if (c == '#' && comments) {
        while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (c == '\n' && lines) {
        ++line_;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  /// What stands here up to a separator; a separator alone.
  std::string_view word() const {
    std::string_view const rest = text_.substr(at_);
    std::size_t const length = rest.find_first_of(" \t\r\n,[]#");
    return rest.substr(0, length == 0 ? 1 : length);
  }

  bool accept(char c) {
    if (at_end() || next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, char const* rule) {
    if (!accept(c)) fail(word(), rule);
  }

  char next() const { return text_[at_]; }
  bool at_end() const { return at_ >= text_.size(); }

  [[noreturn]] void fail(std::string_view value, char const* rule) const {
    std::string shown = sigmax::io::in_quotes(value.substr(0, 60));
    if (value.empty()) shown = "end of file";
    if (value == "\n") shown = "end of line";
    throw sigmax::format_error(label_ + ":" + std::to_string(line_) + ": " + shown + ": " + rule);
  }

  std::string_view text_;
  std::string const& label_;
  std::size_t at_ = 0;
  int line_ = 1;
  polynomial_schedule schedule_;
};

}  // namespace

polynomial_schedule parse_coefficients(std::string_view text, std::string const& label) {
  return reader(text, label).read();
}

polynomial_schedule load_coefficients(std::filesystem::path const& path) {
  auto const bytes = sigmax::io::read_file(path, most_bytes);
  return parse_coefficients({reinterpret_cast<char const*>(bytes.data()), bytes.size()},
                            sigmax::io::printable(path.string()));
}

}  // namespace polynomials_program
