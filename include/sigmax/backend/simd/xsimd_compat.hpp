// SPDX-License-Identifier: MIT
/// @file
/// The registers of the kernels, one name per idea. From xsimd, 8.1 (Debian 12) to 14, come the architectures and the
/// register type each has for a scalar; the arithmetic is that which GCC and Clang give vector types. (xsimd's own
/// arithmetic comes with the elementary functions of all its scalars: parsing those would cost a user of sigmax a tenth
/// of the compile time.) No other header touches the namespace xsimd, except for the architecture tags.
#pragma once

#include <cassert>
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
#include <xsimd/config/xsimd_arch.hpp>
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX512F__)
#pragma GCC diagnostic pop
#endif

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::cpu::detail {

/// A register of scalars T.
template <class T, class Arch>
struct batch {
  using register_type = typename xsimd::types::simd_register<T, Arch>::register_type;
  static constexpr std::size_t size = sizeof(register_type) / sizeof(T);

  register_type data;

  batch() = default;
  [[gnu::always_inline]] batch(register_type elements) : data(elements) {}
  /// T in every element. (Subtracting zero changes no number, -0 included.)
  [[gnu::always_inline]] explicit batch(T element) : data(element - register_type{}) {}

  [[gnu::always_inline]] friend batch operator+(batch a, batch b) { return a.data + b.data; }
  [[gnu::always_inline]] friend batch operator-(batch a, batch b) { return a.data - b.data; }
  [[gnu::always_inline]] friend batch operator*(batch a, batch b) { return a.data * b.data; }
  [[gnu::always_inline]] friend batch operator/(batch a, batch b) { return a.data / b.data; }
};

/// Arch has registers of T with arithmetic (those of unknown size, SVE say, have none before GCC 15), and T is one of the
/// two scalars the kernels are written for.
template <class T, class Arch>
concept vectorizable =
    (std::same_as<T, float> || std::same_as<T, double>)&&xsimd::types::has_simd_register<T, Arch>::value&& requires(
        typename xsimd::types::simd_register<T, Arch>::register_type a) {
  a* a + a;
};

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

/// Elements of T, or of 16 bits, which sixteen_bits.hpp reads and writes. (One function for all: kernels call these a
/// hundred times, and overloads would be resolved as often.)
template <class T, class Arch, class S>
[[gnu::always_inline]] inline batch<T, Arch> load(S const* from) {
  batch<T, Arch> value;
  if constexpr (std::same_as<S, T>) {
    __builtin_memcpy(&value.data, from, sizeof value.data);
  } else {
    load_converted(from, value);
  }
  return value;
}

template <class T, class Arch, class S>
[[gnu::always_inline]] inline void store(batch<T, Arch> const& value, S* to) {
  if constexpr (std::same_as<S, T>) {
    __builtin_memcpy(to, &value.data, sizeof value.data);
  } else {
    store_converted(value, to);
  }
}

/// a b + c, in one rounding where Arch has the instruction.
template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> multiply_add(batch<T, Arch> const& a, batch<T, Arch> const& b,
                                                          batch<T, Arch> const& c) {
  [[maybe_unused]] constexpr bool is_float = std::same_as<T, float>;
  [[maybe_unused]] constexpr std::size_t bytes = sizeof(batch<T, Arch>);
#if defined(__AVX512F__)
  if constexpr (bytes == 64 && is_float) return _mm512_fmadd_ps(a.data, b.data, c.data);
  if constexpr (bytes == 64 && !is_float) return _mm512_fmadd_pd(a.data, b.data, c.data);
#endif
#if defined(__FMA__)
  if constexpr (bytes == 32 && is_float) return _mm256_fmadd_ps(a.data, b.data, c.data);
  if constexpr (bytes == 32 && !is_float) return _mm256_fmadd_pd(a.data, b.data, c.data);
  if constexpr (bytes == 16 && is_float) return _mm_fmadd_ps(a.data, b.data, c.data);
  if constexpr (bytes == 16 && !is_float) return _mm_fmadd_pd(a.data, b.data, c.data);
#elif defined(__aarch64__)
  if constexpr (bytes == 16 && is_float) return vfmaq_f32(c.data, a.data, b.data);
  if constexpr (bytes == 16 && !is_float) return vfmaq_f64(c.data, a.data, b.data);
#endif
  auto const product = a.data * b.data;  // in one expression Clang would fuse what it computes while compiling
  return product + c.data;
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

#if defined(__AVX__)
/// The sum of the two halves of a register.
[[gnu::always_inline]] inline __m128 fold(__m256 value) {
  return _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
}
[[gnu::always_inline]] inline __m128d fold(__m256d value) {
  return _mm_add_pd(_mm256_castpd256_pd128(value), _mm256_extractf128_pd(value, 1));
}
#endif
#if defined(__AVX512F__)
[[gnu::always_inline]] inline __m256 fold(__m512 value) {
  __m256d const upper = _mm512_extractf64x4_pd(_mm512_castps_pd(value), 1);
  return _mm256_add_ps(_mm512_castps512_ps256(value), _mm256_castpd_ps(upper));
}
[[gnu::always_inline]] inline __m256d fold(__m512d value) {
  return _mm256_add_pd(_mm512_castpd512_pd256(value), _mm512_extractf64x4_pd(value, 1));
}
#endif

/// The sum of the elements of one register: halves are added until two pairs are left, then the pairs.
template <class T, class Register>
[[gnu::always_inline]] inline T sum_of_elements(Register value) {
  constexpr std::size_t size = sizeof(Register) / sizeof(T);
  if constexpr (size == 2) {
    return value[0] + value[1];
  } else if constexpr (size == 4 && sizeof(Register) == 16) {
#if defined(__SSE3__)  // the order of the instruction that adds neighbours, and of `store_sums`
    return (value[0] + value[1]) + (value[2] + value[3]);
#else
    return (value[0] + value[2]) + (value[1] + value[3]);
#endif
  } else {
#if defined(__AVX__)
    return sum_of_elements<T>(fold(value));
#else
    T total(0);
    for (std::size_t i = 0; i < size; ++i) total += value[i];
    return total;
#endif
  }
}

/// The sum of the elements of one register.
template <class T, class Arch>
[[gnu::always_inline]] inline T sum(batch<T, Arch> const& value) {
  return sum_of_elements<T>(value.data);
}

// The sums of the elements of `rows`, as many registers as each has elements.
#if defined(__SSE2__)
[[gnu::always_inline]] inline __m128d row_sums(__m128d const* rows) {
  return _mm_add_pd(_mm_unpacklo_pd(rows[0], rows[1]), _mm_unpackhi_pd(rows[0], rows[1]));
}
[[gnu::always_inline]] inline __m128 row_sums(__m128 const* rows) {
#if defined(__SSE3__)
  return _mm_hadd_ps(_mm_hadd_ps(rows[0], rows[1]), _mm_hadd_ps(rows[2], rows[3]));
#else
  __m128 const first = _mm_add_ps(_mm_unpacklo_ps(rows[0], rows[1]), _mm_unpackhi_ps(rows[0], rows[1]));
  __m128 const last = _mm_add_ps(_mm_unpacklo_ps(rows[2], rows[3]), _mm_unpackhi_ps(rows[2], rows[3]));
  return _mm_add_ps(_mm_movelh_ps(first, last), _mm_movehl_ps(last, first));
#endif
}
#endif
#if defined(__AVX__)
[[gnu::always_inline]] inline __m256d row_sums(__m256d const* rows) {
  __m256d const first = _mm256_hadd_pd(rows[0], rows[1]);
  __m256d const last = _mm256_hadd_pd(rows[2], rows[3]);
  return _mm256_add_pd(_mm256_permute2f128_pd(first, last, 0x21), _mm256_blend_pd(first, last, 0b1100));
}
[[gnu::always_inline]] inline __m256 row_sums(__m256 const* rows) {
  __m256 const first = _mm256_hadd_ps(_mm256_hadd_ps(rows[0], rows[1]), _mm256_hadd_ps(rows[2], rows[3]));
  __m256 const last = _mm256_hadd_ps(_mm256_hadd_ps(rows[4], rows[5]), _mm256_hadd_ps(rows[6], rows[7]));
  return _mm256_add_ps(_mm256_blend_ps(first, last, 0b11110000), _mm256_permute2f128_ps(first, last, 0x21));
}
#endif

template <class T, class Arch, std::size_t... i>
[[gnu::always_inline]] inline void store_sums(batch<T, Arch> const* rows, T* to, std::index_sequence<i...>) {
#if defined(__SSE2__)
  if constexpr (sizeof(batch<T, Arch>) < 64) {
    typename batch<T, Arch>::register_type const registers[] = {rows[i].data...};
    store(batch<T, Arch>(row_sums(registers)), to);
  } else {
    decltype(fold(rows->data)) const folded[] = {fold(rows[i].data)...};
    decltype(fold(rows->data)) const sums[] = {row_sums(folded), row_sums(folded + sizeof...(i) / 2)};
    __builtin_memcpy(to, sums, sizeof sums);
  }
#else
  ((to[i] = sum(rows[i])), ...);
#endif
}

/// to[i] = the sum of the elements of rows[i], for as many rows as a register has elements.
template <class T, class Arch>
[[gnu::always_inline]] inline void store_sums(batch<T, Arch> const* rows, T* to) {
  store_sums(rows, to, std::make_index_sequence<batch<T, Arch>::size>{});
}

template <class T, class Arch>
[[gnu::always_inline]] inline batch<T, Arch> magnitude(batch<T, Arch> const& value) {
  // All bits but the sign.
  using register_type = typename batch<T, Arch>::register_type;
  using bits = decltype(value.data < value.data);
  return reinterpret_cast<register_type>(reinterpret_cast<bits>(value.data) &
                                         ~reinterpret_cast<bits>(batch<T, Arch>(T(-0.0)).data));
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
  auto const other = magnitude(value).data;
#if defined(__AVX512F__)
  // GCC 12 does not see the instruction behind the comparison.
  if constexpr (sizeof other == 64 && std::same_as<T, float>) return _mm512_max_ps(largest.data, other);
  if constexpr (sizeof other == 64 && std::same_as<T, double>) return _mm512_max_pd(largest.data, other);
#endif
  return largest.data > other ? largest.data : other;
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
