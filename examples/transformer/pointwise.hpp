// SPDX-License-Identifier: MIT
/// @file
/// The nonlinear functions of the transformer, on contiguous numbers.
#pragma once

#include <cmath>
#include <concepts>

#include <sigmax/core/scalar.hpp>

#include "pointwise/choose.hpp"

namespace transformer {

using sigmax::index_t;

/// y = GELU(x) / divisor with GELU(x) = x Phi(x), Phi the normal distribution function (the form with erf), and
/// slope = GELU'(x) / divisor, Phi(x) + x phi(x) over divisor. y may be x. Float: absolute errors below 4e-7 (1 + |x|),
/// see pointwise/level.cpp; other scalars: those of their erf and exp.
template <class T>
void gelu_forward(T const* x, T* y, T* slope, index_t n, T divisor) {
  if constexpr (std::same_as<T, float>) {
    pointwise_kernels::best().gelu(x, y, slope, n, divisor);
  } else {
    using std::erf;
    using std::exp;
    using std::sqrt;
    T const root_half = T(sqrt(T(0.5)));
    T const density_at_0 = T(1 / sqrt(T(8 * T(atan(T(1))))));
    for (index_t i = 0; i < n; ++i) {
      T const value = x[i];
      T const phi = T(T(0.5) * (1 + erf(T(value * root_half))));
      T const density = T(density_at_0 * exp(T(T(-0.5) * value * value)));
      y[i] = T(value * phi / divisor);
      slope[i] = T((phi + value * density) / divisor);
    }
  }
}

/// dx = slope dy, in place.
template <class T>
void gelu_backward(T const* slope, T* dy, index_t n) {
  if constexpr (std::same_as<T, float>) {
    pointwise_kernels::best().multiply(slope, dy, n);
  } else {
    for (index_t i = 0; i < n; ++i) dy[i] = T(dy[i] * slope[i]);
  }
}

/// y <- y + x.
template <class T>
void add_numbers(T const* x, T* y, index_t n) {
  for (index_t i = 0; i < n; ++i) y[i] = T(y[i] + x[i]);
}

/// x <- softmax(scale x), n > 0 numbers, in place.
template <class T>
void softmax_forward(T* x, index_t n, T scale) {
  if constexpr (std::same_as<T, float>) {
    pointwise_kernels::best().softmax(x, n, scale);
  } else {
    using std::exp;
    T most = x[0];
    for (index_t i = 1; i < n; ++i) most = most < x[i] ? x[i] : most;
    T total(0);
    for (index_t i = 0; i < n; ++i) {
      x[i] = T(exp(T(scale * (x[i] - most))));
      total = T(total + x[i]);
    }
    for (index_t i = 0; i < n; ++i) x[i] = T(x[i] / total);
  }
}

/// dp <- scale (diag(p) - p p^T) dp: the derivative by x where p = softmax(scale x). In place.
template <class T>
void softmax_backward(T const* p, T* dp, index_t n, T scale) {
  if constexpr (std::same_as<T, float>) {
    pointwise_kernels::best().softmax_backward(p, dp, n, scale);
  } else {
    T mean(0);
    for (index_t i = 0; i < n; ++i) mean = T(mean + p[i] * dp[i]);
    for (index_t i = 0; i < n; ++i) dp[i] = T(scale * p[i] * (dp[i] - mean));
  }
}

/// Returns -log softmax(x)_target and replaces x by weight times its derivative, softmax(x) - e_target. `correct`: the
/// first of the largest x is the target.
template <class T>
T cross_entropy(T* x, index_t n, index_t target, T weight, bool& correct) {
  if constexpr (std::same_as<T, float>) {
    return pointwise_kernels::best().cross_entropy(x, n, target, weight, &correct);
  } else {
    using std::log;
    T const logit = x[target];
    index_t best = 0;
    for (index_t i = 1; i < n; ++i) best = x[best] < x[i] ? i : best;
    correct = best == target;
    T const most = x[best];
    using std::exp;
    T total(0);
    for (index_t i = 0; i < n; ++i) {
      x[i] = T(exp(T(x[i] - most)));
      total = T(total + x[i]);
    }
    for (index_t i = 0; i < n; ++i) x[i] = T(weight * x[i] / total);
    x[target] = T(x[target] - weight);
    return T(most - logit + log(total));
  }
}

}  // namespace transformer
