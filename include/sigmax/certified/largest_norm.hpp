// SPDX-License-Identifier: MIT
/// @file
/// The largest spectral norm of a family of complex matrices, proven: what the norms of convolutions come down to.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/singular_estimate.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Complex matrices F_0, .., F_(count - 1) of one size, rows <= cols, made one at a time.
struct matrix_family {
  index_t rows = 0;
  index_t cols = 0;
  index_t count = 0;
  /// All of them are real: takes a quarter of the memory.
  bool all_real = false;
  void const* self = nullptr;
  /// Writes F_k into two matrices; false if F_k is real, and then the second is not looked at.
  bool (*fill)(void const* self, index_t k, matrix_view<double> real, matrix_view<double> imaginary) = nullptr;
  /// >= || |F_k as computed| ||_2^2 for every k, the matrix of magnitudes; at most 2^500.
  double magnitude_squared = infinity;
  /// >= ||F_k - (F_k as computed)||_2 for every k.
  double error = infinity;
};

namespace detail {

/// The Gram matrix of one complex matrix as a real symmetric one: [[Re, -Im], [Im, Re]] of order 2 n, or Re alone.
template <class B>
class complex_gram {
 public:
  complex_gram(B const& on, matrix_family const& family, workspace::frame& frame)
      : on_(on),
        n_(family.rows),
        m_(family.cols),
        parts_(frame.matrix<double>(n_, family.all_real ? m_ : 2 * m_)),
        product_(frame.matrix<double>(family.all_real ? 0 : n_, n_)),
        gram_(frame.matrix<double>(largest_order(family), largest_order(family))) {
    // F F^H = (R R^T + I I^T) + i (I R^T - R I^T). With B = |R| + |I| <= sqrt(2) |F|, every entry of both parts
    // together is off by at most gamma_(2 m + 8) (B B^T)_ij (Higham 3.5; the difference I R^T - (I R^T)^T rounds once
    // more) and a few eta a product; |||E||| bounds ||E||, and the embedding has the norm of what it embeds.
    error_ =
        add_up(multiply_up(gamma_up(2 * static_cast<double>(m_) + 8), multiply_up(2.001, family.magnitude_squared)),
               multiply_up(8 * static_cast<double>(n_) * static_cast<double>(m_), double_underflow));
  }

  static index_t largest_order(matrix_family const& family) { return family.all_real ? family.rows : 2 * family.rows; }

  /// False if the matrix is zero, and then there is no result.
  bool form(matrix_family const& family, index_t k) {
    auto const real = parts_.block(0, 0, n_, m_);
    auto const imaginary = family.all_real ? real : parts_.block(0, m_, n_, m_);
    bool const is_complex = family.fill(family.self, k, real, imaginary);
    order_ = is_complex ? 2 * n_ : n_;
    if (on_.max_abs(real) == 0 && (!is_complex || on_.max_abs(imaginary) == 0)) return false;
    auto const re = gram_.block(0, 0, n_, n_);
    if (!is_complex) {
      on_.gram(1.0, real, 0.0, re, re);
      return true;
    }
    on_.gram(1.0, parts_, 0.0, re, re);
    on_.multiply(1.0, imaginary, real.transposed(), 0.0, product_, product_);
    for (index_t i = 0; i < n_; ++i) {
      for (index_t j = 0; j < n_; ++j) {
        double const im = product_(i, j) - product_(j, i);
        gram_(n_ + i, j) = im;
        gram_(i, n_ + j) = -im;
        gram_(n_ + i, n_ + j) = re(i, j);
      }
    }
    return true;
  }

  certified_gram<> result() const {
    auto const matrix = gram_.block(0, 0, order_, order_);
    return {matrix, matrix.diagonal(), error_};
  }

  /// >= ||F_k as computed||_2^2, from Frobenius and from row sums of the Gram matrix.
  double cheap_bound() const {
    double squares = 0;
    double largest = 0;
    for (index_t i = 0; i < n_; ++i) {
      double sum = 0;
      for (index_t j = 0; j < order_; ++j) {
        double const x = std::fabs(gram_(i, j));
        sum += x;
        squares += x * x;
      }
      if (!(sum <= largest)) largest = sum;
    }
    auto const terms = static_cast<double>(n_) * static_cast<double>(order_);
    double const frobenius = sqrt_up(exact_sum_up(add_up(squares, multiply_up(terms, double_underflow)), terms + 2));
    return add_up(min_up(frobenius, exact_sum_up(largest, static_cast<double>(order_))), error_);
  }

