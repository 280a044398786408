// SPDX-License-Identifier: MIT
/// @file
/// A kernel as proofs of convolutions see it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The stored kernel as doubles, which is exact: element (small channel, large channel of the group, tap).
template <class = void>
std::vector<double> kernel_doubles(weight const& stored) {
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(stored.rows()) * static_cast<std::size_t>(stored.cols()));
  stored.visit([&](auto const& w) {
    for (index_t i = 0; i < w.rows(); ++i) {
      for (index_t j = 0; j < w.cols(); ++j) result.push_back(static_cast<double>(w(i, j)));
    }
  });
  return result;
}

/// 2^exponent times a kernel k of which |k - values| <= relative |values| + absolute is known, max |values| in [1/2, 1).
struct scaled_kernel {
  std::vector<double> values;
  std::int64_t exponent = 0;
  double relative = 0;
  double absolute = 0;
  bool is_zero = true;
};

/// Which factor of `gains` belongs to element i of the kernel.
struct gain_layout {
  /// Elements a small channel, elements a large channel (the taps), large channels a group.
  std::size_t row;
  std::size_t taps;
  std::size_t large;
  std::size_t small;
  /// The gains are those of the large channels.
  bool of_large;

  std::size_t operator()(std::size_t i) const {
    std::size_t const s = i / row;
    return of_large ? s / small * large + i % row / taps : s;
  }
};

namespace kernel_scaling {

/// 2^-exponent x in two steps, either of which is a double.
inline double scaled(double x, int exponent) {
  int const half = exponent / 2;
  return std::ldexp(std::ldexp(x, -half), half - exponent);
}

/// The exponent of the largest magnitude. @throws numeric_error if an element is not finite.
template <class = void>
int exponent_of(std::span<double const> values) {
  double largest = 0;
  for (double const x : values) {
    if (!is_finite(x)) {
      sigmax::detail::raise<numeric_error>(
          {"convolution: the kernel has an element that is ", is_nan(x) ? "NaN" : "infinite", "; all must be finite"});
    }
    if (std::fabs(x) > largest) largest = std::fabs(x);
  }
  int exponent = 0;
  if (largest > 0) std::frexp(largest, &exponent);
  return exponent;
}

}  // namespace kernel_scaling

/// The kernel times its gains, none if `gains` is empty. @throws numeric_error if an element is not finite.
///
/// Proof. Scaling by powers of two is exact but for results below the normal range, off by eta at most. Let s in [a, b]
/// be a gain and g the end of larger magnitude: |s k - fl(g k)| <= (b - a) |k| + u |g k| + eta and |k g| <=
/// (|fl(g k)| + eta) / (1 - u), so the quotient (b - a) / |g|, at most 2, times that is the first term.
template <class = void>
scaled_kernel scale_kernel(std::vector<double> kernel, std::span<interval const> gains, gain_layout const& layout) {
  using kernel_scaling::exponent_of;
  using kernel_scaling::scaled;
  scaled_kernel result;
  result.values = std::move(kernel);
  auto const all_zero = [](std::vector<double> const& values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return x == 0; });
  };
  bool exactly_zero = all_zero(result.values);
  int exponent = exponent_of(result.values);
  for (double& x : result.values) x = scaled(x, exponent);
  result.exponent = exponent;
  result.absolute = 2 * double_underflow;
  if (!gains.empty()) {
    std::vector<double> ends;
    for (interval const s : gains) {
      ends.push_back(std::fabs(s.lower) > std::fabs(s.upper) ? s.lower : s.upper);
      if (ends.back() != 0) {
        result.relative = max_up(result.relative, divide_up(s.width(), std::fabs(ends.back())));
      }
    }
    exactly_zero = exactly_zero || all_zero(ends);
    int const exponent_of_gains = exponent_of(ends);
    for (double& end : ends) end = scaled(end, exponent_of_gains);
    for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] *= ends[layout(i)];
    result.exponent += exponent_of_gains;
    result.relative = multiply_up(add_up(result.relative, 2 * double_roundoff), 1 + 0x1p-50);
    result.absolute = 16 * double_underflow;
    exponent = exponent_of(result.values);
    for (double& x : result.values) x = scaled(x, exponent);
    result.absolute = add_up(scale_up(result.absolute, -exponent), 2 * double_underflow);
    result.exponent += exponent;
  }
  result.is_zero = all_zero(result.values);
  if (exactly_zero) result.absolute = 0;
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
