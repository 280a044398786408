// SPDX-License-Identifier: MIT
/// @file
/// The exceptions of sigmax and the one-line texts they carry. This is the lowest header of the library: `bound` and
/// `core` both stand on it.
#pragma once

#include <exception>
#include <string>
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

/// "3 x 4", the way every message spells a shape.
inline std::string shape_text(long long rows, long long cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
