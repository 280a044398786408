// SPDX-License-Identifier: MIT
/// @file
/// Non-negative numbers beyond the range of double, rounded upwards. A transformer's Lipschitz bound of 10^264 has a
/// square that no double holds; products of ten thousand layers need an exponent of their own.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// mantissa * 2^exponent with mantissa in [1/2, 1), or zero, or +infinity. Every operation rounds upwards, so a value
/// is an upper bound of the exact result of the operations that made it; 10,000 factors lose at most 10,000 units of
/// 2^-52. Plain arithmetic: what makes it a *proven* bound is the type around it (log_upper_bound).
class extended {
 public:
  constexpr extended() = default;
  /// value >= 0 exactly; NaN and negative numbers become +infinity.
  explicit extended(double value) : extended(value, 0) {}
  /// value * 2^exponent exactly.
  extended(double value, std::int64_t exponent) {
    if (!(value >= 0) || is_nan(value) || !is_finite(value)) {
      mantissa_ = infinity;
    } else if (value > 0) {
      int shift = 0;
      mantissa_ = std::frexp(value, &shift);
      if (__builtin_add_overflow(exponent, static_cast<std::int64_t>(shift), &exponent_)) {
        *this = exponent > 0 ? extended(infinity) : smallest();
      }
    }
  }

  double mantissa() const { return mantissa_; }
  std::int64_t exponent() const { return exponent_; }
  bool is_zero() const { return mantissa_ == 0; }
  bool is_infinite() const { return !is_finite(mantissa_); }

  /// >= a b. Zero times anything is zero, and powers of two are exact: a thousand layers of norm 1 have norm 1.
  friend extended operator*(extended const& a, extended const& b) {
    if (a.is_zero() || b.is_zero()) return {};
    if (a.is_infinite() || b.is_infinite()) return extended(infinity);
    std::int64_t exponent = 0;
    if (__builtin_add_overflow(a.exponent_, b.exponent_, &exponent)) {
      return a.exponent_ > 0 ? extended(infinity) : smallest();
    }
    bool const exact = a.mantissa_ == 0.5 || b.mantissa_ == 0.5;
    return extended(exact ? a.mantissa_ * b.mantissa_ : multiply_up(a.mantissa_, b.mantissa_), exponent);
  }

  /// >= a + b.
  friend extended operator+(extended const& a, extended const& b) {
    if (a.is_zero()) return b;
    if (b.is_zero()) return a;
    if (a.is_infinite() || b.is_infinite()) return extended(infinity);
    extended const& large = a.exponent_ >= b.exponent_ ? a : b;
    extended const& small = a.exponent_ >= b.exponent_ ? b : a;
    // The shifted summand is rounded up, so anything tiny still counts as one unit.
    std::int64_t shift = 0;
    bool const far = __builtin_sub_overflow(small.exponent_, large.exponent_, &shift) || shift < -64;
    double const shifted = far ? 0x1p-64 : scale_up(small.mantissa_, shift);
    return extended(add_up(large.mantissa_, shifted), large.exponent_);
  }

  /// >= sqrt(a).
  friend extended sqrt_up(extended const& a) {
    if (a.is_zero() || a.is_infinite()) return a;
    bool const odd = (a.exponent_ & 1) != 0;
    return extended(sqrt_up(odd ? 2 * a.mantissa_ : a.mantissa_), (a.exponent_ - (odd ? 1 : 0)) / 2);
  }

  friend bool operator<(extended const& a, extended const& b) {
    if (b.is_zero() || a.is_infinite()) return false;
    if (a.is_zero() || b.is_infinite()) return true;
    return a.exponent_ != b.exponent_ ? a.exponent_ < b.exponent_ : a.mantissa_ < b.mantissa_;
  }
  friend bool operator==(extended const& a, extended const& b) {
    return a.mantissa_ == b.mantissa_ && a.exponent_ == b.exponent_;
  }

  /// A double >= this: the least one, or the next among subnormals; +infinity beyond the largest, 0 only for 0.
  double to_double_up() const {
    if (is_zero() || is_infinite()) return mantissa_;
    return scale_up(mantissa_, exponent_);
  }

