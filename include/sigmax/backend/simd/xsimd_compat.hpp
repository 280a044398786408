// SPDX-License-Identifier: MIT
/// @file
/// All that sigmax knows of xsimd: one name per idea, the same from xsimd 8.1 (Debian 12) to 14. No other header
/// touches the namespace xsimd, except for the architecture tags.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <utility>

// GCC 12 reports variables of its own AVX-512 header as uninitialised wherever they are inlined (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX512F__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX512F__)
#pragma GCC diagnostic pop
#endif

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// A register of scalars T.
template <class T, class Arch>
using batch = xsimd::batch<T, Arch>;

/// Arch has registers of T, and T is one of the two scalars the kernels are written for.
template <class T, class Arch>
concept vectorizable = (std::same_as<T, float> ||
                        std::same_as<T, double>)&&xsimd::types::has_simd_register<T, Arch>::value;

/// How many T a register holds.
template <class T, class Arch>
inline constexpr index_t lanes = static_cast<index_t>(batch<T, Arch>::size);

/// How many registers Arch has.
template <class Arch>
inline constexpr int registers =
#if defined(__aarch64__)
    32;
#else
    sizeof(batch<float, Arch>) == 64 ? 32 : 16;
#endif

template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> load(T const* from) {
  return batch<T, Arch>::load_unaligned(from);
}

template <class T, class Arch>
[[gnu::always_inline]] inline void store(batch<T, Arch> const& value, T* to) {
  value.store_unaligned(to);
}

/// a b + c, in one rounding where Arch has the instruction.
template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> multiply_add(batch<T, Arch> const& a, batch<T, Arch> const& b,
                                                          batch<T, Arch> const& c) {
#if defined(__AVX512F__) && XSIMD_VERSION_MAJOR < 11
  // xsimd had no fma for AVX-512 before version 11: it multiplied and added, at half the speed.
  if constexpr (sizeof(batch<T, Arch>) == 64 && std::same_as<T, float>) return _mm512_fmadd_ps(a, b, c);
  if constexpr (sizeof(batch<T, Arch>) == 64 && std::same_as<T, double>) return _mm512_fmadd_pd(a, b, c);
#endif
  return xsimd::fma(a, b, c);
}

/// a b + c for single numbers, said explicitly: left to the compiler, whether a b is rounded before c is added depends
/// on where the code is inlined, and one input would give different bits at two calls.
template <std::floating_point T>
[[gnu::always_inline]] inline T multiply_add(T a, T b, T c) {
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMA)
  return std::fma(a, b, c);
#else
  return a * b + c;
#endif
}

#if defined(__AVX512F__)
/// The sum of the two halves of an AVX-512 register.
template <class Arch>
[[gnu::always_inline]] inline batch<float, xsimd::avx> fold(batch<float, Arch> const& value) {
  auto const upper = _mm512_extractf64x4_pd(_mm512_castps_pd(value), 1);
  return _mm256_add_ps(_mm512_castps512_ps256(value), _mm256_castpd_ps(upper));
}
template <class Arch>
[[gnu::always_inline]] inline batch<double, xsimd::avx> fold(batch<double, Arch> const& value) {
  return _mm256_add_pd(_mm512_castpd512_pd256(value), _mm512_extractf64x4_pd(value, 1));
}
#endif

/// The sum of the elements of one register.
template <class T, class Arch>
[[gnu::always_inline]] inline T sum(batch<T, Arch> const& value) {
#if defined(__AVX512F__)
  if constexpr (sizeof(batch<T, Arch>) == 64) return sum<T, xsimd::avx>(fold(value));
#endif
#if XSIMD_VERSION_MAJOR < 9
  return xsimd::hadd(value);
#else
  return xsimd::reduce_add(value);
#endif
}

/// to[i] = the sum of the elements of rows[i], for as many rows as a register has elements.
template <class T, class Arch>
[[gnu::always_inline]] inline void store_sums(batch<T, Arch> const* rows, T* to) {
#if defined(__AVX512F__)
  // xsimd 8.1 returns the sums of AVX-512 floats in the wrong order (rows 2, 3 and 4, 5 are swapped).
  if constexpr (sizeof(batch<T, Arch>) == 64) {
    constexpr std::size_t half = batch<T, Arch>::size / 2;
    batch<T, xsimd::avx> folded[2 * half];
    for (std::size_t i = 0; i < 2 * half; ++i) folded[i] = fold(rows[i]);
    store(xsimd::haddp(folded), to);
    store(xsimd::haddp(folded + half), to + half);
    return;
  }
#endif
  store(xsimd::haddp(rows), to);
}

template <class T, class Arch, std::size_t Start, std::size_t... i>
[[gnu::always_inline]] inline batch<T, Arch> interleave(batch<T, Arch> const& a, batch<T, Arch> const& b,
                                                        std::index_sequence<i...>) {
  constexpr std::size_t size = sizeof...(i);
  return batch<T, Arch>(__builtin_shufflevector(a.data, b.data, static_cast<int>(Start + i / 2 + i % 2 * size)...));
}

/// a_0, b_0, a_1, b_1, ... (xsimd's zip_lo and zip_hi, which stay within 128-bit lanes in some of its versions).
template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> interleave_low(batch<T, Arch> const& a, batch<T, Arch> const& b) {
  return interleave<T, Arch, 0>(a, b, std::make_index_sequence<batch<T, Arch>::size>{});
}

/// ..., a_last, b_last
template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> interleave_high(batch<T, Arch> const& a, batch<T, Arch> const& b) {
  return interleave<T, Arch, batch<T, Arch>::size / 2>(a, b, std::make_index_sequence<batch<T, Arch>::size>{});
}

/// The elementwise larger magnitude; unspecified where an element is NaN.
template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> larger_magnitude(batch<T, Arch> const& largest,
                                                              batch<T, Arch> const& value) {
  return xsimd::max(largest, xsimd::abs(value));
}

template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> magnitude(batch<T, Arch> const& value) {
  return xsimd::abs(value);
}

/// Makes the compiler hold a loaded value in its register. GCC otherwise forgets it and loads it again as the memory
/// operand of every instruction that uses it, which costs a quarter of the speed of a kernel that reuses its loads.
template <class T, class Arch>
[[gnu::always_inline]] inline void hold([[maybe_unused]] batch<T, Arch>& value) {
#if defined(__GNUC__) && !defined(__clang__) && (defined(__x86_64__) || defined(__i386__))
  asm("" : "+v"(value.data));
#endif
}

}  // namespace sigmax::inline SIGMAX_ABI::cpu::detail
