// SPDX-License-Identifier: MIT
/// @file
/// Proven bounds of the spectral norm in O(mn): Frobenius, Schur, Collatz. They finish small proofs and bound the
/// rounding errors of large ones.
#pragma once

#include <cmath>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/certified/scaled_matrix.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// Sums of n doubles >= 0 in any order: the exact sum is at most fl(sum) / (1 - gamma_n), and sums do not underflow.
inline double exact_sum_up(double computed, double terms) {
  return divide_up(computed, subtract_down(1.0, gamma_up(terms)));
}

/// The sum of term(j) for j < count, in eight interleaved sums: one chain of additions would wait for each of them.
template <class F>
[[gnu::always_inline]] inline double interleaved_sum(index_t count, F const& term) {
  double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  index_t j = 0;
  for (; j + 8 <= count; j += 8) {
    a += term(j);
    b += term(j + 1);
    c += term(j + 2);
    d += term(j + 3);
    e += term(j + 4);
    f += term(j + 5);
    g += term(j + 6);
    h += term(j + 7);
  }
  for (; j < count; ++j) a += term(j);
  return ((a + b) + (c + d)) + ((e + f) + (g + h));
}

/// >= ||X||_F^2 for |x_ij| <= 1. N squares and N - 1 additions; each square that underflows adds at most eta.
template <class T>
double frobenius_squared_up(matrix_view<T> x) {
  double sum = 0;
  for (index_t i = 0; i < x.rows(); ++i) {
    auto const row = x.row(i);
    sum += interleaved_sum(row.size(), [&](index_t j) {
      auto const value = static_cast<double>(row[j]);
      return value * value;
    });
  }
  auto const terms = static_cast<double>(x.rows()) * static_cast<double>(x.cols());
  return exact_sum_up(add_up(sum, multiply_up(terms, double_underflow)), terms + 2);
}

/// sum_j |x_j|
template <class T>
[[gnu::noinline]] double sum_of_magnitudes(vector_view<T> x) {
  return interleaved_sum(x.size(), [&](index_t j) { return std::fabs(static_cast<double>(x[j])); });
}

/// sums = |X|^T p
template <class T>
[[gnu::noinline]] void sum_magnitudes_of_columns(matrix_view<T> x, vector_view<double const> p,
                                                 vector_view<double> sums) {
  for (index_t j = 0; j < x.cols(); ++j) sums[j] = 0;
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) sums[j] += p[i] * std::fabs(static_cast<double>(x(i, j)));
  }
}

/// >= ||X||_inf = largest sum of |x_ij| over a row.
template <class T>
double largest_row_sum_up(matrix_view<T> x) {
  double largest = 0;
  for (index_t i = 0; i < x.rows(); ++i) {
    double const sum = sum_of_magnitudes(x.row(i));
    if (!(sum <= largest)) largest = sum;  // NaN gets through and becomes +infinity below
  }
  return exact_sum_up(largest, static_cast<double>(x.cols()));
}

/// >= ||X||_1 = largest sum of |x_ij| over a column; `sums` is scratch of cols() doubles.
template <class T>
double largest_column_sum_up(matrix_view<T> x, vector_view<double> sums) {
  double const one = 1;
  sum_magnitudes_of_columns(x, vector_view<double const>::unchecked(&one, x.rows(), 0), sums);
  double largest = 0;
  for (index_t j = 0; j < x.cols(); ++j) {
    if (!(sums[j] <= largest)) largest = sums[j];
  }
  return exact_sum_up(largest, static_cast<double>(x.rows()));
}

