// SPDX-License-Identifier: MIT
/// @file
/// Any function of the singular values, through one polynomial of high degree.
#pragma once

#include <cmath>
#include <limits>
#include <utility>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/chebyshev.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/domain.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `spectral_function`.
struct spectral_function_options {
  /// The polynomial is fitted on [0, upper], and ||W||_2 <= upper is verified; 0: a bound of ||W||_2 is taken.
  double upper = 0;
  /// Degree of the odd polynomial; 0: doubled from 15 until the estimated error is within the tolerance.
  int degree = 0;
  /// For degree 0: accepted max |f - p| on [0, upper], relative to max |f| there, as `chebyshev_error` estimates it.
  double tolerance = 1e-10;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// What `spectral_function` fitted.
struct spectral_function_result {
  int degree = 0;
  /// Estimate of max |f - p| on [0, upper], the largest of a batch.
  double error = 0;
};

namespace detail {

/// Coefficients of f on [0, upper] in `coefficients` as the options ask, at most all of them. @return the result, and
/// the number of coefficients used in `terms`.
template <class F>
spectral_function_result fit_spectral_function(F const& f, double upper, spectral_function_options const& options,
                                               vector_view<double> coefficients, index_t& terms) {
  // On [0, 1], where squares neither overflow nor underflow; f(x) / x, which is what is fitted, does not change.
  auto const on_unit = [&](double x) { return static_cast<double>(f(upper * x)) / upper; };
  double largest = 0;
  for (int i = 1; i <= 64; ++i) largest = std::fmax(largest, std::fabs(static_cast<double>(f(upper * (i / 64.0)))));
  for (terms = options.degree > 0 ? (options.degree + 1) / 2 : 8;; terms *= 2) {
    auto const fitted = coefficients.segment(0, terms);
    chebyshev_fit(on_unit, 1, fitted);
    double const error = upper * chebyshev_error(on_unit, 1, fitted);
    if (options.degree > 0 || error <= options.tolerance * largest) {
      return {static_cast<int>(2 * terms - 1), error};
    }
    if (2 * terms > coefficients.size()) {
      raise<domain_error>({"spectral_function: with degree ", 2 * terms - 1, " the error on [0, ", upper, "] is still ",
                           error, "; f must be smooth and f(0) = 0, or tolerance larger"});
    }
  }
}

/// X <- g(R) X with g = sum_k c_k T_k(2 R / upper^2 - I), b.r = X X^T on entry. About 2 sqrt(terms) symmetric products
/// and 2 a units; scratch (s + 3) m^2 for blocks of s.
template <class B, real T>
void apply_chebyshev(B const& on, vector_view<double const> coefficients, T upper, gram_buffers_on<B, T>& b,
                     matrix_view_on<B, T>& x, matrix_view_on<B, T>& y, workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = x.rows();
  index_t const terms = coefficients.size();
  index_t const s = chebyshev_block_size(terms - 1);
  auto const blocks = frame.template matrix<double>((terms - 1) / s + 1, s);
  chebyshev_blocks(coefficients, blocks);
  // powers holds T_1, ..., T_s below one another.
  auto const powers = frame.template matrix<T, typename B::space>(s * m, m);
  auto const t = [&](index_t i) { return powers.block((i - 1) * m, 0, m, m); };
  on.combine(T(T(2) / (upper * upper)), b.r, T(0), t(1));
  on.add_to_diagonal(T(-1), t(1));
  for (index_t i = 2; i <= s; ++i) {
    if (i == 2) {
      on.symmetric_product(T(2), t(1), t(1), T(0), t(1), t(2));
      on.add_to_diagonal(T(-1), t(2));
    } else {
      on.symmetric_product(T(2), t(1), t(i - 1), T(-1), t(i - 2), t(i));
    }
  }
  // Clenshaw's recurrence in T_s over the blocks: current = B_j + 2 T_s next - after.
  auto current = b.q;
  auto next = b.next;
  auto after = b.product;
  for (index_t j = blocks.rows() - 1; j >= 0; --j) {
    bool const first = j == blocks.rows() - 1;
    bool const second = j == blocks.rows() - 2;
    if (first) {
      on.combine(T(0), b.r, T(0), current);
    } else {
      on.symmetric_product(T(j > 0 ? 2 : 1), t(s), next, T(second ? 0 : -1), after, current);
    }
    on.add_to_diagonal(T(blocks(j, 0)), current);
    for (index_t i = 1; i < s; ++i) on.combine(T(blocks(j, i)), t(i), T(1), current);
    std::swap(after, next);
    std::swap(next, current);
  }
  on.multiply(T(1), next, x, T(0), x, y);
  std::swap(x, y);
}

}  // namespace detail

/// W = U S V^T -> U p(S) V^T for the odd polynomial p that interpolates f in Chebyshev's points of [0, upper].
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. f: double -> double on
/// (0, upper] with f(0) = 0, smooth where it is extended by f(-x) = -f(x); it sees the singular values of W as they
/// are. Computed in double for float and 16-bit storage and rounded once. A zero matrix stays zero.
/// Guarantee: none proved; the estimated error of the fit is returned.
/// Cost: 3 a + 2 sqrt(degree / 2) units of m^3 FLOPs, m the short side, a = long / m, and calls of f. Scratch:
/// 2 m n + (8 + sqrt(degree / 2)) m^2 scalars.
/// @throws domain_error for options out of range, if ||W||_2 > upper, or if f is not resolved by degree 2047;
/// numeric_error if an element of W or a value of f is not finite. W is untouched then, in a batch from the matrix at
/// fault on.
/// Source: Higham, Functions of Matrices, 4.2 (Paterson, Stockmeyer), in Chebyshev's basis; polynomials.md 3.3.
template <class B, writable_on<B> A, class F>
spectral_function_result spectral_function(B const& given, A&& w, F const& f,
                                           spectral_function_options const& options = {}) {
  using T = detail::cap_scalar<compute_t<detail::argument_value_t<A>>>;
  if (!(options.upper >= 0) || !(options.upper <= std::numeric_limits<double>::max()) || options.degree < 0 ||
      options.degree > 2047 || !(options.tolerance > 0)) {
    detail::raise<domain_error>({"spectral_function: upper is ", options.upper, ", degree ", options.degree,
                                 ", tolerance ", options.tolerance,
                                 "; they must be finite and at least 0, in [0, 2047] and above 0"});
  }
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  spectral_function_result worst;
  detail::for_each_matrix(on, w, "spectral_function", [&](auto elements, auto largest) {
    detail::working_set_on<B, T> set(on, elements, largest, memory.get());
    on.gram(T(1), set.x, T(0), set.x, set.gram.r);
    auto const bounds = detail::bound_norm_freely(on, set.x, true, set.gram);
    T upper = T(bounds.upper * detail::rounding_margin(set.x));
    if (options.upper > 0) {
      upper = set.scaled(options.upper);
      detail::require_norm_at_most(on, "spectral_function", set.x, upper, options.upper, bounds, set.gram);
    }
    auto const coefficients = set.frame.template vector<double>(1024);
    index_t terms = 0;
    double const upper_of_w = options.upper > 0 ? options.upper : std::ldexp(static_cast<double>(upper), set.exponent);
    auto const fitted = detail::fit_spectral_function(f, upper_of_w, options, coefficients, terms);
    detail::apply_chebyshev(on, vector_view<double const>(coefficients.segment(0, terms)), upper, set.gram, set.x,
                            set.y, memory.get());
    detail::store(on, set.x, T(1), set.exponent, elements, "spectral_function");
    if (fitted.degree > worst.degree) worst.degree = fitted.degree;
    if (fitted.error > worst.error) worst.error = fitted.error;
  });
  return worst;
}

/// The same on the default backend.
template <writable_argument A, class F, class B = default_backend<detail::argument_value_t<A>>>
spectral_function_result spectral_function(A&& w, F const& f, spectral_function_options const& options = {}) {
  return spectral_function(B{}, w, f, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
