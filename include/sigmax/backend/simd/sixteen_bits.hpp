// SPDX-License-Identifier: MIT
/// @file
/// 16-bit storage as registers of floats, with the bits that the conversions of core/scalar.hpp give one by one.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <sigmax/backend/simd/xsimd_compat.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

// In integers, but for the instruction that reads binary16: the others that processors have give other NaN (F16C, when it
// writes) or take subnormal numbers for zero (AVX-512 BF16). Nothing depends on the rounding mode: what is computed with
// floats is exact.

/// All are computed in float, some of them are stored in 16 bits.
template <class Arch, class... S>
concept some_in_16_bits = vectorizable<float, Arch> &&(std::same_as<compute_t<std::remove_const_t<S>>, float>&&...) &&
                          (sixteen_bit_storage<std::remove_const_t<S>> || ...);

/// One of the two is float, the other 16 bits.
template <class Arch, class S, class T>
concept is_converted_by_registers = vectorizable<float, Arch> &&
    ((std::same_as<S, float> && sixteen_bit_storage<T>) || (sixteen_bit_storage<S> && std::same_as<T, float>));

/// A register of floats of Arch as integers, and half a register of 16-bit integers. (Attributes of typedefs: in GCC only
/// these may depend on a template parameter.)
template <class Arch>
struct float_bits {
  static constexpr std::size_t bytes = sizeof(batch<float, Arch>);
  using floats = typename batch<float, Arch>::register_type;
  typedef std::uint32_t words __attribute__((vector_size(bytes)));
  typedef std::int32_t integers __attribute__((vector_size(bytes)));
  typedef std::uint16_t halves __attribute__((vector_size(bytes / 2)));
};

/// 16 bits each, to words.
template <class Arch>
[[gnu::always_inline]] inline typename float_bits<Arch>::words load_halves(void const* from) {
  using bits = float_bits<Arch>;
  // GCC 12 halves the register where one instruction would do.
#if defined(__AVX512F__)
  if constexpr (bits::bytes == 64) {
    auto const words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<__m256i const*>(from)));
    return reinterpret_cast<typename bits::words>(words);
  }
#endif
#if defined(__AVX2__)
  if constexpr (bits::bytes == 32) {
    auto const words = _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<__m128i const*>(from)));
    return reinterpret_cast<typename bits::words>(words);
  }
#endif
  typename bits::halves half;
  __builtin_memcpy(&half, from, sizeof half);
  return __builtin_convertvector(half, typename bits::words);
}

/// The lower 16 bits of each word.
template <class Arch>
[[gnu::always_inline]] inline void store_halves(typename float_bits<Arch>::words word, void* to) {
  auto const half = __builtin_convertvector(word, typename float_bits<Arch>::halves);
  __builtin_memcpy(to, &half, sizeof half);
}

/// As detail::round_to_even of core/scalar.hpp.
template <class Words>
[[gnu::always_inline]] inline Words round_words_to_even(Words word, int dropped) {
  return (word + ((std::uint32_t{1} << (dropped - 1)) - 1) + ((word >> dropped) & 1)) >> dropped;
}

template <class Arch>
[[gnu::always_inline]] inline void load_converted(bf16 const* from, batch<float, Arch>& value) {
  using bits = float_bits<Arch>;
  value = reinterpret_cast<typename bits::floats>(load_halves<Arch>(from) << 16);
}

template <class Arch>
[[gnu::always_inline]] inline batch<float, Arch> load_by_integers(f16 const* from) {
  using bits = float_bits<Arch>;
  using words = typename bits::words;
  using integers = typename bits::integers;
  words const word = load_halves<Arch>(from);
  words const magnitude = (word & 0x7fffu) << 13;
  words const exponent = magnitude & 0x0f800000u;
  // The exponent counts from 112 more in a float; that of infinity and NaN from another 112.
  words const infinite = reinterpret_cast<words>(exponent == 0x0f800000u) & 0x38000000u;
  words const quiet = reinterpret_cast<words>(magnitude > 0x0f800000u) & 0x400000u;
  words const normal = (magnitude + 0x38000000u + infinite) | quiet;
  auto const subnormal =
      __builtin_convertvector(reinterpret_cast<integers>(word & 0x3ffu), typename bits::floats) * 0x1p-24f;
  words const value = exponent == 0 ? reinterpret_cast<words>(subnormal) : normal;
  return reinterpret_cast<typename bits::floats>(value | (word & 0x8000u) << 16);
}

template <class Arch>
[[gnu::always_inline]] inline void load_converted(f16 const* from, batch<float, Arch>& value) {
  // Every processor that executes AVX2 has the instruction: files with and without -mf16c may share their code.
  [[maybe_unused]] constexpr std::size_t bytes = float_bits<Arch>::bytes;
#if defined(__AVX512F__)
  if constexpr (bytes == 64) {
    value = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<__m256i const*>(from)));
    return;
  }
#endif
#if defined(__F16C__) && defined(__AVX2__)
  if constexpr (bytes == 32) {
    value = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<__m128i const*>(from)));
    return;
  }
#endif
  value = load_by_integers<Arch>(from);
}

template <class Arch>
[[gnu::always_inline]] inline void store_converted(batch<float, Arch> const& value, bf16* to) {
  using bits = float_bits<Arch>;
  using words = typename bits::words;
  using integers = typename bits::integers;
  auto const word = reinterpret_cast<words>(value.data);
  auto const is_nan = reinterpret_cast<integers>(word & 0x7fffffffu) > 0x7f800000;
  store_halves<Arch>(is_nan ? (word >> 16) | 0x40u : round_words_to_even(word, 16), to);
}

template <class Arch>
[[gnu::always_inline]] inline void store_converted(batch<float, Arch> const& value, f16* to) {
  using bits = float_bits<Arch>;
  using words = typename bits::words;
  using integers = typename bits::integers;
  using floats = typename bits::floats;
  auto const word = reinterpret_cast<words>(value.data);
  auto const magnitude = reinterpret_cast<integers>(word & 0x7fffffffu);
  // Subnormal: the integer part of |x| / 2^-24, and one more where the rest, an exact float, is above 1/2, or 1/2 and the
  // integer odd.
  auto const is_subnormal = magnitude < 0x38800000;
  auto const quotient = reinterpret_cast<floats>(magnitude & is_subnormal) * 0x1p24f;
  auto const whole = __builtin_convertvector(quotient, integers);
  auto const rest = quotient - __builtin_convertvector(whole, floats);
  auto const rounds_up = (rest > 0.5f) | ((rest == 0.5f) & -(whole & 1));
  auto half = is_subnormal ? reinterpret_cast<words>(whole - rounds_up)
                           : round_words_to_even(reinterpret_cast<words>(magnitude) - 0x38000000u, 13);
  half = magnitude >= 0x477ff000 ? words{} + 0x7c00u : half;  // 65520 and above round to infinity
  half = magnitude > 0x7f800000 ? words{} + 0x7e00u : half;   // NaN
  store_halves<Arch>(half | ((word >> 16) & 0x8000u), to);
}

/// to_i = from_i for one of the 16-bit types and float, in either direction.
template <class Arch, class From, class To>
[[gnu::flatten, gnu::noinline]] void convert(From const* from, To* to, index_t length) {
  index_t at = 0;
  for (; at + lanes<float, Arch> <= length; at += lanes<float, Arch>) {
    store(load<float, Arch>(from + at), to + at);
  }
  for (; at < length; ++at) to[at] = static_cast<To>(from[at]);
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
