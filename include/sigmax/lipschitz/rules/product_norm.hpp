// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm of a product of two stored matrices, without forming it.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// >= ||A B||_2 for A: p x r and B: r x q; never more than the product of their norms. Cost 2 r^2 (p + q) and the proof of
/// a norm of an r x q matrix: for products through a narrow r, as W_O W_V of one head.
///
/// Proof: let G = A^T A and L any r x r matrix. With D = L L^T - G, G = L L^T - D <= L L^T + ||D|| I, hence
///   ||A B||^2 = ||B^T G B|| <= ||L^T B||^2 + ||D||_F ||B||_F^2.
/// The computed D is off by gamma_(p+2) ||A||_F^2 + gamma_(r+2) ||L||_F^2 in the Frobenius norm and u in its own
/// subtraction, the computed L^T B by gamma_(r+2) ||L||_F ||B||_F (Higham, section 3.5), plus what underflows. L is the
/// Cholesky factor of the computed G as far as it exists; nothing rests on how good it is.
template <class = void>
double product_norm_up(weight const& a, weight const& b, rule_context const& context) {
  auto const p = static_cast<std::size_t>(a.rows());
  auto const r = static_cast<std::size_t>(a.cols());
  auto const q = static_cast<std::size_t>(b.cols());
  double const apart = multiply_up(prove_operator_norm<norm::l2_t>(a, context).value(),
                                   prove_operator_norm<norm::l2_t>(b, context).value());
  if (apart == 0 || !is_finite(apart) || b.rows() != a.cols()) return b.rows() == a.cols() ? apart : infinity;

  double squares_a = 0;
  double squares_b = 0;
  double squares_l = 0;
  double squares_d = 0;
  auto const square_up = [](double& sum, double x) { sum = add_up(sum, multiply_up(x, x)); };
  std::vector<double> gram(r * r, 0.0);
  std::vector<double> row(r);
  a.visit([&](auto const& w) {
    for (index_t i = 0; i < w.rows(); ++i) {
      for (std::size_t j = 0; j < r; ++j) {
        row[j] = static_cast<double>(w(i, static_cast<index_t>(j)));
        square_up(squares_a, row[j]);
      }
      for (std::size_t j = 0; j < r; ++j) {
        for (std::size_t l = 0; l <= j; ++l) gram[j * r + l] += row[j] * row[l];
      }
    }
  });
  std::vector<double> factor = gram;  // lower triangle
  for (std::size_t j = 0; j < r; ++j) {
    double pivot = factor[j * r + j];
    for (std::size_t l = 0; l < j; ++l) pivot -= factor[j * r + l] * factor[j * r + l];
    double const root = pivot > 0 ? std::sqrt(pivot) : 0.0;
    factor[j * r + j] = root;
    for (std::size_t i = j + 1; i < r; ++i) {
      double sum = factor[i * r + j];
      for (std::size_t l = 0; l < j; ++l) sum -= factor[i * r + l] * factor[j * r + l];
      factor[i * r + j] = root > 0 ? sum / root : 0.0;
    }
    for (std::size_t l = 0; l <= j; ++l) square_up(squares_l, factor[j * r + l]);
  }
  for (std::size_t i = 0; i < r; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l <= j; ++l) sum += factor[i * r + l] * factor[j * r + l];
      double const own = sum - gram[i * r + j];
      square_up(squares_d, own);
      if (i != j) square_up(squares_d, own);
    }
  }
  std::vector<double> reduced(r * q, 0.0);  // L^T B
  b.visit([&](auto const& w) {
    for (std::size_t l = 0; l < r; ++l) {
      for (std::size_t j = 0; j < q; ++j) {
        double const element = static_cast<double>(w(static_cast<index_t>(l), static_cast<index_t>(j)));
        square_up(squares_b, element);
        for (std::size_t i = 0; i <= l; ++i) reduced[i * q + j] += factor[l * r + i] * element;
      }
    }
  });
  auto const count = [](std::size_t n) { return static_cast<double>(n); };
  double const lost = multiply_up(multiply_up(count(r) * count(r + p + q), 4.0), double_underflow);
  double const difference =
      add_up(add_up(multiply_up(sqrt_up(squares_d), 1 + 0x1p-50), lost),
             add_up(multiply_up(gamma_up(count(p) + 2), squares_a), multiply_up(gamma_up(count(r) + 2), squares_l)));
  double const rounding =
      add_up(multiply_up(gamma_up(count(r) + 2), multiply_up(sqrt_up(squares_l), sqrt_up(squares_b))), lost);
  for (double const x : reduced) {
    if (!is_finite(x)) return apart;
  }
  matrix_view<double const> const view(reduced.data(), a.cols(), b.cols());
  double const main = add_up(certified_operator_norm<norm::l2_t>(view, context.relative_gap).value(), rounding);
  return min_up(apart, sqrt_up(add_up(multiply_up(main, main), multiply_up(difference, squares_b))));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
