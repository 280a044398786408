// SPDX-License-Identifier: MIT
/// @file
/// Counter-based random numbers: the i-th number of a seed is a pure function of both, so every backend, thread count
/// and order of evaluation sees the same numbers.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// SplitMix64 (Steele, Lea, Flood 2014) evaluated at an index.
class random_sequence {
 public:
  explicit constexpr random_sequence(std::uint64_t seed) : key_(mix(seed + 0x9e3779b97f4a7c15u)) {}

  /// 64 uniformly distributed bits.
  constexpr std::uint64_t bits(std::uint64_t index) const { return mix(key_ + (index + 1) * 0x9e3779b97f4a7c15u); }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform(std::uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }

  /// Standard normal (Box-Muller, one of the pair). Equal on one machine; libm may differ between machines.
  double normal(std::uint64_t index) const {
    double const radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * index)));
    return radius * std::cos(6.283185307179586 * uniform(2 * index + 1));
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
};

/// Fills a vector with standard normal numbers of the seed. Cost: one log and one cosine an element.
template <class T>
void fill_normal(vector_view<T> v, std::uint64_t seed) {
  random_sequence const sequence(seed);
  for (index_t i = 0; i < v.size(); ++i) v[i] = T(sequence.normal(static_cast<std::uint64_t>(i)));
}

/// Fills a matrix with standard normal numbers of the seed; element (i, j) depends on its position, not on strides.
template <class T>
void fill_normal(matrix_view<T> a, std::uint64_t seed) {
  random_sequence const sequence(seed);
  for (index_t i = 0; i < a.rows(); ++i) {
    for (index_t j = 0; j < a.cols(); ++j) {
      a(i, j) = T(sequence.normal(static_cast<std::uint64_t>(i * a.cols() + j)));
    }
  }
}

}  // namespace sigmax::inline SIGMAX_ABI
