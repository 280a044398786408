// SPDX-License-Identifier: MIT
/// @file
/// The part of JSON that a safetensors header uses, read front to back: objects, lists, strings and whole numbers.
/// A general parser would build what a file of a few megabytes asks for, and round numbers on the way; this one holds
/// one string at a time and knows at which byte it is.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io::safetensors_detail {

/// Bytes that may still be allocated. Charged before each allocation whose size a file decides; nothing is given back.
class memory_limit {
 public:
  memory_limit(std::uint64_t limit, std::uint64_t used) : limit_(limit), used_(used) {}

  /// @throws format_error if the bytes do not fit.
  void charge(std::uint64_t bytes) {
    if (__builtin_add_overflow(used_, bytes, &used_) || used_ > limit_) {
      throw format_error("reading it may take more than the " + std::to_string(limit_) +
                         " bytes that max_memory allows");
    }
  }

 private:
  std::uint64_t limit_;
  std::uint64_t used_;
};

/// Printable ASCII that means itself in a JSON string.
constexpr bool is_plain(char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; }

/// Reads tokens off the text of a header; white space between them is passed over, and nothing is read beyond the end.
class header_cursor {
 public:
  /// `first_byte`: position of the text in the file, for messages.
  header_cursor(std::string_view text, std::size_t first_byte, memory_limit& memory)
      : text_(text), first_byte_(first_byte), memory_(memory) {}

  /// Names the tensor, or "" for none, in which errors from here on are found. The text must outlive that.
  void within(std::string_view tensor, bool is_tensor) {
    tensor_ = tensor;
    is_tensor_ = is_tensor;
  }

  /// True, and past it, if the next token is this character.
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// Passes over this character. @throws format_error if something else is there.
  void expect(char c, char const* where) {
    if (take(c)) return;
    fail(std::string("expected '") + c + "' " + where + ", found " + found());
  }

  /// True if nothing but white space is left.
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

  /// A string, decoded; valid until the next one is read.
  /// @throws format_error for control characters, unknown escapes, lone surrogates and bytes that are not UTF-8.
  std::string_view string(char const* what) {
    if (!take('"')) fail(std::string("expected ") + what + " in quotes, found " + found());
    std::size_t const length = raw_length();
    // A string never gets longer by decoding. Growing doubles the old capacity at the most and keeps it while copying.
    if (length > string_.capacity()) {
      memory_.charge(3 * length + 32);
      string_.reserve(length);
    }
    string_.clear();
    for (std::size_t const end = at_ + length; at_ < end;) {
      if (text_[at_] == '\\') {
        ++at_;
        append_escape();
      } else {
        append_characters();
      }
    }
    ++at_;
    return string_;
  }

  /// A number that is written as digits alone and fits index_t. @throws format_error for every other.
  std::uint64_t natural(char const* what) {
    skip_space();
    std::size_t const start = at_;
    while (at_ < text_.size() && std::string_view("0123456789+-.eE").find(text_[at_]) != std::string_view::npos) ++at_;
    std::string_view const digits = text_.substr(start, at_ - start);
    std::uint64_t value = 0;
    char const* const end = digits.data() + digits.size();
    auto const parsed = std::from_chars(digits.data(), end, value);
    bool const leading_zero = digits.size() > 1 && digits[0] == '0';
    if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != end || leading_zero || value > INT64_MAX) {
      fail(std::string(what) + " is " + (digits.empty() ? found() : printable(digits, 40)) +
           "; it must be a whole number from 0 to 2^63 - 1");
    }
    return value;
  }

  /// @throws format_error with the tensor and the position in the file.
  [[noreturn]] void fail(std::string const& problem) const {
    throw format_error(tensor_text() + problem + " (byte " + std::to_string(first_byte_ + at_) + ")");
  }

  /// "tensor 'w': ", or nothing outside of tensors.
  std::string tensor_text() const { return is_tensor_ ? "tensor " + in_quotes(tensor_) + ": " : std::string(); }

 private:
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  /// The next character for a message.
  std::string found() const {
    if (at_ == text_.size()) return "the end of the header";
    std::string_view const rest = text_.substr(at_);
    std::size_t const length = io::detail::utf8_length(rest);
    return in_quotes(rest.substr(0, length == 0 ? 1 : length));
  }

  /// Bytes up to the closing quote.
  std::size_t raw_length() const {
    for (std::size_t i = at_; i < text_.size(); ++i) {
      if (text_[i] == '"') return i - at_;
      if (text_[i] == '\\') ++i;
    }
    fail("a string is not closed");
  }

  /// What is ASCII up to an escape or the quote, at once; else one character.
  void append_characters() {
    std::size_t const start = at_;
    while (is_plain(text_[at_])) ++at_;
    if (at_ == start) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) fail("a string holds the control character " + found());
      std::size_t const length = io::detail::utf8_length(text_.substr(at_));
      if (length == 0) fail("a string holds the byte " + found() + ", which is not UTF-8");
      at_ += length;
    }
    string_.append(text_, start, at_ - start);
  }

  void append_escape() {
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    char const c = text_[at_++];
    if (std::size_t const i = names.find(c); i != std::string_view::npos) {
      string_ += meanings[i];
      return;
    }
    if (c != 'u') fail("a string holds the escape " + in_quotes(std::string("\\") + c));
    std::uint32_t point = code_unit();
    if (point >= 0xdc00 && point < 0xe000) fail("a string holds half of a surrogate pair");
    if (point >= 0xd800 && point < 0xdc00) {
      bool const escaped = text_.substr(at_, 2) == "\\u";
      at_ += escaped ? 2 : 0;
      std::uint32_t const low = escaped ? code_unit() : 0;
      if (low < 0xdc00 || low >= 0xe000) fail("a string holds half of a surrogate pair");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(point);
  }

  /// Four hexadecimal digits.
  std::uint32_t code_unit() {
    std::uint32_t value = 0;
    std::string_view const digits = text_.substr(at_, 4);
    auto const parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < 4 || parsed.ec != std::errc() || parsed.ptr != digits.data() + 4) {
      fail("a string holds \\u without four hexadecimal digits");
    }
    at_ += 4;
    return value;
  }

  void append_utf8(std::uint32_t point) {
    auto const put = [&](std::uint32_t byte) { string_ += static_cast<char>(byte); };
    if (point < 0x80) return put(point);
    if (point < 0x800) {
      put(0xc0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        put(0xe0 | (point >> 12));
      } else {
        put(0xf0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3f));
      }
      put(0x80 | ((point >> 6) & 0x3f));
    }
    put(0x80 | (point & 0x3f));
  }

  std::string_view text_;
  std::size_t first_byte_;
  memory_limit& memory_;
  std::size_t at_ = 0;
  std::string_view tensor_;
  bool is_tensor_ = false;
  std::string string_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::safetensors_detail
