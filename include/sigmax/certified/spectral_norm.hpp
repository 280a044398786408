// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm between two proven ends.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/bound/enclosure.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cheap.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/lanczos.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `certified_spectral_norm`.
struct certified_options {
  /// Asked for: upper - lower <= relative_gap * norm.
  double relative_gap = 1e-7;
  /// Seed of the start vector of the estimate. It changes the ends, never their truth.
  std::uint64_t seed = 0;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

namespace detail {

/// lower <= ||X|| <= upper for a scaled matrix.
struct scaled_enclosure {
  double lower = 0;
  double upper = infinity;
};

/// <= ||X||_2, from any vector w of cols() elements: ||X|| >= ||X w|| / ||w||.
/// The computed y = fl(X w) is within gamma_{n+4} || |X| || ||w|| + m n eta of X w (Higham 3.5), `absolute` >= || |X| ||.
/// Requires |w_j| <= 1. Scratch: rows() doubles.
template <class B>
double rayleigh_down(B const& on, matrix_view_on<B, double> x, vector_view_on<B, double> w, double absolute,
                     workspace& memory) {
  workspace::frame frame(memory);
  auto const y = frame.template vector<double, typename B::space>(x.rows());
  on.times_vector(1.0, x, w, 0.0, y);
  auto const m = static_cast<double>(x.rows());
  auto const n = static_cast<double>(x.cols());
  double const squared_w = frobenius_squared_up(as_row(on_host(on, w, frame)));
  auto const image = on_host(on, y, frame);
  double sum = 0;
  for (index_t i = 0; i < image.size(); ++i) sum += image[i] * image[i];
  double const squared_y =
      divide_down(subtract_down(sum, multiply_up(m, double_underflow)), add_up(1.0, gamma_up(m + 2)));
  double const norm_w = sqrt_up(squared_w);
  if (!(norm_w > 0) || !is_finite(norm_w)) return 0;
  double const quotient = divide_down(sqrt_down(squared_y), norm_w);
  double const product_error = multiply_up(gamma_up(n + 4), absolute);
  double const underflow = divide_up(multiply_up(multiply_up(m, n), double_underflow), norm_w);
  double const lower = subtract_down(subtract_down(quotient, product_error), underflow);
  return lower > 0 ? lower : 0;
}

/// After a Cholesky factorisation of H failed at row k: w = X^T v for the v with v^T H v <= 0 that the failure exhibits,
/// v = (-L^-T l, 1, 0), where L is the finished part and l the finished row k. Since H is t I - S up to rounding,
/// ||X^T v|| >= sqrt(t) ||v|| nearly: the failed test itself finds a better lower end. w is scaled to max 1.
/// An estimate; `rayleigh_down` judges it.
template <class B>
void negative_curvature(B const& on, matrix_view_on<B, double> h, index_t k, matrix_view_on<B, double> x,
                        vector_view_on<B, double> w, workspace& memory) {
  workspace::frame frame(memory);
  auto const rest = frame.template matrix<double, typename B::space>(1, k);
  auto const target = as_row(w);
  on.combine(-1.0, h.block(k, 0, 1, k), 0.0, rest);
  on.combine(1.0, x.block(k, 0, 1, x.cols()), 0.0, target);
  if constexpr (prefers_products<B>()) {
    if (k > 0) {
      on.triangular_solve_transposed(h.block(0, 0, k, k), rest.transposed());
      on.times_vector(1.0, x.block(0, 0, k, x.cols()).transposed(), rest.row(0), 1.0, w);
    }
  } else {
    for (index_t i = k - 1; i >= 0; --i) {  // back substitution with L^T by rows of L, each v_i used as it is found
      double const v = rest(0, i) / h(i, i);
      on.combine(-v, h.block(i, 0, 1, i), 1.0, rest.block(0, 0, 1, i));
      on.combine(v, x.block(i, 0, 1, x.cols()), 1.0, target);
    }
  }
  double const largest = on.max_abs(target);
  if (largest > 0 && is_finite(largest)) return on.divide(largest, target);
  auto const ones = staging_for(on, w, frame);
  for (index_t j = 0; j < w.size(); ++j) ones[j] = 1.0;
  deliver(on, ones, w);
}

/// Encloses ||X||_2 of a scaled matrix that is not zero.
///
/// Lanczos proposes a vector, whose Rayleigh quotient is the lower end; a Cholesky test just above it is the upper end.
/// Where the test fails, the estimate was too low: the failure yields a vector with a quotient near the tested level,
/// which restarts Lanczos. Levels that keep failing are raised geometrically until one is proved, then the bracket is
/// bisected. Every number that is kept was proved by rayleigh_down, absolute_norm_squared_up or
/// proves_squared_norm_at_most.
template <class B>
scaled_enclosure enclose_scaled_norm(B const& on, matrix_view_on<B, double> x, certified_options const& options,
                                     workspace& memory) {
  workspace::frame frame(memory);
  double const gap = options.relative_gap;
  double const absolute_squared = absolute_norm_squared_up(on, x, memory);
  double const absolute = sqrt_up(absolute_squared);
  scaled_enclosure result{0, absolute};
  auto const gram = make_certified_gram(on, x, absolute_squared, frame);

  // Lanczos runs on S = X X^T, which is smaller than X, and on its squares: half the steps. The right singular vector
  // that belongs to its u is w = X^T u.
  auto const w = frame.template vector<double, typename B::space>(x.cols());
  auto const u = frame.template vector<double, typename B::space>(x.rows());
  auto const other = frame.template vector<double, typename B::space>(x.rows());
  auto const improve = [&](bool warm, index_t limit) __attribute__((noinline)) {
    double const before = warm ? rayleigh_down(on, x, w, absolute, memory) : 0;
    if (result.lower < before) result.lower = before;
    if (warm) on.times_vector(1.0, x, w, 0.0, u);
    lanczos_iteration<B, double>(on, gram.matrix,
                                 {.tolerance = gap / 4,
                                  .max_iterations = limit,
                                  .seed = options.seed,
                                  .warm_start = warm && on.max_abs(as_row(u)) > 0,
                                  .u = other,
                                  .v = u},
                                 memory);
    on.times_vector(1.0, x.transposed(), u, 0.0, w);
    make_unit(on, w);
    double const after = rayleigh_down(on, x, w, absolute, memory);
    if (result.lower < after) result.lower = after;
  };
  auto const done = [&] { return subtract_up(result.upper, result.lower) <= multiply_down(gap, result.lower); };

  improve(false, 0);
  if (done()) return result;
  auto const h = frame.template matrix<double, typename B::space>(x.rows(), x.rows());

  // `floor` is where the next test may look from: the lower end, or a level that failed without exhibiting a vector. Only
  // the search trusts it. Each test halves the bracket [floor, upper] at least once its first steps, which grow from the
  // gap by factors of four, have passed the norm; 200 tests are far more than that can need.
  double floor = result.lower;
  double step = 0.75 * gap;
  for (int test = 0; test < 200 && !done(); ++test) {
    floor = std::fmax(floor, result.lower);
    double const middle = std::sqrt(floor) * std::sqrt(result.upper);
    double const tested = std::fmin(floor * (1 + step), std::fmax(middle, floor * (1 + 0.75 * gap)));
    if (!(tested < result.upper) || !(result.upper > floor * (1 + gap / 8))) break;  // at the resolution of the proof
    index_t failed_at = 0;
    double const level = multiply_down(tested, tested);
    if (proves_squared_norm_at_most(on, gram, level, h, failed_at, memory)) {
      result.upper = sqrt_up(level);
      continue;
    }
    floor = tested;
    step = 4 * step;
    if (failed_at < 0) {
      // A diagonal entry reached the level before anything was factorised: that row of X is the witness.
      failed_at = 0;
      for (index_t i = 1; i < x.rows(); ++i) {
        if (gram.diagonal[failed_at] < gram.diagonal[i]) failed_at = i;
      }
      auto const row = x.block(failed_at, 0, 1, x.cols());
      on.combine(1.0, row, 0.0, as_row(w));
      on.divide(on.max_abs(row), as_row(w));
    } else {
      negative_curvature(on, h, failed_at, x, w, memory);
    }
    improve(true, 20);
  }
  return result;
}

inline void check_certified_options(char const* function, double relative_gap) {
  if (!(relative_gap > 0) || !(relative_gap < 1)) {
    raise<domain_error>({function, ": relative_gap is ", relative_gap, "; it must be above 0 and below 1"});
  }
}

}  // namespace detail

/// Proven enclosure of ||W||_2, rounding included: `lower() <= ||W||_2 <= upper()`.
///
/// W: m x n of float, double, bf16 or f16, any strides, any scale (its entries are taken as exact).
/// Both ends always hold. upper - lower <= max(relative_gap ||W||, 4 denorm_min) is met as long as relative_gap is well
/// above the resolution of the proof in double, about short^2 2^-53 + long 2^-53 || |W| ||^2 / ||W||^2 (1e-10 at
/// 1024 x 1024); below it the enclosure is as narrow as the resolution. Where ||W|| exceeds the largest double, upper
/// is +infinity. Where the arithmetic environment is unsound (rounding mode, flush-to-zero) the enclosure is
/// [0, +infinity].
/// Cost: a Gram matrix (short^2 long FLOPs), as a rule one Cholesky factorisation (short^3 / 3) and up to
/// 2 sqrt(short) + 60 Lanczos steps; clustered leading singular values cost some more factorisations.
/// Scratch: a copy of W in double, the Lanczos basis and 2 short^2 doubles.
/// @throws numeric_error if W is not finite, domain_error unless 0 < relative_gap < 1.
template <certifying_backend<double> B, provable_matrix_on<B> M>
enclosure<norm::spectral> certified_spectral_norm(B const& given, M const& w, certified_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  detail::check_certified_options("certified_spectral_norm", options.relative_gap);
  if (!arithmetic_environment_is_sound()) return detail::proof::between<norm::spectral>(0, infinity);
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  workspace::frame frame(memory.get());
  auto const x = detail::scaled_copy<B, value_t<M>>(on, const_view(w), "certified_spectral_norm", frame);
  if (x.is_zero) return detail::proof::between<norm::spectral>(0, 0);
  auto const scaled = detail::enclose_scaled_norm(on, x.elements, options, memory.get());
  // W = 2^exponent (X + F) with ||F|| <= flush, and ||X|| is between the ends proved by enclose_scaled_norm.
  return detail::proof::between<norm::spectral>(detail::unscaled_down(scaled.lower, x),
                                                detail::unscaled_up(scaled.upper, x));
}

/// The same on the default backend.
template <provable_matrix M, class B = default_backend<double>>
enclosure<norm::spectral> certified_spectral_norm(M const& w, certified_options const& options = {}) {
  return certified_spectral_norm(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
