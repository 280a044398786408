// SPDX-License-Identifier: MIT
/// @file
/// Eigenvalues and eigenvectors of D + w w^T, D diagonal: the step that joins two halves of a tridiagonal matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/backend/short_vector.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

// D + w w^T has the eigenvalues lambda_0 < lambda_1 < ... at which
//
//   f(lambda) = 1 + psi + phi = 0,   psi = sum_{i <= j} w_i^2 / (d_i - lambda),   phi = sum_{i > j} the same:
//
// one between each two d_i and one above the last. The eigenvector is w_i / (d_i - lambda), i = 0, 1, ..., and it is the
// differences that have to be accurate. lambda is therefore held as d_o + shift with the nearest d_o, and d_i - lambda
// is (d_i - d_o) - shift, in which nothing cancels.

/// lambda = d[origin] + shift.
struct secular_root {
  index_t origin;
  double shift;
};

/// The poles d_0 < d_1 < ... and w_i^2 > 0, followed up to whole registers by poles far above with w = 0.
struct secular_poles {
  double const* d;
  double const* squares;
  index_t count;
};

/// psi, phi and their derivatives at a point.
struct secular_value {
  double psi, psi_slope, phi, phi_slope;
  double value() const { return 1 + psi + phi; }
  double slope() const { return psi_slope + phi_slope; }
};

/// sum += w_i^2 / (d_i - lambda) and slope += w_i^2 / (d_i - lambda)^2 over whole registers [first, last); lambda =
/// origin + shift. Two registers share one division.
[[gnu::always_inline]] inline void add_poles(secular_poles const& p, index_t first, index_t last, double origin,
                                             double shift, short_vector<double>& sum, short_vector<double>& slope) {
  constexpr index_t size = short_size<double>;
  short_vector<double> other_sum{};
  short_vector<double> other_slope{};
  index_t i = first;
  for (; i + 2 * size <= last; i += 2 * size) {
    auto const a = (load_short(p.d + i) - origin) - shift;
    auto const b = (load_short(p.d + i + size) - origin) - shift;
    auto const inverse = 1.0 / (a * b);
    auto const over_a = b * inverse;
    auto const over_b = a * inverse;
    auto const term = load_short(p.squares + i) * over_a;
    auto const other_term = load_short(p.squares + i + size) * over_b;
    sum += term;
    other_sum += other_term;
    slope += term * over_a;
    other_slope += other_term * over_b;
  }
  if (i < last) {
    auto const over_a = 1.0 / ((load_short(p.d + i) - origin) - shift);
    auto const term = load_short(p.squares + i) * over_a;
    sum += term;
    slope += term * over_a;
  }
  sum += other_sum;
  slope += other_slope;
}

/// psi over the first `split` poles and phi over the others at the point d[origin] + shift.
[[gnu::noinline]] inline secular_value evaluate_secular(secular_poles const& p, index_t split, secular_root at) {
  constexpr index_t size = short_size<double>;
  double const origin = p.d[at.origin];
  index_t const straddling = split / size * size;
  short_vector<double> psi{}, psi_slope{}, phi{}, phi_slope{};
  add_poles(p, 0, straddling, origin, at.shift, psi, psi_slope);
  if (straddling < p.count) {
    auto const over = 1.0 / ((load_short(p.d + straddling) - origin) - at.shift);
    auto const term = load_short(p.squares + straddling) * over;
    auto const left = first_elements<double>(term, split - straddling);
    psi += left;
    psi_slope += left * over;
    phi += term - left;
    phi_slope += (term - left) * over;
    add_poles(p, straddling + size, whole_registers<double>(p.count), origin, at.shift, phi, phi_slope);
  }
  return {sum_of<double>(psi), sum_of<double>(psi_slope), sum_of<double>(phi), sum_of<double>(phi_slope)};
}

/// The zero of c + s / (left - x) + t / (right - x), s, t > 0, between the poles left < right (between), or right of
/// both, as the root of c x^2 - a x + b = 0.
inline double zero_of_two_poles(double c, double a, double b, bool between) {
  double const root = std::sqrt(std::fmax(a * a - 4 * b * c, 0.0));
  if (between) return a > 0 ? 2 * b / (a + root) : (a - root) / (2 * c);
  return a < 0 ? 2 * b / (a - root) : (a + root) / (2 * c);
}

/// Strictly between lo and hi, both of one sign or one of them 0: halves the distance, in the exponent where that is
/// large.
inline double between(double lo, double hi) {
  double const small = std::fmin(std::fabs(lo), std::fabs(hi));
  double const large = std::fmax(std::fabs(lo), std::fabs(hi));
  if (small >= large / 16) return lo + (hi - lo) / 2;
  double const magnitude = small > 0 ? std::sqrt(small) * std::sqrt(large) : large / 1024;
  return lo < 0 ? -magnitude : magnitude;
}

