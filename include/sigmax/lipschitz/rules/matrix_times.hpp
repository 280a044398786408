// SPDX-License-Identifier: MIT
/// @file
/// y = W x over the scalars in which networks are evaluated.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// y += factor * W x, where `entry(w)` turns a stored element into a double. The loop follows the storage order:
/// four rows at a time where rows are contiguous, one column at a time otherwise.
template <class E, class T, class Entry>
void accumulate_product(matrix_view<E const> w, double factor, std::span<T const> x, std::span<T> y,
                        Entry const& entry) {
  if (w.row_stride() == 1 && w.col_stride() != 1) {
    for (index_t j = 0; j < w.cols(); ++j) {
      T const xj = factor * x[static_cast<std::size_t>(j)];
      E const* const column = w.data() + j * w.col_stride();
      for (index_t i = 0; i < w.rows(); ++i) y[static_cast<std::size_t>(i)] += entry(column[i]) * xj;
    }
    return;
  }
  index_t i = 0;
  index_t const step = w.col_stride();
  for (; i + 4 <= w.rows(); i += 4) {
    E const* row[4];
    for (index_t k = 0; k < 4; ++k) row[k] = w.data() + (i + k) * w.row_stride();
    T sum[4] = {T(0.0), T(0.0), T(0.0), T(0.0)};
    for (index_t j = 0; j < w.cols(); ++j) {
      T const xj = x[static_cast<std::size_t>(j)];
      for (int k = 0; k < 4; ++k) sum[k] += entry(row[k][j * step]) * xj;
    }
    for (index_t k = 0; k < 4; ++k) y[static_cast<std::size_t>(i + k)] += factor * sum[k];
  }
  for (; i < w.rows(); ++i) {
    T sum(0.0);
    for (index_t j = 0; j < w.cols(); ++j) sum += entry(w(i, j)) * x[static_cast<std::size_t>(j)];
    y[static_cast<std::size_t>(i)] += factor * sum;
  }
}

/// y += factor * W x.
template <class E, class T>
void add_matrix_times(matrix_view<E const> w, double factor, std::span<T const> x, std::span<T> y) {
  accumulate_product(w, factor, x, y, [](E element) { return static_cast<double>(element); });
}

/// y = W x over double or dual.
template <class E, class T>
void matrix_times(matrix_view<E const> w, std::span<T const> x, std::span<T> y) {
  for (T& element : y) element = T(0.0);
  add_matrix_times(w, 1.0, x, y);
}

/// y = W x over intervals, by midpoint and radius. Let x_j lie within r_j of m_j, s = fl(W m), e = fl(|W| q) with
/// q_j >= gamma |m_j| + r_j, gamma = gamma_(n+2). Then row i of W x lies within
///   (e_i + n eta) / (1 - gamma) + n eta
/// of s_i, eta the smallest subnormal.
/// Proof: |s - W m| <= gamma |W| |m| + n eta (Higham, lemma 3.1, any order of summation, with underflow), and
/// |W (x - m)| <= |W| r, together at most |W| q + n eta; e errs from |W| q by at most gamma |W| q + n eta. What is not
/// finite anywhere on the way gives the whole line.
template <class E>
void matrix_times(matrix_view<E const> w, std::span<interval const> x, std::span<interval> y) {
  std::size_t const n = x.size();
  double const gamma = gamma_up(static_cast<double>(n) + 2.0);
  double const underflow = multiply_up(static_cast<double>(n) + 1.0, double_underflow);
  std::vector<double> numbers(2 * (n + y.size()), 0.0);
  std::span<double> const middle(numbers.data(), n);
  std::span<double> const reach(numbers.data() + n, n);
  std::span<double> const sum(numbers.data() + 2 * n, y.size());
  std::span<double> const error(numbers.data() + 2 * n + y.size(), y.size());
  for (std::size_t j = 0; j < n; ++j) {
    double const m = x[j].middle();
    double const radius = max_up(subtract_up(x[j].upper, m), subtract_up(m, x[j].lower));
    middle[j] = m;
    reach[j] = add_up(multiply_up(gamma, std::fabs(m)), radius);
  }
  accumulate_product(w, 1.0, std::span<double const>(middle), sum,
                     [](E element) { return static_cast<double>(element); });
  accumulate_product(w, 1.0, std::span<double const>(reach), error,
                     [](E element) { return std::fabs(static_cast<double>(element)); });
  double const kept = subtract_down(1.0, gamma);
  for (std::size_t i = 0; i < y.size(); ++i) {
    double const e = add_up(divide_up(add_up(error[i], underflow), kept), underflow);
    bool const known = is_finite(sum[i]) && is_finite(e);
    y[i] = known ? interval(subtract_down(sum[i], e), add_up(sum[i], e)) : interval::whole();
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
