// SPDX-License-Identifier: MIT
/// @file
/// Products of two matrices of intervals by midpoint and radius.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// C = A B over any scalar, A: n x k, B: k x m, row-major.
template <class T>
void multiply_matrices(std::span<T const> a, std::span<T const> b, std::size_t k, std::size_t m, std::span<T> c) {
  std::size_t const n = m == 0 ? 0 : c.size() / m;
  for (T& element : c) element = T(0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      T const factor = a[i * k + l];
      for (std::size_t j = 0; j < m; ++j) c[i * m + j] += factor * b[l * m + j];
    }
  }
}

/// The same over intervals. Let members of A lie within r of p and members of B within s of q, element by element. Then
/// those of A B lie within (e + w) / (1 - gamma) + w of fl(p q), where
///   e = fl(|p| t + r v),  t >= gamma |q| + s,  v >= |q| + s,  gamma = gamma_(2 k + 2),  w = 2 (k + 1) eta,
/// eta the smallest subnormal.
/// Proof: a b - p q = p (b - q) + (a - p) b, so |A B - p q| <= |p| s + r (|q| + s); |fl(p q) - p q| <= gamma |p| |q| + w
/// and e is a sum of 2 k products, off by at most gamma (|p| t + r v) + w (Higham, lemma 3.1, any order of summation,
/// with underflow). What is not finite anywhere on the way gives the whole line.
template <class = void>
void multiply_matrices(std::span<interval const> a, std::span<interval const> b, std::size_t k, std::size_t m,
                       std::span<interval> c) {
  std::size_t const n = m == 0 ? 0 : c.size() / m;
  double const gamma = gamma_up(2 * static_cast<double>(k) + 2);
  double const underflow = multiply_up(2 * (static_cast<double>(k) + 1), double_underflow);
  double const kept = subtract_down(1.0, gamma);
  std::vector<double> numbers(3 * k * m + 2 * m);
  std::span<double> const middle(numbers.data(), k * m);
  std::span<double> const reach(numbers.data() + k * m, k * m);
  std::span<double> const largest(numbers.data() + 2 * k * m, k * m);
  std::span<double> const sum(numbers.data() + 3 * k * m, m);
  std::span<double> const error(numbers.data() + 3 * k * m + m, m);
  auto const radius_of = [](interval x, double at) {
    return max_up(subtract_up(x.upper, at), subtract_up(at, x.lower));
  };
  for (std::size_t i = 0; i < k * m; ++i) {
    double const q = b[i].middle();
    double const s = b[i].is_point() ? 0.0 : radius_of(b[i], q);
    middle[i] = q;
    reach[i] = add_up(multiply_up(gamma, std::fabs(q)), s);
    largest[i] = add_up(std::fabs(q), s);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < m; ++j) sum[j] = error[j] = 0;
    for (std::size_t l = 0; l < k; ++l) {
      double const p = a[i * k + l].middle();
      double const r = a[i * k + l].is_point() ? 0.0 : radius_of(a[i * k + l], p);
      double const magnitude = std::fabs(p);
      double const* const q = middle.data() + l * m;
      double const* const t = reach.data() + l * m;
      double const* const v = largest.data() + l * m;
      for (std::size_t j = 0; j < m; ++j) {
        sum[j] += p * q[j];
        error[j] += magnitude * t[j] + r * v[j];
      }
    }
    for (std::size_t j = 0; j < m; ++j) {
      double const e = add_up(divide_up(add_up(error[j], underflow), kept), underflow);
      bool const known = is_finite(sum[j]) && is_finite(e);
      c[i * m + j] = known ? interval(subtract_down(sum[j], e), add_up(sum[j], e)) : interval::whole();
    }
  }
}

/// B^T of an m x k matrix B, k x m.
template <class T>
std::vector<T> transposed_elements(std::span<T const> b, std::size_t rows, std::size_t cols) {
  std::vector<T> result(rows * cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) result[j * rows + i] = b[i * cols + j];
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
