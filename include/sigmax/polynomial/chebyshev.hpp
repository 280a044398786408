// SPDX-License-Identifier: MIT
/// @file
/// General spectral functions as one odd polynomial of high degree, in Chebyshev's basis.
///
/// f on the singular values [0, u] with f(0) = 0 becomes p(x) = x g(y), y = x^2 in [0, u^2], and
/// g = sum_k c_k T_k(s), s = 2 y / u^2 - 1: degree 2q + 1 for k <= q. Lifted to a matrix, p(X) = g(X X^T) X.
#pragma once

#include <cmath>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

template <class = void>
void check_chebyshev(char const* function, double upper, index_t terms) {
  if (!(upper > 0 && upper <= 1e150)) {
    raise<domain_error>({function, ": upper is ", upper, "; it must lie in (0, 1e150]"});
  }
  if (terms < 1) raise<shape_error>({function, ": there are no coefficients; at least 1 is needed"});
}

}  // namespace detail

/// Writes c_0, ..., c_q to `coefficients` (q + 1 of them): g interpolates f(x) / x in the q + 1 points
/// x_j = upper cos(theta_j / 2), theta_j = pi (j + 1/2) / (q + 1), which are Chebyshev's in y; 0 is not among them.
///
/// f: callable with doubles in (0, upper]; extended by f(-x) = -f(x) it should be smooth. Not proved: the error, which
/// falls like rho^-q for analytic f/x and like 1/q^m with m derivatives; `chebyshev_error` measures it.
/// Cost: q + 1 calls of f, (q + 1)^2 cosines; no memory.
/// @throws domain_error for upper not in (0, 1e150], shape_error without coefficients, numeric_error where f is not
/// finite.
template <class F>
void chebyshev_fit(F const& f, double upper, vector_view<double> coefficients) {
  index_t const n = coefficients.size();
  detail::check_chebyshev("chebyshev_fit", upper, n);
  double const pi = 3.141592653589793;
  for (index_t k = 0; k < n; ++k) coefficients[k] = 0;
  for (index_t j = 0; j < n; ++j) {
    double const theta = pi * (static_cast<double>(j) + 0.5) / static_cast<double>(n);
    double const x = upper * std::cos(theta / 2);
    double const ratio = static_cast<double>(f(x)) / x;
    if (!(std::fabs(ratio) <= 1.7976931348623157e308)) {
      detail::raise<numeric_error>({"chebyshev_fit: f(", x, ") / ", x, " is ", ratio, "; it must be finite"});
    }
    for (index_t k = 0; k < n; ++k) {
      coefficients[k] += (k == 0 ? 1 : 2) * ratio / static_cast<double>(n) * std::cos(static_cast<double>(k) * theta);
    }
  }
}

/// p(x) = x sum_k c_k T_k(2 x^2 / upper^2 - 1), |x| <= upper, by Clenshaw's recurrence.
constexpr double chebyshev_value(vector_view<double const> coefficients, double upper, double x) {
  double const s = 2 * (x / upper) * (x / upper) - 1;
  double next = 0;
  double after = 0;
  for (index_t k = coefficients.size() - 1; k > 0; --k) {
    double const current = coefficients[k] + 2 * s * next - after;
    after = next;
    next = current;
  }
  return coefficients.empty() ? 0.0 : x * (coefficients[0] + s * next - after);
}

/// An estimate of max |f(x) - p(x)| on [0, upper], from below: the largest of 32 points between any two of the fit, and
/// x = 0, where p(0) = 0 stands for f. @throws as chebyshev_fit.
template <class F>
double chebyshev_error(F const& f, double upper, vector_view<double const> coefficients) {
  detail::check_chebyshev("chebyshev_error", upper, coefficients.size());
  index_t const points = 32 * coefficients.size();
  double largest = 0;
  for (index_t i = 0; i < points; ++i) {
    double const x = upper * std::cos(1.5707963267948966 * static_cast<double>(i) / static_cast<double>(points));
    double const error = std::fabs(static_cast<double>(f(x)) - chebyshev_value(coefficients, upper, x));
    if (!(error <= 1.7976931348623157e308)) {
      detail::raise<numeric_error>({"chebyshev_error: at ", x, " the error is ", error, "; it must be finite"});
    }
    largest = error > largest ? error : largest;
  }
  return largest;
}

/// The block size s that makes s - 1 + floor(q / s), the matrix products `chebyshev_blocks` is for, least.
constexpr index_t chebyshev_block_size(index_t q) {
  index_t best = 1;
  for (index_t s = 2; s * s <= 4 * (q + 1); ++s) {
    if (s - 1 + q / s < best - 1 + q / best) best = s;
  }
  return best;
}

/// Paterson and Stockmeyer's splitting in Chebyshev's basis. From c_0, ..., c_q and a block size s = blocks.cols():
///
///     sum_k c_k T_k = sum_j T_j(T_s) B_j,   B_j = sum_{i < s} blocks(j, i) T_i,   j = 0, ..., floor(q / s).
///
/// By T_j(T_s) = T_{js} and T_{js+i} = 2 T_i T_{js} - T_{js-i}, from the highest term down. With T_2, ..., T_s at hand
/// Clenshaw's recurrence in T_s needs one product a block: s - 1 + floor(q / s) in all, about 2 sqrt(q).
/// The coefficients grow by at most a factor 2 (q/s + 1): nothing of the accuracy is lost.
/// @throws shape_error unless blocks is (floor(q / s) + 1) x s.
constexpr void chebyshev_blocks(vector_view<double const> coefficients, matrix_view<double> blocks) {
  index_t const n = coefficients.size();
  index_t const s = blocks.cols();
  if (n < 1 || s < 1 || blocks.rows() != (n - 1) / s + 1) {
    detail::raise<shape_error>({"chebyshev_blocks: blocks is ", blocks.rows(), " x ", s, " for ", n,
                                " coefficients; it must have s >= 1 columns and floor((n - 1) / s) + 1 rows"});
  }
  for (index_t k = 0; k < blocks.rows() * s; ++k) blocks(k / s, k % s) = k < n ? coefficients[k] : 0.0;
  for (index_t k = n - 1; k > s; --k) {
    index_t const i = k % s;
    if (i == 0) continue;
    index_t const mirrored = k - 2 * i;
    blocks(mirrored / s, mirrored % s) -= blocks(k / s, i);
    blocks(k / s, i) *= 2;
  }
}

/// p(x) from the blocks, in the order in which a matrix function is evaluated: the scalar model of that algorithm.
constexpr double chebyshev_blocks_value(matrix_view<double const> blocks, double upper, double x) {
  index_t const s = blocks.cols();
  double const first = 2 * (x / upper) * (x / upper) - 1;
  double t_s = first;  // T_s; for s = 1 T_1
  double before = 1;
  for (index_t i = 2; i <= s; ++i) {
    double const next_t = 2 * first * t_s - before;
    before = t_s;
    t_s = next_t;
  }
  double next = 0;
  double after = 0;
  for (index_t j = blocks.rows() - 1; j >= 0; --j) {
    double block = blocks(j, 0);
    double t = first;
    double t_before = 1;
    for (index_t i = 1; i < s; ++i) {
      block += blocks(j, i) * t;
      double const t_next = 2 * first * t - t_before;
      t_before = t;
      t = t_next;
    }
    double const current = block + (j > 0 ? 2 : 1) * t_s * next - after;
    after = next;
    next = current;
  }
  return x * next;
}

}  // namespace sigmax::inline SIGMAX_ABI
