// SPDX-License-Identifier: MIT
/// @file
/// The exceptions of sigmax and the one-line texts they carry. This is the lowest header of the library: `bound` and
/// `core` both stand on it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Base of everything sigmax throws. `what()` is one line: the argument, its value and the rule it violates.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Extents or strides that do not fit together.
class shape_error : public error {
 public:
  using error::error;
};

/// A parameter outside the range in which the function is defined.
class domain_error : public error {
 public:
  using error::error;
};

/// NaN or infinity where finite numbers are required, or an arithmetic environment in which nothing can be proved.
class numeric_error : public error {
 public:
  using error::error;
};

/// A file that cannot be read or does not say what its format requires.
class format_error : public error {
 public:
  using error::error;
};

/// Something well formed that sigmax does not handle; the text names it.
class unsupported_error : public error {
 public:
  using error::error;
};

namespace detail {

/// A piece of a message: text, or a number that is printed only if the message is.
class message_part {
 public:
  message_part(char const* text) : text_(text), size_(std::char_traits<char>::length(text)) {}
  message_part(std::string_view text) : text_(text.data()), size_(text.size()) {}
  message_part(std::string const& text) : text_(text.data()), size_(text.size()) {}
  template <std::integral T>
  message_part(T value) : integer_(static_cast<long long>(value)), size_(is_integer) {}
  message_part(double value) : real_(value), size_(is_real) {}

  /// At least as many characters as `print` writes.
  std::size_t largest_size() const { return size_ < is_real ? size_ : largest_number; }

  /// @return the end of what was written.
  char* print(char* to) const {
    if (size_ >= is_real) {
      bool const whole = size_ == is_integer;
      return to + (whole ? std::snprintf(to, largest_number, "%lld", integer_)
                         : std::snprintf(to, largest_number, "%.9g", real_));
    }
    std::memcpy(to, text_, size_);
    return to + size_;
  }

 private:
  /// Sizes that no text has say which number it is. (Two words: every call that may raise fills a list of these.)
  static constexpr std::size_t is_integer = static_cast<std::size_t>(-1);
  static constexpr std::size_t is_real = static_cast<std::size_t>(-2);
  static constexpr std::size_t largest_number = 40;

  union {
    char const* text_;
    long long integer_;
    double real_;
  };
  std::size_t size_;
};

/// The pieces as one text.
class message {
 public:
  explicit message(std::initializer_list<message_part> parts) {
    std::size_t size = 1;
    for (auto const& part : parts) size += part.largest_size();
    text_ = new char[size];
    char* end = text_;
    for (auto const& part : parts) end = part.print(end);
    *end = '\0';
  }
  message(message const&) = delete;
  message& operator=(message const&) = delete;
  ~message() { delete[] text_; }
  char const* text() const { return text_; }

 private:
  char* text_;
};

/// Throws E with the joined text. Out of line and never inlined: raising is rare, and concatenating strings in every
/// function that checks its arguments would cost its users more compile time than the function itself.
template <class E>
[[noreturn, gnu::cold, gnu::noinline]] void raise(std::initializer_list<message_part> parts) {
  throw E(message(parts).text());
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
