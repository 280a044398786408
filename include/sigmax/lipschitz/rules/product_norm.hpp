// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm of a product of two stored matrices, without forming it.
#pragma once

#include <cstddef>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/gram_factor.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// >= ||A B||_2 for A: p x r and B: r x q; never more than the product of their norms. Cost 2 r^2 (p + q) and the proof of
/// a norm of an r x q matrix: for products through a narrow r, as W_O W_V of one head.
///
/// Proof: with the L of gram_factor, ||A B||^2 <= ||L^T B||^2 + ||L L^T - A^T A||_F ||B||_F^2. The computed L^T B is off by
/// gamma_(r+2) ||L||_F ||B||_F in the Frobenius norm (Higham, section 3.5), plus what underflows.
template <class = void>
double product_norm_up(weight const& a, weight const& b, rule_context const& context) {
  auto const r = static_cast<std::size_t>(a.cols());
  auto const q = static_cast<std::size_t>(b.cols());
  double const apart = multiply_up(prove_operator_norm<norm::l2_t>(a, context).value(),
                                   prove_operator_norm<norm::l2_t>(b, context).value());
  if (apart == 0 || !is_finite(apart) || b.rows() != a.cols()) return b.rows() == a.cols() ? apart : infinity;

  auto const factor = gram_factor_of(a);
  double squares_b = 0;
  std::vector<double> reduced(r * q, 0.0);  // L^T B
  b.visit([&](auto const& w) {
    for (std::size_t l = 0; l < r; ++l) {
      for (std::size_t j = 0; j < q; ++j) {
        double const element = static_cast<double>(w(static_cast<index_t>(l), static_cast<index_t>(j)));
        squares_b = add_up(squares_b, multiply_up(element, element));
        for (std::size_t i = 0; i <= l; ++i) reduced[i * q + j] += factor(l, i) * element;
      }
    }
  });
  auto const count = [](std::size_t n) { return static_cast<double>(n); };
  double const rounding =
      add_up(multiply_up(gamma_up(count(r) + 2), multiply_up(sqrt_up(factor.squares), sqrt_up(squares_b))),
             lost_to_underflow(count(r), count(r + q)));
  for (double const x : reduced) {
    if (!is_finite(x)) return apart;
  }
  matrix_view<double const> const view(reduced.data(), a.cols(), b.cols());
  double const main = add_up(certified_operator_norm<norm::l2_t>(view, context.relative_gap).value(), rounding);
  return min_up(apart, sqrt_up(add_up(multiply_up(main, main), multiply_up(factor.difference, squares_b))));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
