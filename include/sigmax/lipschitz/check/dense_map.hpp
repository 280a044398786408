// SPDX-License-Identifier: MIT
/// @file
/// A linear map as a matrix of doubles with a proven bound of how far it is from the map it stands for.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// x -> A x for an A with ||A - elements||_2 <= error and every row sum of |A - elements| at most row_error. Elements are
/// finite where the errors are.
struct dense_map {
  matrix<double> elements{};
  double error = 0;
  double row_error = 0;

  index_t rows() const { return elements.rows(); }
  index_t cols() const { return elements.cols(); }
  bool is_known() const { return is_finite(error) && is_finite(row_error); }
};

/// A bound of each of || |A| ||_2 and the largest row sum of a stored matrix, +infinity if an element is not finite.
struct absolute_norms {
  double spectral = infinity;
  double row_sum = infinity;
};

/// Cost: a few sweeps over `a`.
template <class B>
absolute_norms absolute_norms_up(B const& on, matrix_view<double const> a) {
  if (a.empty()) return {0, 0};
  double const largest = on.max_abs(a);
  if (!is_finite(largest)) return {};
  workspace memory;
  workspace::frame frame(memory);
  auto const x = sigmax::detail::scaled_copy(a, largest, frame);
  if (x.is_zero) return {0, 0};
  // Proof: A = 2^exponent (X + F), ||F|| <= flush; every entry of F is at most flush too, so || |F| || <= cols flush, and
  // scaled_copy leaves flush at 0 unless entries were lost.
  double const flush = multiply_up(static_cast<double>(x.elements.cols()), x.flush);
  double const inner = add_up(sqrt_up(sigmax::detail::absolute_norm_squared_up(on, x.elements, memory)), flush);
  return {scale_up(inner, x.exponent), sigmax::detail::largest_row_sum_up(a)};
}

/// >= the operator norm of the map in l2 or in linf; +infinity where nothing is known.
/// Cost: one certified spectral norm, or one sweep.
template <norm_tag N, class B>
double norm_up(B const& on, dense_map const& a, double relative_gap) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(B);
  if (!a.is_known() || !is_finite(on.max_abs(a.elements.view()))) return infinity;
  if (a.elements.empty()) return 0;
  // Proof: ||A|| <= ||elements|| + ||A - elements||.
  if constexpr (std::same_as<N, norm::linf_t>) {
    return add_up(sigmax::detail::largest_row_sum_up(a.elements.view()), a.row_error);
  } else {
    double const known = certified_spectral_norm(on, a.elements, {.relative_gap = relative_gap}).upper();
    return add_up(known, a.error);
  }
}

/// The errors of `result`, which holds fl(A B) for the stored matrices of two maps, as one of A o B.
///
/// Proof: every entry of the computed product is within gamma_{k+4} (|A||B|)_ij + k eta of the exact one (Higham 3.5);
/// || |A||B| || <= || |A| || || |B| || in both norms, and a matrix of entries k eta has norms below rows cols k eta.
/// For the maps, (A + E)(B + F) = A B + E B + A F + E F.
template <class B>
void account_product(B const& on, dense_map const& outer, dense_map const& inner, dense_map& result) {
  result.error = result.row_error = infinity;
  if (!outer.is_known() || !inner.is_known()) return;
  if (!is_finite(on.max_abs(result.elements.view()))) return;
  auto const a = absolute_norms_up(on, outer.elements.view());
  auto const b = absolute_norms_up(on, inner.elements.view());
  auto const k = static_cast<double>(outer.cols());
  double const gamma = gamma_up(k + 4);
  double const underflow =
      multiply_up(multiply_up(multiply_up(static_cast<double>(outer.rows()), static_cast<double>(inner.cols())), k),
                  2 * double_underflow);
  auto const account = [&](double norm_a, double error_a, double norm_b, double error_b) {
    double const rounding = add_up(multiply_up(gamma, multiply_up(norm_a, norm_b)), underflow);
    double const outer_error = multiply_up(error_a, add_up(norm_b, error_b));
    return add_up(rounding, add_up(outer_error, multiply_up(norm_a, error_b)));
  };
  result.error = account(a.spectral, outer.error, b.spectral, inner.error);
  result.row_error = account(a.row_sum, outer.row_error, b.row_sum, inner.row_error);
}

/// A o B. Cost: one product of matrices and a few sweeps.
template <class B>
dense_map composed(B const& on, dense_map const& outer, dense_map const& inner) {
  dense_map result{matrix<double>(outer.rows(), inner.cols())};
  if (!outer.elements.empty() && !inner.elements.empty()) {
    on.multiply(1.0, outer.elements.view(), inner.elements.view(), 0.0, result.elements.view(), result.elements.view());
  }
  account_product(on, outer, inner, result);
  return result;
}

/// A + B. Proof of the error: each sum is off by u |sum| at the most, at most u / (1 - u) of the exact one's computed
/// value; a sum never underflows.
template <class B>
void add_to(B const& on, dense_map const& a, dense_map& total) {
  for (index_t i = 0; i < a.elements.size(); ++i) total.elements.data()[i] += a.elements.data()[i];
  auto const sizes = absolute_norms_up(on, total.elements.view());
  total.error = add_up(add_up(total.error, a.error), multiply_up(2 * double_roundoff, sizes.spectral));
  total.row_error = add_up(add_up(total.row_error, a.row_error), multiply_up(2 * double_roundoff, sizes.row_sum));
}

/// diag(factors) A, where factor i is known to lie in an interval of `factors`: the stored matrix holds the products with
/// the middles.
/// Proof: |f a - fl(m a)| <= (|f - m| + u |m|) |a| + eta; the largest |f - m| + 2 u |m| multiplies || |A| ||.
template <class B>
dense_map with_scaled_rows(B const& on, std::span<interval const> factors, dense_map const& a) {
  dense_map result{a.elements, infinity, infinity};
  double spread = 0;
  double largest = 0;
  for (index_t i = 0; i < a.rows(); ++i) {
    interval const f = factors[static_cast<std::size_t>(i)];
    double const m = f.middle();
    if (!f.is_bounded()) return result;
    bool const exact = f.is_point() && (m == 0 || std::fabs(m) == 1);
    double const off = max_up(subtract_up(f.upper, m), subtract_up(m, f.lower));
    if (!exact) spread = max_up(spread, add_up(off, multiply_up(2 * double_roundoff, std::fabs(m))));
    largest = max_up(largest, f.magnitude());
    for (index_t j = 0; j < a.cols(); ++j) result.elements(i, j) *= m;
  }
  auto const sizes = absolute_norms_up(on, a.elements.view());
  double const underflow = multiply_up(multiply_up(static_cast<double>(a.rows()), static_cast<double>(a.cols())),
                                       spread > 0 ? double_underflow : 0.0);
  if (!is_finite(on.max_abs(result.elements.view()))) return result;
  auto const account = [&](double norm_a, double error_a) {
    return add_up(add_up(multiply_up(spread, norm_a), multiply_up(largest, error_a)), underflow);
  };
  result.error = account(sizes.spectral, a.error);
  result.row_error = account(sizes.row_sum, a.row_error);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
