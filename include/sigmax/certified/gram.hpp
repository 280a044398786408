// SPDX-License-Identifier: MIT
/// @file
/// Gram iteration with every rounding error accounted for: an upper bound of the spectral norm from matrix products
/// alone, with no estimate and no factorisation.
#pragma once

#include <cmath>
#include <vector>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `gram_bound`.
struct gram_bound_options {
  /// Squarings after the first product W W^T.
  int squarings = 4;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

namespace detail {

/// >= || fl(Y Y^T) - Y Y^T ||_2 for Y: n x inner with |y_ij| <= 1. Entrywise the difference is at most
/// gamma_{inner+4} |Y||Y|^T + inner eta (Higham 3.5, any order of summation, FMA or not; +4 for the scalar factor), and
/// |||Y||Y|^T||_2 = || |Y| ||_2^2 while a matrix of entries inner eta has norm n inner eta. `absolute_squared` >= that.
template <class Space>
double product_error_up(matrix_view<double, Space> y, double absolute_squared) {
  auto const n = static_cast<double>(y.rows());
  auto const inner = static_cast<double>(y.cols());
  return add_up(multiply_up(gamma_up(inner + 4), absolute_squared),
                multiply_up(multiply_up(n, inner), 2 * double_underflow));
}

/// >= ||X||_F^2 for |x_ij| <= 1, by the backend's sum in any order (see frobenius_squared_up).
template <class B>
double sum_of_squares_up(B const& on, matrix_view_on<B, double> x) {
  auto const terms = static_cast<double>(x.rows()) * static_cast<double>(x.cols());
  return exact_sum_up(add_up(on.sum_squares(x), multiply_up(terms, double_underflow)), terms + 2);
}

/// >= ||H||_2 of a stored symmetric matrix with |h_ij| <= 1: the lesser of Frobenius and the largest row sum (which
/// bounds the spectral radius).
template <class B>
double symmetric_norm_up([[maybe_unused]] B const& on, matrix_view_on<B, double> h,
                         [[maybe_unused]] workspace& memory) {
  if constexpr (works_on_host<B>) {
    return min_up(sqrt_up(frobenius_squared_up(h)), largest_row_sum_up(h));
  } else {
    workspace::frame frame(memory);
    auto const sums = frame.vector<double, typename B::space>(h.rows());
    on.row_abs_sums(h, sums);
    double const row_sum = exact_sum_up(on.max_abs(as_row(sums)), static_cast<double>(h.cols()));
    return min_up(sqrt_up(sum_of_squares_up(on, h)), row_sum);
  }
}

}  // namespace detail

/// Proven upper bound of ||W||_2 by Gram iteration. With G_0 = W (short side first) and H_k = G_k G_k^T / s_k,
/// G_{k+1} = H_k, s_k an exact power of two,
///
///     ||G_k||^2 <= (||H_k|| + e_k) s_k,        e_k >= ||fl(G_k G_k^T) - G_k G_k^T|| / s_k + scaling error,
///
/// and ||H_K|| <= min(||.||_F, ||.||_inf) ends the chain. Every prefix is a bound; the least is returned.
/// Overestimate with K squarings at most n^(1 / 2^(K+2)): 24 % at n = 1024, K = 3, typically 1 % at K = 4; it falls to
/// rounding level at K = 10.
/// Cost: m^2 n + K m^3 FLOPs for m = min(W.rows(), W.cols()), halves where the backend uses the symmetry. Scratch: a
/// copy of W and 2 m^2 doubles.
/// @throws numeric_error if W is not finite, domain_error if squarings < 0. +infinity where the environment is unsound.
/// Source: Delattre et al., "Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration" (2023),
/// who give no rounding terms; those are derived above.
template <certifying_backend<double> B, provable_matrix_on<B> M>
upper_bound<norm::spectral> gram_bound(B const& given, M const& w, gram_bound_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  if (options.squarings < 0) {
    detail::raise<domain_error>({"gram_bound: squarings is ", options.squarings, "; it must be >= 0"});
  }
  if (!arithmetic_environment_is_sound()) return detail::proof::upper<norm::spectral>(infinity);
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  workspace::frame frame(memory.get());
  auto const x = detail::scaled_copy<B, value_t<M>>(on, const_view(w), "gram_bound", frame);
  if (x.is_zero) return detail::proof::upper<norm::spectral>(0.0);

  struct step {
    double error;
    std::int64_t exponent;
  };
  auto const steps = frame.template vector<step>(options.squarings + 1);
  index_t const n = x.elements.rows();
  auto g = x.elements;
  auto h = frame.template matrix<double, typename B::space>(n, n);
  auto other = frame.template matrix<double, typename B::space>(n, n);
  double best = sqrt_up(detail::absolute_norm_squared_up(on, g, memory.get()));

  for (index_t k = 0; k <= options.squarings; ++k) {
    double const error = detail::product_error_up(g, detail::absolute_norm_squared_up(on, g, memory.get()));
    on.gram(1.0, g, 0.0, g, h);
    double const largest = on.max_abs(h);
    if (!(largest > 0) || !is_finite(largest)) break;  // the prefixes stand
    int exponent = 0;
    std::frexp(largest, &exponent);
    // Exact where scaled up; where scaled down an entry loses at most eta, n eta in norm.
    on.combine(std::ldexp(1.0, -exponent), h, 0.0, h);
    steps[k] = {add_up(scale_up(error, -exponent), multiply_up(static_cast<double>(n), double_underflow)), exponent};
    double bound = detail::symmetric_norm_up(on, h, memory.get());
    for (index_t j = k; j >= 0; --j) bound = sqrt_up(scale_up(add_up(bound, steps[j].error), steps[j].exponent));
    best = min_up(best, bound);
    g = h;
    std::swap(h, other);
  }
  // ||W|| <= 2^exponent (||X|| + flush) with ||X|| <= best by the chain above.
  return detail::proof::upper<norm::spectral>(detail::unscaled_up(best, x));
}

/// The same on the default backend.
template <provable_matrix M, class B = default_backend<double>>
upper_bound<norm::spectral> gram_bound(M const& w, gram_bound_options const& options = {}) {
  return gram_bound(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
