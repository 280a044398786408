// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm of W_Q^T R_i^T R_j W_K over all positions i, j: what rotary embedding makes of W_Q^T W_K.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/gram_factor.hpp>
#include <sigmax/lipschitz/rules/rotary_embedding.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// Turns that depend on i - j alone, nearly: for each pair of elements p and offset o a complex number by which R_i^T R_j
/// multiplies that pair where i - j = o.
struct relative_turns {
  std::size_t pairs = 0;
  /// The offset of the first; the others follow.
  index_t first = 0;
  /// Real and imaginary parts, offset after offset; plain numbers.
  std::vector<double> real;
  std::vector<double> imaginary;
  /// >= the largest modulus of these numbers, and 1.
  double largest = 1;
  /// >= the modulus of what any R_i^T R_j differs by from the number of its offset.
  double error = 0;

  std::size_t offsets() const { return pairs == 0 ? 1 : real.size() / pairs; }
};

/// The turns of all i, j, of those with j <= i if `causal`. Cost: positions^2 pairs multiplications of complex numbers.
/// Proof of `error`: a product of two complex numbers of moduli <= s, formed by two products and a sum for each part, is
/// off by 2 gamma_2 s^2, and what underflows; the difference of two such products rounds once more.
template <class = void>
relative_turns relative_turns_of(rotary_embedding const& rotary, bool causal) {
  relative_turns result{.pairs = static_cast<std::size_t>(rotary.pairs()), .first = 0, .real = {}, .imaginary = {}};
  auto const n = static_cast<std::size_t>(rotary.positions());
  std::size_t const r = result.pairs;
  auto const product = [&](std::size_t i, std::size_t j, std::size_t p, double& re, double& im) {
    double const a = rotary.cosines()[i * r + p];
    double const b = rotary.sines()[i * r + p];
    double const c = rotary.cosines()[j * r + p];
    double const d = rotary.sines()[j * r + p];
    re = a * c + b * d;
    im = a * d - b * c;
  };
  result.first = causal ? 0 : 1 - static_cast<index_t>(n);
  for (index_t offset = result.first; offset < static_cast<index_t>(n); ++offset) {
    auto const i = static_cast<std::size_t>(offset > 0 ? offset : 0);
    auto const j = static_cast<std::size_t>(offset > 0 ? 0 : -offset);
    for (std::size_t p = 0; p < r; ++p) {
      double re = 0;
      double im = 0;
      product(i, j, p, re, im);
      result.real.push_back(re);
      result.imaginary.push_back(im);
      result.largest = max_up(result.largest, sqrt_up(add_up(multiply_up(re, re), multiply_up(im, im))));
    }
  }
  double farthest = 0;  // a square
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < (causal ? i + 1 : n); ++j) {
      auto const offset = static_cast<index_t>(i) - static_cast<index_t>(j);
      auto const at = static_cast<std::size_t>(offset - result.first) * r;
      for (std::size_t p = 0; p < r; ++p) {
        double re = 0;
        double im = 0;
        product(i, j, p, re, im);
        re -= result.real[at + p];
        im -= result.imaginary[at + p];
        double const square = re * re + im * im;
        farthest = square > farthest ? square : farthest;
      }
    }
  }
  double const s = rotary.euclidean_norm();
  double const rounding = add_up(multiply_up(gamma_up(20), multiply_up(s, s)), 0x1p-500);
  result.error = add_up(multiply_up(sqrt_up(farthest), 1 + 0x1p-50), rounding);
  return result;
}

