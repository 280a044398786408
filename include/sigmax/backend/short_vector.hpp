// SPDX-License-Identifier: MIT
/// @file
/// A register of floats or doubles in the language extension GCC and Clang share, for loops no primitive describes.
#pragma once

#include <concepts>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// The scalars registers hold.
template <class T>
concept register_scalar = std::same_as<T, float> || std::same_as<T, double>;

#if defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

/// Size scalars that are added, multiplied and compared elementwise by the operators of the language.
template <class T, int Size = register_bytes / static_cast<int>(sizeof(T))>
struct short_vector_type {
  typedef T type __attribute__((vector_size(Size * sizeof(T))));
};
template <class T>
using short_vector = typename short_vector_type<T>::type;

/// How many T a register holds.
template <class T>
inline constexpr index_t short_size = register_bytes / static_cast<index_t>(sizeof(T));

/// `count` rounded up to whole registers.
template <class T>
constexpr index_t whole_registers(index_t count) {
  return (count + short_size<T> - 1) / short_size<T> * short_size<T>;
}

/// Elements between two rows of a scratch matrix: whole registers, and 64 bytes more, since rows a power of two apart
/// would compete for the same lines of a cache.
template <class T>
constexpr index_t scratch_stride(index_t cols) {
  return whole_registers<T>(cols) + 64 / static_cast<index_t>(sizeof(T));
}

template <class T>
[[gnu::always_inline]] inline short_vector<T> load_short(T const* from) {
  short_vector<T> result;
  __builtin_memcpy(&result, from, sizeof(result));
  return result;
}

template <class T>
[[gnu::always_inline]] inline void store_short(short_vector<T> const& value, T* to) {
  __builtin_memcpy(to, &value, sizeof(value));
}

/// Every element x.
template <class T>
[[gnu::always_inline]] inline short_vector<T> broadcast(T x) {
  return short_vector<T>{} + x;
}

/// x where the index of the element is below `count`, else 0.
template <class T>
[[gnu::always_inline]] inline short_vector<T> first_elements(short_vector<T> const& x, index_t count) {
  T indices[short_size<T>];
  for (index_t i = 0; i < short_size<T>; ++i) indices[i] = static_cast<T>(i);
  return load_short<T>(indices) < broadcast(static_cast<T>(count)) ? x : short_vector<T>{};
}

/// The sum of the elements, by halves.
template <class T>
[[gnu::always_inline]] inline T sum_of(short_vector<T> const& value) {
  T part[short_size<T>];
  store_short<T>(value, part);
  for (index_t half = short_size<T> / 2; half > 0; half /= 2) {
    for (index_t i = 0; i < half; ++i) part[i] += part[i + half];
  }
  return part[0];
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
