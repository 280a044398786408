// SPDX-License-Identifier: MIT
/// @file
/// Bounds by the absolute values of all maps.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/dense_map.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

namespace detail {

/// y += (|A| + |A - exact|) x rounded upwards, or the same with the transposed matrix, for x >= 0.
/// Proof: a sum of n products of non-negative numbers is at most (fl(sum) + n eta) / (1 - gamma_{n+1}). Each row of
/// |A - exact| sums to at most row_error, so it adds row_error max x to an element; a column of it has an l1 norm of at
/// most sqrt(rows) times its Euclidean length, which is at most `error`, so transposed it adds sqrt(rows) error max x.
inline void add_absolute(dense_map const& a, bool transposed, std::span<double const> x, std::span<double> y) {
  index_t const in = transposed ? a.rows() : a.cols();
  auto const n = static_cast<double>(in);
  double largest = 0;
  for (double const v : x) largest = max_up(largest, v);
  std::vector<double> sums(y.size(), 0.0);
  for (index_t i = 0; i < a.rows(); ++i) {
    double sum = 0;
    for (index_t j = 0; j < a.cols(); ++j) {
      double const size = std::fabs(a.elements(i, j));
      if (transposed) {
        sums[static_cast<std::size_t>(j)] += size * x[static_cast<std::size_t>(i)];
      } else {
        sum += size * x[static_cast<std::size_t>(j)];
      }
    }
    if (!transposed) sums[static_cast<std::size_t>(i)] = sum;
  }
  double const error = transposed ? multiply_up(sqrt_up(static_cast<double>(a.rows())), a.error) : a.row_error;
  double const extra = multiply_up(error, largest);
  double const underflow = multiply_up(n, double_underflow);
  double const kept = subtract_down(1.0, gamma_up(n + 1));
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = add_up(y[i], add_up(divide_up(add_up(sums[i], underflow), kept), extra));
  }
}

/// The value of every source (forwards) of the system with all maps and slopes replaced by their absolute values, applied to x >= 0.
inline std::vector<double> absolute_forwards(slope_system const& system, std::span<double const> x) {
  std::vector<std::vector<double>> values{{x.begin(), x.end()}};
  for (std::size_t j = 1; j <= system.blocks() + 1; ++j) {
    bool const last = j > system.blocks();
    std::vector<double> z(static_cast<std::size_t>(last ? system.outputs() : system.width(j)), 0.0);
    for (std::size_t i = 0; i < j; ++i) {
      if (auto const* const a = system.map(i, j)) add_absolute(*a, false, values[i], z);
    }
    for (std::size_t n = 0; n < z.size() && !last; ++n) z[n] = multiply_up(system.slopes(j)[n].magnitude(), z[n]);
    values.push_back(std::move(z));
  }
  return values.back();
}

/// The same with the transposed system, from the output back to the input.
inline std::vector<double> absolute_backwards(slope_system const& system, std::span<double const> y) {
  std::vector<std::vector<double>> values(system.blocks() + 1);
  for (std::size_t i = 0; i <= system.blocks(); ++i) values[i].assign(static_cast<std::size_t>(system.width(i)), 0.0);
  std::vector<double> z(y.begin(), y.end());
  for (std::size_t j = system.blocks() + 1; j > 0; --j) {
    if (j <= system.blocks()) {
      z = values[j];
      for (std::size_t n = 0; n < z.size(); ++n) z[n] = multiply_up(system.slopes(j)[n].magnitude(), z[n]);
    }
    for (std::size_t i = 0; i < j; ++i) {
      if (auto const* const a = system.map(i, j)) add_absolute(*a, true, z, values[i]);
    }
  }
  return values.front();
}

}  // namespace detail

/// L with ||y||_N <= L ||x_0||_N for the differences of a slope system, from the matrix B = sum over all paths of
/// |A| diag(|s|) |A| .. |A|, which is elementwise >= every |Jacobian|:
///     linf: the largest element of B 1;
///     l2:   ||B||_2^2 <= max_i (B B^T p)_i / p_i for every p > 0 (Collatz and Wielandt; Horn and Johnson, 8.1.26).
/// For non-negative weights and slopes in [0, s] this is exact. Cost: a sweep over all maps in linf, ten in l2.
template <norm_tag N>
upper_bound<op<N, N>> absolute_product_bound(slope_system const& system) {
  using sigmax::detail::proof;
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(N);
  if (!arithmetic_environment_is_sound() || !system.is_known()) return proof::upper<op<N, N>>(infinity);
  double best = infinity;
  if constexpr (std::same_as<N, norm::linf_t>) {
    std::vector<double> const ones(static_cast<std::size_t>(system.inputs()), 1.0);
    best = 0;
    for (double const v : detail::absolute_forwards(system, ones)) best = max_up(best, v);
  } else {
    std::vector<double> p(static_cast<std::size_t>(system.outputs()), 1.0);
    if (p.empty()) return proof::upper<op<N, N>>(0.0);
    for (int step = 0; step < 5; ++step) {
      auto const image = detail::absolute_forwards(system, detail::absolute_backwards(system, p));
      double ratio = 0;
      double largest = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        ratio = max_up(ratio, divide_up(image[i], p[i]));
        largest = max_up(largest, image[i]);
      }
      best = min_up(best, sqrt_up(ratio));
      if (!(largest > 0) || !is_finite(largest)) break;
      for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::fmax(image[i] / largest, 0x1p-40);
    }
  }
  return proof::upper<op<N, N>>(best);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
