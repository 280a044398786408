// SPDX-License-Identifier: MIT
/// @file
/// A narrow matrix replaced by a square one with nearly the same Gram matrix, and how nearly.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// L, r x r and lower triangular, for A: p x r. For every B of r rows
///   ||A B||^2 = ||B^T A^T A B|| <= ||L^T B||^2 + difference ||B||^2.
/// Nothing rests on how good L is: `difference` is what is proven of it.
struct gram_factor {
  std::size_t rows = 0;  // p
  std::size_t width = 0;
  /// Row-major.
  std::vector<double> lower;
  /// >= ||L L^T - A^T A||_F.
  double difference = infinity;
  /// >= ||L||_F^2 and ||A||_F^2.
  double squares = infinity;
  double squares_of_matrix = infinity;

  double operator()(std::size_t i, std::size_t j) const { return lower[i * width + j]; }
};

/// >= what underflows in sums of at most `terms` products for each of r^2 elements, a few times over.
inline double lost_to_underflow(double r, double terms) {
  return multiply_up(multiply_up(r * terms, 4.0), double_underflow);
}

/// The Cholesky factor of the computed G = A^T A as far as it exists. Cost 2 p r^2 + r^3 multiply-adds.
///
/// Proof of `difference`: the computed D = L L^T - G is off by gamma_(p+2) ||A||_F^2 + gamma_(r+2) ||L||_F^2 in the
/// Frobenius norm and u in its own subtraction (Higham, section 3.5), plus what underflows.
template <class = void>
gram_factor gram_factor_of(weight const& a) {
  auto const r = static_cast<std::size_t>(a.cols());
  gram_factor result{
      .rows = static_cast<std::size_t>(a.rows()), .width = r, .lower = {}, .squares = 0, .squares_of_matrix = 0};
  auto const square_up = [](double& sum, double x) { sum = add_up(sum, multiply_up(x, x)); };
  std::vector<double> gram(r * r, 0.0);
  std::vector<double> row(r);
  a.visit([&](auto const& w) {
    for (index_t i = 0; i < w.rows(); ++i) {
      for (std::size_t j = 0; j < r; ++j) {
        row[j] = static_cast<double>(w(i, static_cast<index_t>(j)));
        square_up(result.squares_of_matrix, row[j]);
      }
      for (std::size_t j = 0; j < r; ++j) {
        for (std::size_t l = 0; l <= j; ++l) gram[j * r + l] += row[j] * row[l];
      }
    }
  });
  result.lower.assign(r * r, 0.0);
  auto& factor = result.lower;
  for (std::size_t j = 0; j < r; ++j) {
    double pivot = gram[j * r + j];
    for (std::size_t l = 0; l < j; ++l) pivot -= factor[j * r + l] * factor[j * r + l];
    // A pivot that may be nothing but rounding would make a column of rounding, magnified.
    double const noise = 8 * static_cast<double>(r + result.rows) * double_roundoff * gram[j * r + j];
    double const root = pivot > noise ? std::sqrt(pivot) : 0.0;
    factor[j * r + j] = root;
    for (std::size_t i = j + 1; i < r; ++i) {
      double sum = gram[i * r + j];
      for (std::size_t l = 0; l < j; ++l) sum -= factor[i * r + l] * factor[j * r + l];
      factor[i * r + j] = root > 0 ? sum / root : 0.0;
    }
    for (std::size_t l = 0; l <= j; ++l) square_up(result.squares, factor[j * r + l]);
  }
  double squares_of_difference = 0;
  for (std::size_t i = 0; i < r; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l <= j; ++l) sum += factor[i * r + l] * factor[j * r + l];
      double const own = sum - gram[i * r + j];
      square_up(squares_of_difference, own);
      if (i != j) square_up(squares_of_difference, own);
    }
  }
  auto const count = [](std::size_t n) { return static_cast<double>(n); };
  result.difference = add_up(add_up(multiply_up(sqrt_up(squares_of_difference), 1 + 0x1p-50),
                                    lost_to_underflow(count(r), count(r + result.rows))),
                             add_up(multiply_up(gamma_up(count(result.rows) + 2), result.squares_of_matrix),
                                    multiply_up(gamma_up(count(r) + 2), result.squares)));
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
