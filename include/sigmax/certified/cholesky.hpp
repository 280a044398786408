// SPDX-License-Identifier: MIT
/// @file
/// "Is the norm at most c?" answered by one Gram matrix and one Cholesky factorisation.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// A Gram matrix S = fl(X X^T) (lower triangle), its diagonal where the host reads it, and a bound of how far it is from
/// X X^T.
template <class Space = host_space>
struct certified_gram {
  matrix_view<double, Space> matrix;
  vector_view<double const> diagonal;
  double error = infinity;
};

/// `absolute_squared` >= || |X| ||_2^2, as absolute_norm_squared_up finds it.
template <class B>
certified_gram<typename B::space> make_certified_gram(B const& on, matrix_view_on<B, double> x, double absolute_squared,
                                                      workspace::frame& frame) {
  certified_gram<typename B::space> result;
  result.matrix = frame.template matrix<double, typename B::space>(x.rows(), x.rows());
  on.gram(1.0, x, 0.0, x, result.matrix);
  result.diagonal = on_host(on, result.matrix.diagonal(), frame);
  result.error = product_error_up(x, absolute_squared);
  return result;
}

/// The part of H = (t - margin) I - S, rounded downwards on the diagonal and exact elsewhere, that a factorisation reads.
/// False if a diagonal entry is not positive.
template <class B>
bool shift_gram(B const& on, certified_gram<typename B::space> const& gram, double t, double margin,
                matrix_view_on<B, double> h, workspace::frame& frame) {
  if constexpr (!works_on_host<B>) on.combine(-1.0, gram.matrix, 0.0, h);
  auto const diagonal = staging_for(on, h.diagonal(), frame);
  for (index_t i = 0; i < h.rows(); ++i) {
    if constexpr (works_on_host<B>) {
      on.combine(-1.0, as_row(gram.matrix.row(i).segment(0, i)), 0.0, as_row(h.row(i).segment(0, i)));
    }
    diagonal[i] = subtract_down(subtract_down(t, gram.diagonal[i]), margin);
    if (!(diagonal[i] > 0)) return false;
  }
  deliver(on, diagonal, h.diagonal());
  return true;
}

/// A factor with a NaN in it proves nothing, whatever the factorisation reported. On devices what is above the diagonal, -S
/// that the factorisation has left there, is looked at too.
template <class B>
bool is_finite_factor(B const& on, matrix_view_on<B, double> h, workspace::frame& frame) {
  if constexpr (!works_on_host<B>) {
    if (!is_finite(on.max_abs(h))) return false;
  }
  auto const diagonal = on_host(on, h.diagonal(), frame);
  for (index_t i = 0; i < h.rows(); ++i) {
    if constexpr (works_on_host<B>) {
      if (!is_finite(on.max_abs(as_row(h.row(i).segment(0, i + 1))))) return false;
    }
    if (!(diagonal[i] > 0)) return false;
  }
  return true;
}

/// >= ||H - L L^T||_2 for the L in the lower triangle of `factor`, whoever made it; `h` holds H and is overwritten, and so is
/// what is above the diagonal of `factor`. +infinity where something is not finite.
///
/// Proof. D = fl(H - L L^T) is off by at most gamma_{n+8} (|L||L|^T + |H|) + 2 n eta, entry by entry (Higham 3.5, any order
/// of summation, FMA or not; +8 for the scalar factors and the sum with H). || |L||L|^T ||_2 <= ||L||_F^2, || |H| ||_2 <=
/// ||H||_F, and a matrix of entries 2 n eta has norm 2 n^2 eta.
template <class B>
double factorisation_residual_up(B const& on, matrix_view_on<B, double> factor, matrix_view_on<B, double> h) {
  auto const n = static_cast<double>(h.rows());
  on.clear_above_diagonal(factor);
  double const size = add_up(sum_of_squares_up(on, factor), sqrt_up(sum_of_squares_up(on, h)));
  on.gram(-1.0, factor, 1.0, h, h);
  double const rounding = multiply_up(gamma_up(n + 8), size);
  double const underflow = multiply_up(2 * n * n, double_underflow);
  return add_up(sqrt_up(sum_of_squares_up(on, h)), add_up(rounding, underflow));
}

