// SPDX-License-Identifier: MIT
/// @file
/// Scalars: what a backend may compute with (`real`), what a matrix may be stored in (`storage_scalar`), and the two
/// 16-bit storage types.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Signed extents and strides everywhere (the same type as Eigen::Index).
using index_t = std::ptrdiff_t;

namespace detail {

/// Rounds a float to `kept` fraction bits, nearest-even, where the exponent is in range: the bits below are dropped.
constexpr std::uint32_t round_to_even(std::uint32_t bits, int dropped) {
  std::uint32_t const half = (std::uint32_t{1} << (dropped - 1)) - 1;
  return (bits + half + ((bits >> dropped) & 1)) >> dropped;
}

}  // namespace detail

/// bfloat16: sign, 8 exponent bits, 7 fraction bits. Storage only: convert to float to compute.
/// Conversion to float is exact; conversion from float rounds to nearest even, keeps infinities and quiets NaN.
struct bf16 {
  std::uint16_t bits = 0;

  constexpr bf16() = default;
  explicit constexpr bf16(float value) {
    auto const word = std::bit_cast<std::uint32_t>(value);
    bool const is_nan = (word & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<std::uint16_t>(is_nan ? (word >> 16) | 0x40u : detail::round_to_even(word, 16));
  }
  explicit constexpr bf16(double value) : bf16(round_to_odd(value)) {}
  constexpr operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

  static constexpr bf16 from_bits(std::uint16_t bits) {
    bf16 result;
    result.bits = bits;
    return result;
  }
  friend constexpr bool operator==(bf16 a, bf16 b) { return static_cast<float>(a) == static_cast<float>(b); }

  /// double to float so that a second rounding to a shorter format is the correct single rounding (round to odd).
  static constexpr float round_to_odd(double value) {
    auto const nearest = static_cast<float>(value);
    auto const word = std::bit_cast<std::uint32_t>(nearest);
    auto const back = static_cast<double>(nearest);
    if (back == value || (word & 0x7f800000u) == 0x7f800000u || (word & 1u) != 0) return nearest;
    bool const too_large_in_magnitude = (back > value) == (value > 0);
    return std::bit_cast<float>(too_large_in_magnitude ? word - 1 : word + 1);
  }
};

/// IEEE binary16: sign, 5 exponent bits, 10 fraction bits. Storage only, same conversions as bf16; the conversion to float
/// quiets NaN too, as the instructions of processors do.
struct f16 {
  std::uint16_t bits = 0;

  constexpr f16() = default;
  explicit constexpr f16(float value) {
    auto const word = std::bit_cast<std::uint32_t>(value);
    auto const sign = static_cast<std::uint16_t>((word >> 16) & 0x8000u);
    std::uint32_t const magnitude = word & 0x7fffffffu;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000u) {
      half = 0x7e00u;  // NaN
    } else if (magnitude >= 0x477ff000u) {
      half = 0x7c00u;  // 65520 and above round to infinity
    } else if (magnitude >= 0x38800000u) {
      half = detail::round_to_even(magnitude - 0x38000000u, 13);
    } else if (magnitude >= 0x33000000u) {  // subnormal in f16: shift the explicit fraction
      int const shift = 126 - static_cast<int>(magnitude >> 23);
      half = detail::round_to_even((magnitude & 0x7fffffu) | 0x800000u, shift);
    }
    bits = static_cast<std::uint16_t>(sign | half);
  }
  explicit constexpr f16(double value) : f16(bf16::round_to_odd(value)) {}
  constexpr operator float() const {
    std::uint32_t const sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    std::uint32_t const exponent = (bits >> 10) & 0x1fu;
    std::uint32_t const fraction = bits & 0x3ffu;
    std::uint32_t const quiet = exponent == 0x1f && fraction != 0 ? 0x400000u : 0;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | quiet | (fraction << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
    float const magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }

  static constexpr f16 from_bits(std::uint16_t bits) {
    f16 result;
    result.bits = bits;
    return result;
  }
  friend constexpr bool operator==(f16 a, f16 b) { return static_cast<float>(a) == static_cast<float>(b); }
};

// clang-format off: version 14 takes a requires expression apart.
/// A number a backend computes with: float, double, long double, or a user's type with the field operations,
/// an order, `sqrt` and `abs` found by argument-dependent lookup and a `std::numeric_limits` specialisation.
template <class T>
concept real = std::floating_point<T> ||(requires(T a, T b) {
  T(0);
  T(1.5);
  T(a + b);
  T(a - b);
  T(a * b);
  T(a / b);
  T(-a);
  { a < b } -> std::convertible_to<bool>;
  T(sqrt(a));
  T(abs(a));
} && std::numeric_limits<T>::is_specialized &&
                                         !std::numeric_limits<T>::is_integer);
// clang-format on

/// A type of 16 bits that is converted when read, and never computed with.
template <class T>
concept sixteen_bit_storage = std::same_as<T, bf16> || std::same_as<T, f16>;

/// A type in which matrices are stored: a `real`, or 16 bits.
template <class T>
concept storage_scalar = real<T> || sixteen_bit_storage<T>;

/// Storage types whose every value is a double: what the proofs accept, because reading them rounds nothing.
template <class T>
concept exact_in_double =
    std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, bf16> || std::same_as<T, f16>;

namespace detail {

template <class T>
struct compute_type {
  using type = T;
};
template <>
struct compute_type<bf16> {
  using type = float;
};
template <>
struct compute_type<f16> {
  using type = float;
};

}  // namespace detail

/// The scalar in which a stored scalar is computed: float for the 16-bit types, T itself otherwise.
template <storage_scalar T>
using compute_t = typename detail::compute_type<T>::type;

/// Unit roundoff u = epsilon / 2 of round-to-nearest arithmetic in T.
template <real T>
T unit_roundoff() {
  return T(std::numeric_limits<T>::epsilon() / 2);
}

}  // namespace sigmax::inline SIGMAX_ABI