  /// An upper bound of the base-10 logarithm; -infinity for zero.
  double log10_up() const {
    if (is_zero()) return -infinity;
    if (is_infinite()) return infinity;
    if (mantissa_ == 0.5 && exponent_ == 1) return 0;
    // log2 of [1/2, 1) from libm: off by far less than 1e-12 in every implementation in use. log10(2) is rounded both
    // ways and the one that is larger for the sign of the exponent taken.
    double const log2_mantissa = std::log2(mantissa_) + 1e-12;
    double const total = add_up(log2_mantissa, next_up(static_cast<double>(exponent_)));
    double const log10_of_2_below = 0x1.34413509f79fep-2;
    double const log10_of_2_above = 0x1.34413509f79ffp-2;
    return next_up(total * (total > 0 ? log10_of_2_above : log10_of_2_below));
  }

  /// A decimal number >= this with 17 digits after rounding up, such as "1.2345678901234568e+264"; "inf" for infinity.
  std::string to_decimal_up() const;

 private:
  static extended smallest() {
    extended result;
    result.mantissa_ = 0.5;
    result.exponent_ = INT64_MIN;
    return result;
  }

  double mantissa_ = 0;
  std::int64_t exponent_ = 0;
};

namespace detail {

/// The least decimal of `digits` significant digits that is >= value, for finite value > 0.
inline std::string decimal_up(double value, int digits) {
  char text[800];  // 767 significant digits hold every double exactly
  auto const printed = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 766);
  std::string const all(text, printed.ptr);
  std::size_t const exponent_at = all.find('e');
  std::size_t const kept = static_cast<std::size_t>(digits) + (digits > 1 ? 1 : 0);
  std::string result = all.substr(0, kept) + all.substr(exponent_at);
  if (all.find_first_of("123456789", kept) >= exponent_at) return result;
  std::size_t i = result.find('e');
  std::size_t const first_of_exponent = i;
  while (i > 0) {
    char& c = result[--i];
    if (c == '.') continue;
    if (c != '9') {
      ++c;
      return result;
    }
    c = '0';
  }
  // 9.99 became 0.00: one decade more.
  int exponent = 0;
  std::size_t const sign = first_of_exponent + 1;
  std::from_chars(result.data() + sign + (result[sign] == '+' ? 1 : 0), result.data() + result.size(), exponent);
  result.resize(first_of_exponent);
  result[0] = '1';
  ++exponent;
  return result + (exponent < 0 ? "e-" : "e+") + (std::abs(exponent) < 10 ? "0" : "") +
         std::to_string(std::abs(exponent));
}

}  // namespace detail

inline std::string extended::to_decimal_up() const {
  if (is_zero()) return "0";
  if (is_infinite()) return "inf";
  if (exponent_ > -1000 && exponent_ <= 1023)
    return detail::decimal_up(std::ldexp(mantissa_, static_cast<int>(exponent_)), 17);
  // 2^exponent by repeated squaring in decimal: value = m 10^k with m rounded upwards throughout. The relative excess
  // is about |exponent| 2^-52.
  double m = mantissa_;
  std::int64_t k = 0;
  double base = exponent_ > 0 ? 2.0 : 5.0;  // 2^-1 = 5 10^-1
  std::int64_t base_k = exponent_ > 0 ? 0 : -1;
  auto const normalise = [](double& x, std::int64_t& power) {
    while (x >= 10) {
      x = divide_up(x, 10);
      ++power;
    }
  };
  m = multiply_up(m, 10);
  --k;
  normalise(m, k);
  auto remaining =
      exponent_ > 0 ? static_cast<std::uint64_t>(exponent_) : std::uint64_t{0} - static_cast<std::uint64_t>(exponent_);
  for (; remaining != 0; remaining >>= 1) {
    if ((remaining & 1) != 0) {
      m = multiply_up(m, base);
      k += base_k;
      normalise(m, k);
    }
    base = multiply_up(base, base);
    base_k *= 2;
    normalise(base, base_k);
  }
  std::string digits = detail::decimal_up(m, 17);
  int small = 0;
  std::size_t const e = digits.find('e');
  std::from_chars(digits.data() + e + (digits[e + 1] == '+' ? 2 : 1), digits.data() + digits.size(), small);
  digits.resize(e);
  k += small;
  return digits + (k < 0 ? "e-" : "e+") + (std::abs(k) < 10 ? "0" : "") + std::to_string(std::abs(k));
}

}  // namespace sigmax::inline SIGMAX_ABI