 private:
  B const& on_;
  index_t n_;
  index_t m_;
  index_t order_ = 0;
  double error_;
  matrix_view<double> parts_;
  matrix_view<double> product_;
  matrix_view<double> gram_;
};

/// >= the largest ||F_k||_2 of the family, within about `relative_gap` of it where rounding allows.
///
/// One level t holds for all matrices seen so far. The next one is tested against it by cheap bounds of its Gram
/// matrix, then by a Cholesky factorisation (proves_squared_norm_at_most); where that fails, Lanczos proposes a larger
/// level, which a factorisation proves. The order jumps about, so that the level rises about log(count) times.
/// Cost for each matrix: 4 n^2 m + 8/3 n^3 FLOPs. Scratch: 2 n m + 9 n^2 doubles and the Lanczos basis.
template <class B>
double largest_norm_up(B const& given, matrix_family const& family, double relative_gap, workspace& memory) {
  if (family.count <= 0 || family.rows <= 0) return 0;
  if (!arithmetic_environment_is_sound() || !(family.magnitude_squared <= 0x1p500)) return infinity;
  auto const on = detail::with_scratch(given, memory);
  workspace::frame frame(memory);
  complex_gram<B> gram(on, family, frame);
  index_t const largest_order = complex_gram<B>::largest_order(family);
  auto const factor = frame.template matrix<double>(largest_order, largest_order);
  auto const u = frame.template vector<double>(largest_order);
  auto const v = frame.template vector<double>(largest_order);
  index_t jump = static_cast<index_t>(0.6180339887 * static_cast<double>(family.count)) | 1;
  auto const common_divisor = [](index_t a, index_t b) {
    while (b != 0) {
      index_t const rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  };
  while (common_divisor(jump, family.count) != 1) jump += 2;

  double level = 0;
  for (index_t step = 0, k = 0; step < family.count; ++step, k = (k + jump) % family.count) {
    if (!gram.form(family, k)) continue;
    double const cheap = gram.cheap_bound();
    if (cheap <= level) continue;
    if (family.rows == 1 || !is_finite(cheap)) {
      level = max_up(level, cheap);  // of one row the Frobenius norm is the norm
      continue;
    }
    auto const tested = gram.result();
    index_t const order = tested.matrix.rows();
    auto const h = factor.block(0, 0, order, order);
    index_t failed_at = 0;
    if (level > 0 && proves_squared_norm_at_most(on, tested, level, h, failed_at, memory)) continue;
    auto const estimate = lanczos_iteration<B, double>(
        on, tested.matrix, {.tolerance = relative_gap / 4, .u = u.segment(0, order), .v = v.segment(0, order)}, memory);
    double const least = std::fmax(static_cast<double>(estimate.sigma), level);
    double raised = cheap;
    for (double more = 1.5 * relative_gap; more < 1; more *= 4) {
      double const candidate = add_up(multiply_up(least, 1 + more), multiply_up(2.0, tested.error));
      if (!(candidate < cheap)) break;
      if (proves_squared_norm_at_most(on, tested, candidate, h, failed_at, memory)) {
        raised = candidate;
        break;
      }
    }
    level = max_up(level, raised);
  }
  // ||F|| <= ||F as computed|| + error, and the level bounds the square of the first for every member.
  return add_up(sqrt_up(level), family.error);
}

/// True only if ||F_k||_2 <= c for every member of the family. Searches for nothing: of each member cheap bounds, and where
/// they do not suffice one Cholesky factorisation. False says nothing, as that of `prove_norm_at_most`.
/// Cost and scratch: as largest_norm_up, without Lanczos.
template <class B>
bool proves_largest_norm_at_most(B const& given, matrix_family const& family, double c, workspace& memory) {
  if (is_nan(c) || c < 0 || !arithmetic_environment_is_sound()) return false;
  if (family.count <= 0 || family.rows <= 0) return true;
  if (!(family.magnitude_squared <= 0x1p500)) return false;
  // ||F|| <= c follows from ||F as computed|| <= c - error.
  double const computed = subtract_down(c, family.error);
  if (!(computed >= 0)) return false;
  double const level = multiply_down(computed, computed);
  auto const on = detail::with_scratch(given, memory);
  workspace::frame frame(memory);
  complex_gram<B> gram(on, family, frame);
  index_t const largest_order = complex_gram<B>::largest_order(family);
  auto const factor = frame.template matrix<double>(largest_order, largest_order);
  for (index_t k = 0; k < family.count; ++k) {
    if (!gram.form(family, k)) continue;
    double const cheap = gram.cheap_bound();
    if (cheap <= level) continue;
    if (!(level > 0) || family.rows == 1 || !is_finite(cheap)) return false;
    auto const tested = gram.result();
    index_t const order = tested.matrix.rows();
    index_t failed_at = 0;
    auto const h = factor.block(0, 0, order, order);
    if (!proves_squared_norm_at_most(on, tested, level, h, failed_at, memory)) return false;
  }
  return true;
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
