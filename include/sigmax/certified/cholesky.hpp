// SPDX-License-Identifier: MIT
/// @file
/// "Is the norm at most c?" answered by one Gram matrix and one Cholesky factorisation.
#pragma once

#include <cmath>
#include <cstdint>

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

/// What asking whether ||W||_2 <= c has found: 2^(-2 exponent) W W^T, short side first, where it was formed.
struct norm_test {
  bool proved = false;
  certified_gram gram;
  std::int64_t exponent = 0;
};

/// `prove_norm_at_most` for c >= 0 that is no NaN in a sound environment; the memory of the result is the frame's.
template <class B, class S>
norm_test test_norm(B const& on, matrix_view<S const> w, double c, workspace::frame& frame) {
  norm_test result;
  double const largest = largest_magnitude_of(on, w);
  if (!is_finite(largest)) return result;
  auto const x = scaled_copy(w, largest, frame);
  result.exponent = x.exponent;
  result.proved = x.is_zero || !is_finite(c);
  if (result.proved) return result;
  // ||W|| <= c follows from ||X|| <= 2^-exponent c - flush.
  double const scaled = subtract_down(scale_down(c, -x.exponent), x.flush);
  double const level = scaled > 0 ? multiply_down(scaled, scaled) : 0.0;
  if (!(level > 0)) return result;
  double const absolute_squared = absolute_norm_squared_up(on, x.elements, frame.owner());
  result.proved = absolute_squared <= level;
  if (result.proved) return result;
  result.gram = make_certified_gram(on, x.elements, absolute_squared, frame);
  // ||S|| >= ||S||_F^2 / tr S up to rounding: where that is above the level a factorisation can only fail.
  double trace = 0;
  for (index_t i = 0; i < x.elements.rows(); ++i) trace += result.gram.matrix(i, i);
  if (on.sum_squares(result.gram.matrix) > level * trace * (1 + 1e-6)) return result;
  auto const h = frame.template matrix<double>(x.elements.rows(), x.elements.rows());
  index_t failed_at = 0;
  result.proved = proves_squared_norm_at_most(on, result.gram, level, h, failed_at);
  return result;
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
  detail::scratch memory(options.scratch);
  workspace::frame frame(memory.get());
  return detail::test_norm(detail::with_scratch(given, memory.get()), const_view(w), c, frame).proved;
}

/// The same on the default backend.
template <provable_matrix M, class B = default_backend<double>>
bool prove_norm_at_most(M const& w, double c, prove_options const& options = {}) {
  return prove_norm_at_most(B{}, w, c, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
