// SPDX-License-Identifier: MIT
/// @file
/// The exceptions of sigmax and the one-line texts they carry. This is the lowest header of the library: `bound` and
/// `core` both stand on it.
#pragma once

#include <concepts>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Base of everything sigmax throws. `what()` is one line: the argument, its value and the rule it violates.
class error : public std::exception {
 public:
  explicit error(std::string text) : text_(std::move(text)) {}
  char const* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
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
  message_part(char const* text) : text_(text) {}
  message_part(std::string_view text) : text_(text) {}
  message_part(std::string const& text) : text_(text) {}
  template <std::integral T>
  message_part(T value) : integer_(static_cast<long long>(value)), kind_(kind::integer) {}
  message_part(double value) : real_(value), kind_(kind::real) {}

  void append_to(std::string& message) const {
    char number[40];
    if (kind_ == kind::text) {
      message.append(text_);
      return;
    }
    if (kind_ == kind::integer) std::snprintf(number, sizeof number, "%lld", integer_);
    if (kind_ == kind::real) std::snprintf(number, sizeof number, "%.9g", real_);
    message.append(number);
  }

 private:
  enum class kind : unsigned char { text, integer, real };
  std::string_view text_;
  long long integer_ = 0;
  double real_ = 0;
  kind kind_ = kind::text;
};

/// Throws E with the joined text. Out of line and never inlined: raising is rare, and concatenating strings in every
/// function that checks its arguments would cost its users more compile time than the function itself.
template <class E>
[[noreturn, gnu::cold, gnu::noinline]] void raise(std::initializer_list<message_part> parts) {
  std::string text;
  for (auto const& part : parts) part.append_to(text);
  throw E(std::move(text));
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