/// >= || |X| ||_2^2 for |x_ij| <= 1, by Collatz and Wielandt: rho(B) <= max_i (B p)_i / p_i for every p > 0 and every
/// non-negative B; here B = |X| |X|^T, which is m x m with m = rows(). (Horn and Johnson, Matrix Analysis, 8.1.26.)
/// The computed (B p)_i misses at most gamma_{m+n+2} of the exact one and n (m + 1) eta <= 4 m (n + 1) eta of underflow
/// (p_i <= 1, m <= n); p_i >= 2^-52 throughout, so no quotient is 0/0.
template <class T>
[[gnu::noinline]] double collatz_squared_up(matrix_view<T> x, vector_view<double> p, vector_view<double> z,
                                            vector_view<double> y, int iterations = 2) {
  auto const m = static_cast<double>(x.rows());
  auto const n = static_cast<double>(x.cols());
  double const underflow = multiply_up(multiply_up(m, n + 1), 4 * double_underflow);
  double best = infinity;
  for (index_t i = 0; i < x.rows(); ++i) p[i] = 1;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    sum_magnitudes_of_columns(x, p, z);
    double ratio = 0;
    double largest = 0;
    for (index_t i = 0; i < x.rows(); ++i) {
      auto const row = x.row(i);
      double const sum =
          interleaved_sum(row.size(), [&](index_t j) { return std::fabs(static_cast<double>(row[j])) * z[j]; });
      y[i] = sum;
      if (largest < sum) largest = sum;
      double const exact = divide_up(add_up(sum, underflow), subtract_down(1.0, gamma_up(m + n + 2)));
      ratio = max_up(ratio, divide_up(exact, p[i]));
    }
    best = min_up(best, ratio);
    if (!(largest > 0)) break;
    for (index_t i = 0; i < x.rows(); ++i) {
      double const relative = y[i] / largest;
      p[i] = relative > 0x1p-52 ? relative : 0x1p-52;
    }
  }
  return best;
}

/// >= || |X| ||_2^2 >= ||X||_2^2 for |x_ij| <= 1: the least of the bounds of Frobenius, Schur and Collatz. It bounds what
/// rounding can do to a product: || |X| |X|^T ||_2 = || |X| ||_2^2. Collatz, who takes five sweeps over X, is asked only
/// where Schur may be far off: where it exceeds twice || |X|^T e ||^2 / m <= || |X| ||_2^2 for e of ones; never on devices.
/// Scratch: 2 rows + cols doubles.
template <class B>
[[gnu::noinline]] double absolute_norm_squared_up(B const& on, matrix_view_on<B, double> x, workspace& memory) {
  workspace::frame frame(memory);
  auto const p = frame.vector<double, typename B::space>(x.rows());
  auto const y = frame.vector<double, typename B::space>(x.rows());
  auto const z = frame.vector<double, typename B::space>(x.cols());
  on.row_abs_sums(x, p);
  on.row_abs_sums(x.transposed(), z);
  auto const m = static_cast<double>(x.rows());
  auto const n = static_cast<double>(x.cols());
  double const rows = exact_sum_up(on.max_abs(as_row(p)), n);
  double const cols = exact_sum_up(on.max_abs(as_row(z)), m);
  double const squares = add_up(on.sum_squares(x), multiply_up(multiply_up(m, n), double_underflow));
  double const cheap = min_up(exact_sum_up(squares, multiply_up(m, n) + 2), multiply_up(rows, cols));
  if constexpr (works_on_host<B>) {
    if (!(cheap <= 2 * on.sum_squares(as_row(z)) / m)) return min_up(cheap, collatz_squared_up(x, p, z, y));
  }
  return cheap;
}

/// Runs `squared_bound` on the scaled matrix and returns its root in the scale of W.
template <class M, class F>
upper_bound<norm::spectral> cheap_bound(M const& w, char const* function, workspace* given, F const& squared_bound) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  if (!arithmetic_environment_is_sound()) return proof::upper<norm::spectral>(infinity);
  scratch memory(given);
  workspace::frame frame(memory.get());
  auto const x = scaled_copy<default_backend<double>, value_t<M>>({}, const_view(w), function, frame);
  if (x.is_zero) return proof::upper<norm::spectral>(0.0);
  // ||W|| <= 2^exponent (||X|| + flush), and squared_bound proves ||X||^2 <= its result.
  return proof::upper<norm::spectral>(unscaled_up(sqrt_up(squared_bound(x.elements, memory.get())), x));
}

}  // namespace detail

/// ||W||_2 <= ||W||_F, proven. Exact for rank one, sqrt(min(m, n)) too large for an orthogonal matrix.
/// Cost: 2 m n FLOPs; a copy of W in double. @throws numeric_error if W is not finite.
/// +infinity where the arithmetic environment is unsound.
template <provable_matrix M>
upper_bound<norm::spectral> frobenius_bound(M const& w, workspace* memory = nullptr) {
  return detail::cheap_bound(w, "frobenius_bound", memory,
                             [](matrix_view<double> x, workspace&) { return detail::frobenius_squared_up(x); });
}

