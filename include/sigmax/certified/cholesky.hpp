// SPDX-License-Identifier: MIT
/// @file
/// "Is the norm at most c?" answered by one Gram matrix and one Cholesky factorisation.
#pragma once

#include <cmath>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// A Gram matrix S = fl(X X^T) (lower triangle) and a bound of how far it is from X X^T.
struct certified_gram {
  matrix_view<double> matrix;
  double error = infinity;
};

/// `absolute_squared` >= || |X| ||_2^2, as absolute_norm_squared_up finds it.
template <class B>
certified_gram make_certified_gram(B const& on, matrix_view<double> x, double absolute_squared,
                                   workspace::frame& frame) {
  certified_gram result;
  result.matrix = frame.template matrix<double>(x.rows(), x.rows());
  on.gram(1.0, x, 0.0, x, result.matrix);
  result.error = product_error_up(x, absolute_squared);
  return result;
}

/// True only if ||X||_2^2 <= level, proven. `h` (n x n) holds the factor, or after a failure at row k what
/// backend::cholesky leaves; `failed_at` is then k, and n after a success, and -1 if nothing was factorised.
///
/// Proof. With t <= level - e, e >= ||S - X X^T||, and H = (t - c) I - S rounded downwards on the diagonal (exact
/// elsewhere), a Cholesky factorisation that runs to completion in floating point gives R^T R = H + D with
/// |d_ij| <= g sqrt(h_ii h_jj), g = gamma_{n+8} / (1 - gamma_{n+8}) (Higham, Theorem 10.3, whose gamma_{n+1} is widened
/// for a reciprocal in place of a division and for any order of summation), hence ||D|| <= g tr H, plus underflow
/// (Rump, "Verification of positive definiteness", BIT 46, 2006, Theorem 2.3). If c >= g tr H + underflow then
/// t I - S >= H + c I >= H + D >= 0 in the Loewner order, so ||S|| <= t and ||X||^2 <= t + e <= level.
template <class B>
bool proves_squared_norm_at_most(B const& on, certified_gram const& gram, double level, matrix_view<double> h,
                                 index_t& failed_at) {
  index_t const order = h.rows();
  auto const n = static_cast<double>(order);
  failed_at = -1;
  double const t = subtract_down(level, gram.error);
  if (!(t > 0) || !is_finite(t)) return false;
  double trace = 0;
  double largest = 0;
  for (index_t i = 0; i < order; ++i) {
    double const gap = subtract_down(t, gram.matrix(i, i));
    if (!(gap > 0)) return false;
    trace = add_up(trace, gap);
    largest = max_up(largest, gap);
  }
  double const g = gamma_up(n + 8);
  double const rounding = multiply_up(divide_up(g, subtract_down(1.0, g)), trace);
  double const underflow = multiply_up(multiply_up(6 * n, add_up(n + 1, largest)), double_underflow);
  double const margin = add_up(rounding, underflow);
  for (index_t i = 0; i < order; ++i) {
    on.combine(-1.0, as_row(gram.matrix.row(i).segment(0, i)), 0.0, as_row(h.row(i).segment(0, i)));
    h(i, i) = subtract_down(subtract_down(t, gram.matrix(i, i)), margin);
    if (!(h(i, i) > 0)) return false;
  }
  failed_at = on.cholesky(h);
  if (failed_at != order) return false;
  // A factor with a NaN in it proves nothing, whatever the factorisation reported.
  for (index_t i = 0; i < order; ++i) {
    if (!is_finite(on.max_abs(as_row(h.row(i).segment(0, i + 1)))) || !(h(i, i) > 0)) return false;
  }
  return true;
}

}  // namespace detail

/// Options of `prove_norm_at_most`.
struct prove_options {
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// True only if ||W||_2 <= c, proven, rounding included. False says nothing: the norm may be larger than c or too close
/// to it (a relative n^2 2^-53 or so for n = min(m, n)), W may not be finite, or the arithmetic environment unsound.
///
/// W: m x n, any strides, any scale. c: the bound to prove; NaN and negative numbers are never proved.
/// Cost: one Gram matrix, short^2 long FLOPs, and one Cholesky factorisation, short^3 / 3; O(m n) where the Frobenius
/// or the Schur norm is below c already. Scratch: a copy of W in double and 2 short^2 doubles.
template <certifying_backend<double> B, provable_matrix M>
bool prove_norm_at_most(B const& given, M const& w, double c, prove_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  if (is_nan(c) || c < 0 || !arithmetic_environment_is_sound()) return false;
  auto const elements = const_view(w);
  double const largest = detail::largest_magnitude_of(given, elements);
  if (!is_finite(largest)) return false;
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  workspace::frame frame(memory.get());
  auto const x = detail::scaled_copy(elements, largest, frame);
  if (x.is_zero) return true;
  if (!is_finite(c)) return true;
  // ||W|| <= c follows from ||X|| <= 2^-exponent c - flush.
  double const scaled = subtract_down(scale_down(c, -x.exponent), x.flush);
  double const level = scaled > 0 ? multiply_down(scaled, scaled) : 0.0;
  if (!(level > 0)) return false;
  double const absolute_squared = detail::absolute_norm_squared_up(on, x.elements, memory.get());
  if (absolute_squared <= level) return true;
  auto const gram = detail::make_certified_gram(on, x.elements, absolute_squared, frame);
  auto const h = frame.template matrix<double>(x.elements.rows(), x.elements.rows());
  index_t failed_at = 0;
  return detail::proves_squared_norm_at_most(on, gram, level, h, failed_at);
}

/// The same on the default backend.
template <provable_matrix M, class B = default_backend<double>>
bool prove_norm_at_most(M const& w, double c, prove_options const& options = {}) {
  return prove_norm_at_most(B{}, w, c, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