/// True only if ||X||_2^2 <= level, proven. `h` (n x n) holds the factor, or after a failure at row k what
/// backend::cholesky leaves; `failed_at` is then k, and n after a success, and -1 if nothing was factorised.
///
/// Proof. With t <= level - e, e >= ||S - X X^T||, and H = (t - c) I - S rounded downwards on the diagonal (exact
/// elsewhere), a Cholesky factorisation by substitutions that runs to completion in floating point gives R^T R = H + D
/// with |d_ij| <= g sqrt(h_ii h_jj), g = gamma_{n+8} / (1 - gamma_{n+8}) (Higham, Theorem 10.3, whose gamma_{n+1} is widened
/// for a reciprocal in place of a division and for any order of summation), hence ||D|| <= g tr H, plus underflow
/// (Rump, "Verification of positive definiteness", BIT 46, 2006, Theorem 2.3). If c >= g tr H + underflow then
/// t I - S >= H + c I >= H + D >= 0 in the Loewner order, so ||S|| <= t and ||X||^2 <= t + e <= level.
///
/// A factorisation of which less is known (`standard_cholesky` of its backend is false: inverted diagonal blocks, say) is
/// judged by what it found: c >= ||H - L L^T|| by `factorisation_residual_up` gives H + c I >= L L^T >= 0, and so the same.
/// c is then four times as large, since that bound has about three such terms. Costs a product of order n, and n^2 doubles.
template <class B>
bool proves_squared_norm_at_most(B const& on, certified_gram<typename B::space> const& gram, double level,
                                 matrix_view_on<B, double> h, index_t& failed_at, workspace& memory) {
  constexpr bool is_standard = has_standard_cholesky<B>();
  index_t const order = h.rows();
  auto const n = static_cast<double>(order);
  failed_at = -1;
  double const t = subtract_down(level, gram.error);
  if (!(t > 0) || !is_finite(t)) return false;
  double trace = 0;
  double largest = 0;
  for (index_t i = 0; i < order; ++i) {
    double const gap = subtract_down(t, gram.diagonal[i]);
    if (!(gap > 0)) return false;
    trace = add_up(trace, gap);
    largest = max_up(largest, gap);
  }
  double const g = gamma_up(n + 8);
  double const rounding = multiply_up(divide_up(g, subtract_down(1.0, g)), trace);
  double const underflow = multiply_up(multiply_up(6 * n, add_up(n + 1, largest)), double_underflow);
  double const margin = multiply_up(is_standard ? 1.0 : 4.0, add_up(rounding, underflow));
  workspace::frame frame(memory);
  if (!shift_gram(on, gram, t, margin, h, frame)) return false;
  if constexpr (is_standard) {
    failed_at = on.cholesky(h);
    return failed_at == order && is_finite_factor(on, h, frame);
  } else {
    auto const original = frame.template matrix<double, typename B::space>(order, order);
    on.combine(1.0, h, 0.0, original);
    failed_at = on.cholesky(h);
    return failed_at == order && factorisation_residual_up(on, h, original) <= margin;
  }
}

/// What asking whether ||W||_2 <= c has found: 2^(-2 exponent) W W^T, short side first, where it was formed.
template <class Space = host_space>
struct norm_test {
  bool proved = false;
  certified_gram<Space> gram;
  std::int64_t exponent = 0;
};

/// `prove_norm_at_most` for c >= 0 that is no NaN in a sound environment; the memory of the result is the frame's.
template <class B, class S>
norm_test<typename B::space> test_norm(B const& on, matrix_view_on<B, S const> w, double c, workspace::frame& frame) {
  norm_test<typename B::space> result;
  double const largest = largest_magnitude_of<B, S>(on, w);
  if (!is_finite(largest)) return result;
  auto const x = scaled_copy<B, S>(on, w, largest, frame);
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
  for (index_t i = 0; i < x.elements.rows(); ++i) trace += result.gram.diagonal[i];
  if (on.sum_squares(result.gram.matrix) > level * trace * (1 + 1e-6)) return result;
  auto const h = frame.template matrix<double, typename B::space>(x.elements.rows(), x.elements.rows());
  index_t failed_at = 0;
  result.proved = proves_squared_norm_at_most(on, result.gram, level, h, failed_at, frame.owner());
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
/// or the Schur norm is below c already. Scratch: a copy of W in double and 2 short^2 doubles. On a device, whose
/// factorisation is checked by one more product, 3 short^2.
template <certifying_backend<double> B, provable_matrix_on<B> M>
bool prove_norm_at_most(B const& given, M const& w, double c, prove_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  if (is_nan(c) || c < 0 || !arithmetic_environment_is_sound()) return false;
  detail::scratch memory(options.scratch);
  workspace::frame frame(memory.get());
  return detail::test_norm<B, value_t<M>>(detail::with_scratch(given, memory.get()), const_view(w), c, frame).proved;
}

/// The same on the default backend.
template <provable_matrix M, class B = default_backend<double>>
bool prove_norm_at_most(M const& w, double c, prove_options const& options = {}) {
  return prove_norm_at_most(B{}, w, c, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