/// ||W||_2 <= sqrt(||W||_1 ||W||_inf) (Schur), proven. Exact for permutations and for constant matrices.
/// Cost and errors as frobenius_bound.
template <provable_matrix M>
upper_bound<norm::spectral> schur_bound(M const& w, workspace* memory = nullptr) {
  return detail::cheap_bound(w, "schur_bound", memory, [](matrix_view<double> x, workspace& scratch) {
    workspace::frame frame(scratch);
    return multiply_up(detail::largest_column_sum_up(x, frame.vector<double>(x.cols())), detail::largest_row_sum_up(x));
  });
}

/// ||W||_2 <= || |W| ||_2 <= max_i sqrt((|W||W|^T p)_i / p_i) for a p made by two power steps (Collatz, Wielandt),
/// proven. Nearly exact for non-negative matrices. Cost: 8 m n FLOPs and a copy; errors as frobenius_bound.
template <provable_matrix M>
upper_bound<norm::spectral> collatz_bound(M const& w, workspace* memory = nullptr) {
  return detail::cheap_bound(w, "collatz_bound", memory, [](matrix_view<double> x, workspace& scratch) {
    workspace::frame frame(scratch);
    auto const p = frame.vector<double>(x.rows());
    auto const y = frame.vector<double>(x.rows());
    return detail::collatz_squared_up(x, p, frame.vector<double>(x.cols()), y, 4);
  });
}

/// The operator norm from max norm to max norm, max_i sum_j |w_ij|, with a relative excess below (n + 4) 2^-52, proven.
/// Cost: m n additions. @throws numeric_error if W is not finite. +infinity where the environment is unsound.
template <provable_matrix M>
upper_bound<op<norm::linf_t, norm::linf_t>> row_sum_norm(M const& w) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  using linf = op<norm::linf_t, norm::linf_t>;
  auto const x = const_view(w);
  for (index_t i = 0; i < x.rows(); ++i) {
    for (index_t j = 0; j < x.cols(); ++j) {
      if (!is_finite(static_cast<double>(x(i, j)))) {
        detail::raise<numeric_error>({"row_sum_norm: W has an element that is NaN or infinite; all must be finite"});
      }
    }
  }
  if (!arithmetic_environment_is_sound()) return detail::proof::upper<linf>(infinity);
  // sup over ||v||_inf <= 1 of max_i |sum_j w_ij v_j| is attained at v_j = sign w_ij.
  return detail::proof::upper<linf>(detail::largest_row_sum_up(x));
}

/// The same in the memory of a backend. Scratch: on devices a copy of W in double.
template <certifying_backend<double> B, provable_matrix_on<B> M>
upper_bound<op<norm::linf_t, norm::linf_t>> row_sum_norm(B const& on, M const& w, workspace* given = nullptr) {
  if constexpr (detail::works_on_host<B>) {
    return row_sum_norm(w);
  } else {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
    auto const elements = const_view(w);
    if (!is_finite(static_cast<double>(on.max_abs(elements)))) detail::raise_not_finite(elements, "row_sum_norm");
    if (!arithmetic_environment_is_sound()) return detail::proof::upper<op<norm::linf_t, norm::linf_t>>(infinity);
    detail::scratch memory(given);
    detail::lend_device_memory(on, memory.get());
    workspace::frame frame(memory.get());
    auto const x = frame.template matrix<double, typename B::space>(elements.rows(), elements.cols());
    auto const sums = frame.template vector<double, typename B::space>(elements.rows());
    on.convert(elements, x);
    on.row_abs_sums(x, sums);
    // As above, with sums of n terms in any order.
    double const largest = on.max_abs(as_row(sums));
    return detail::proof::upper<op<norm::linf_t, norm::linf_t>>(
        detail::exact_sum_up(largest, static_cast<double>(elements.cols())));
  }
}

}  // namespace sigmax::inline SIGMAX_ABI
