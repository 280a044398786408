// SPDX-License-Identifier: MIT
/// @file
/// Weights and steps for tests of constraints and optimizers.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/scalar.hpp>

#include "support/spectra.hpp"
#include "support/svd.hpp"

namespace sigmax::test {

/// Tall, wide, square, a row.
inline constexpr extents weight_shapes[] = {{20, 8}, {8, 20}, {12, 12}, {1, 9}};

/// Gaussian of spectral norm `norm`, as near as S can hold it.
template <class S>
sigmax::matrix<S> random_weight(index_t m, index_t n, std::uint64_t seed, long double norm) {
  exact a = gaussian(m, n, seed);
  long double const size = spectral_norm(a);
  for (index_t i = 0; i < a.size(); ++i) a.data()[i] *= norm / size;
  return rounded<S>(a);
}

/// A step of spectral norm `norm`: Gaussian, or along the leading singular vectors of W, where it adds most to ||W||.
inline exact step_from(exact const& w, std::uint64_t seed, long double norm) {
  exact d = gaussian(w.rows(), w.cols(), seed);
  if (seed % 2 == 0) {
    auto const of_w = svd_of(w);
    for (index_t i = 0; i < d.rows(); ++i) {
      for (index_t j = 0; j < d.cols(); ++j) d(i, j) = of_w.u(i, 0) * of_w.v(j, 0);
    }
  }
  long double const size = spectral_norm(d);
  for (index_t i = 0; i < d.size(); ++i) d.data()[i] *= norm / size;
  return d;
}

/// Whether two matrices hold the same bits.
template <class S>
bool same_bits(sigmax::matrix<S> const& a, sigmax::matrix<S> const& b) {
  if constexpr (std::same_as<S, long double>) {  // whose padding is anything
    return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
  }
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0);
}

template <class S>
bool same_bits(std::vector<sigmax::matrix<S>> const& a, std::vector<sigmax::matrix<S>> const& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = same_bits(a[i], b[i]);
  return same;
}

/// sqrt(rows / cols): the l2 norm of what has norm 1 from RMS to RMS; 1 for l2.
inline long double unit_of(norm::any in, index_t rows, index_t cols) {
  return in == norm::any(norm::l2) ? 1.0L : std::sqrt(static_cast<long double>(rows) / static_cast<long double>(cols));
}

}  // namespace sigmax::test