/// The j-th eigenvalue: f is interpolated by a constant and the two poles beside it, each with the sum's derivative on
/// its side ("the middle way"), inside a bracket; the first guess keeps the two weights and takes the rest of f as it is
/// midway. Stops where |f| is no more than its rounding error, or the shift moves by no more than its own: then the w
/// for which this is an eigenvalue differ from the given ones by c count u. About five sweeps over the poles.
/// Source: Li, "Solving secular equations stably and efficiently", LAPACK Working Note 89, 1993; the stopping
/// criterion: Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995.
[[gnu::noinline]] inline secular_root solve_secular_equation(secular_poles const& p, index_t j, double sum_of_squares) {
  constexpr double u = std::numeric_limits<double>::epsilon() / 2;
  if (p.count == 1) return {0, p.squares[0]};
  double const rounding = 8 + static_cast<double>(p.count) / 16;
  bool const inner = j + 1 < p.count;
  index_t const left = inner ? j : j - 1;
  index_t const right = left + 1;
  double const gap = p.d[right] - p.d[left];
  double const middle = (inner ? gap : sum_of_squares) / 2;

  // Which half of the interval: the pole at its end becomes the origin.
  secular_root root{inner ? left : right, middle};
  auto f = evaluate_secular(p, right, root);
  double lo = 0;
  double hi = inner ? middle : sum_of_squares * (1 + 64 * u);
  if (!inner) {
    (f.value() < 0 ? lo : hi) = middle;
  } else if (f.value() < 0) {
    root.origin = right;
    lo = -middle;
    hi = 0;
  }
  double const to_left = p.d[left] - p.d[root.origin];
  double const to_right = p.d[right] - p.d[root.origin];
  double const mid_left = p.d[left] - p.d[inner ? left : right] - middle;
  double const mid_right = p.d[right] - p.d[inner ? left : right] - middle;
  double const s = p.squares[left];
  double const t = p.squares[right];
  double const rest = f.value() - s / mid_left - t / mid_right;
  root.shift = zero_of_two_poles(rest, rest * (to_left + to_right) + s + t,
                                 rest * to_left * to_right + s * to_right + t * to_left, inner);

  for (int step = 0; step < 80; ++step) {
    if (!(root.shift > lo && root.shift < hi)) root.shift = between(lo, hi);
    f = evaluate_secular(p, right, root);
    double const value = f.value();
    double const size = 1 + std::fabs(f.psi) + std::fabs(f.phi);
    if (std::fabs(value) <= u * (rounding * size + std::fabs(root.shift) * f.slope())) break;
    (value < 0 ? lo : hi) = root.shift;
    double const a = to_left - root.shift;
    double const b = to_right - root.shift;
    double const c = value - a * f.psi_slope - b * f.phi_slope;
    double move = zero_of_two_poles(c, (a + b) * value - a * b * f.slope(), a * b * value, inner);
    if (!(move * value < 0)) move = -value / f.slope();
    if (std::fabs(move) <= u * std::fabs(root.shift)) break;
    root.shift += move;
  }
  return root;
}

/// w such that the roots are the exact eigenvalues of D + w w^T, with the signs of `signs`:
/// w_i^2 = prod_j (lambda_j - d_i) / prod_{j != i} (d_j - d_i). The eigenvectors of that matrix are orthogonal however
/// inaccurate the roots are. w, signs: whole registers.
/// Source: Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995, section 3 (a formula of Loewner).
[[gnu::noinline]] inline void weights_of_roots(double const* d, secular_root const* roots, index_t count,
                                               double const* signs, double* w) {
  constexpr index_t size = short_size<double>;
  auto const one = broadcast(1.0);
  for (index_t i = 0; i < count; i += size) {
    auto const di = load_short(d + i);
    auto product = one;
    // The difference of a pole and itself counts as 1. Four quotients share a division; a difference is above u^2 times the norm.
    auto const pole_difference = [&](index_t j) {
      auto const difference = d[j] - di;
      return difference == 0.0 ? one : difference;
    };
    auto const root_difference = [&](index_t j) { return (d[roots[j].origin] - di) + roots[j].shift; };
    index_t j = 0;
    for (; j + 4 <= count; j += 4) {
      auto const over =
          (root_difference(j) * root_difference(j + 1)) * (root_difference(j + 2) * root_difference(j + 3));
      auto const under =
          (pole_difference(j) * pole_difference(j + 1)) * (pole_difference(j + 2) * pole_difference(j + 3));
      product *= over / under;
    }
    for (; j < count; ++j) product *= root_difference(j) / pole_difference(j);
    double squares[size];
    store_short<double>(product, squares);
    for (index_t k = 0; k < size; ++k) w[i + k] = std::copysign(std::sqrt(std::fabs(squares[k])), signs[i + k]);
  }
}

/// row <- the unit eigenvector of a root: w_i / (d_i - lambda) divided by its norm. d, w: poles and weights in the order
/// in which the elements are wanted, whole registers, w = 0 behind `count`. scratch: whole registers.
template <register_scalar T>
[[gnu::noinline]] void write_secular_vector(double const* d, double const* w, index_t count, double origin,
                                            double shift, double* scratch, T* row) {
  constexpr index_t size = short_size<double>;
  typedef T narrow __attribute__((vector_size(static_cast<std::size_t>(size) * sizeof(T))));
  short_vector<double> squares{};
  for (index_t i = 0; i < count; i += size) {
    auto const element = load_short(w + i) / ((load_short(d + i) - origin) - shift);
    squares += element * element;
    store_short<double>(element, scratch + i);
  }
  double const factor = 1 / std::sqrt(sum_of<double>(squares));
  index_t i = 0;
  for (; i + size <= count; i += size) {
    auto const element = __builtin_convertvector(load_short(scratch + i) * factor, narrow);
    __builtin_memcpy(row + i, &element, sizeof(element));
  }
  for (; i < count; ++i) row[i] = static_cast<T>(scratch[i] * factor);
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