/// >= ||W_Q^T R_i^T R_j W_K||_2 for all i and j (j <= i if `causal`), W_Q and W_K r x d, R_i the rotation of position i in
/// real arithmetic of the stored numbers; never more than the product of the norms. Cost: a proof of the norm of an r x r
/// matrix for each offset.
///
/// Proof: with M the rotation by the turns of an offset, elements that are kept being multiplied by 1, R_i^T R_j differs
/// from M by blocks of two elements of norm `error` at most. With the factors of G_Q = W_Q W_Q^T and G_K = W_K W_K^T,
///   ||W_Q^T M W_K||^2 = ||W_K^T M^T G_Q M W_K|| <= ||L_Q^T M W_K||^2 + difference_Q ||M||^2 ||W_K||_F^2,
///   ||L_Q^T M W_K||^2 = ||L_Q^T M G_K M^T L_Q|| <= ||L_Q^T M L_K||^2 + difference_K ||M||^2 ||L_Q||_F^2,
/// and the computed L_Q^T (M L_K) is off by gamma_(r+4) || |L_Q|^T |M| |L_K| ||_F (Higham, section 3.5), where
/// || |M| || <= sqrt(2) ||M||.
template <class = void>
double rotated_product_norm_up(weight const& query, weight const& key, rotary_embedding const& rotary, bool causal,
                               rule_context const& context) {
  double const stretch = rotary.euclidean_norm();
  double const apart =
      multiply_up(multiply_up(stretch, stretch), multiply_up(prove_operator_norm<norm::l2_t>(query, context).value(),
                                                             prove_operator_norm<norm::l2_t>(key, context).value()));
  auto const r = static_cast<std::size_t>(query.rows());
  bool const fits = key.rows() == query.rows() && query.rows() >= 2 * rotary.pairs();
  if (apart == 0 || !is_finite(apart) || !fits) return fits ? apart : infinity;

  struct products {
    relative_turns turns;
    gram_factor q;
    gram_factor k;
    rotary_embedding const* rotary;
    std::vector<double> turned;  // M L_K
  };
  products all{relative_turns_of(rotary, causal), gram_factor_of(query.transposed()), gram_factor_of(key.transposed()),
               &rotary, std::vector<double>(r * r)};
  auto const count = static_cast<double>(r);
  double const sizes = multiply_up(sqrt_up(all.q.squares), multiply_up(sqrt_up(all.k.squares), all.turns.largest));
  double const sizes_squared = multiply_up(2.0, multiply_up(sizes, sizes));
  matrix_family const family{
      .rows = query.rows(),
      .cols = query.rows(),
      .count = static_cast<index_t>(all.turns.offsets()),
      .all_real = true,
      .self = &all,
      .fill =
          [](void const* self, index_t offset, matrix_view<double> to, matrix_view<double>) {
            auto& p = *static_cast<products*>(const_cast<void*>(self));
            std::size_t const size = p.q.width;
            p.turned = p.k.lower;
            p.rotary->for_each_pair_of_row([&](std::size_t pair, std::size_t a, std::size_t b) {
              std::size_t const at = static_cast<std::size_t>(offset) * p.turns.pairs + pair;
              double const re = p.turns.real[at];
              double const im = p.turns.imaginary[at];
              for (std::size_t j = 0; j < size; ++j) {
                p.turned[a * size + j] = re * p.k(a, j) - im * p.k(b, j);
                p.turned[b * size + j] = im * p.k(a, j) + re * p.k(b, j);
              }
            });
            for (std::size_t i = 0; i < size; ++i) {
              for (std::size_t j = 0; j < size; ++j) to(static_cast<index_t>(i), static_cast<index_t>(j)) = 0;
              for (std::size_t l = i; l < size; ++l) {
                double const factor = p.q(l, i);
                double const* const row = p.turned.data() + l * size;
                double* const target = &to(static_cast<index_t>(i), 0);
                for (std::size_t j = 0; j < size; ++j)
                  target[static_cast<index_t>(j) * to.col_stride()] += factor * row[j];
              }
            }
            return false;
          },
      .magnitude_squared = multiply_up(sizes_squared, 1.001),
      .error = add_up(multiply_up(gamma_up(count + 4), sqrt_up(sizes_squared)), lost_to_underflow(count, 4 * count))};
  double const main = prove_largest_norm(family, context);
  double const stretched = multiply_up(all.turns.largest, all.turns.largest);
  double const lost = multiply_up(stretched, add_up(multiply_up(all.q.difference, all.k.squares_of_matrix),
                                                    multiply_up(all.k.difference, all.q.squares)));
  double const turned = sqrt_up(add_up(multiply_up(main, main), lost));
  // What the stored numbers differ by from turns of their offset.
  double const off =
      multiply_up(all.turns.error, multiply_up(sqrt_up(all.q.squares_of_matrix), sqrt_up(all.k.squares_of_matrix)));
  return min_up(apart, add_up(turned, off));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
