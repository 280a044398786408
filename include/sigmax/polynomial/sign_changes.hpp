// SPDX-License-Identifier: MIT
/// @file
/// Real roots of polynomials of small degree, in floating point and at compile time.
#pragma once

#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// Degree of x -> c_0 + c_1 x + ... for which `sign_changes` has room.
inline constexpr int sign_changes_capacity = 4;

/// c_0 + c_1 x + ... + c_4 x^4, for coefficients padded with zeros. One expression: compilers count steps of constant
/// evaluation by statements.
constexpr double horner(double const* c, double x) { return (((c[4] * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0]; }

/// Its derivative.
constexpr double horner_derivative(double const* c, double x) {
  return ((4 * c[4] * x + 3 * c[3]) * x + 2 * c[2]) * x + c[1];
}

/// The place between a and b where the polynomial c, of one sign in a and of the other in b, changes sign: Newton's
/// iteration, with bisection where it leaves the bracket.
constexpr double sign_change(double const* c, double a, double b) {
  bool const negative_at_a = horner(c, a) < 0;
  double x = 0.5 * (a + b);
  for (int iteration = 0; iteration < 100; ++iteration) {
    double const value = horner(c, x);
    if (value == 0) return x;
    ((value < 0) == negative_at_a ? a : b) = x;
    double const slope = horner_derivative(c, x);
    double next = slope != 0 ? x - value / slope : a;
    if (!(a < next && next < b)) next = 0.5 * (a + b);
    double const change = next > x ? next - x : x - next;
    x = next;
    if (change <= 0x1p-52 * (x > 0 ? x : -x)) break;
  }
  return x;
}

/// Writes the places in (a, b) where c_0 + c_1 x + ... + c_n x^n changes sign to `places`, ascending, and returns their
/// number, at most n. They are approximations; roots of even multiplicity are not among them.
///
/// Between neighbouring sign changes of its derivative a polynomial is monotone and changes sign at most once: the
/// derivatives are worked through from the linear one on.
constexpr int sign_changes(double const* c, int n, double a, double b, double* places) {
  double edges[sign_changes_capacity + 2] = {a, b};
  int found = 0;
  for (int degree = 1; degree <= n; ++degree) {
    int const order = n - degree;  // of the derivative, here divided by order!
    double derivative[sign_changes_capacity + 1] = {};
    for (int k = 0; k <= degree; ++k) {
      double binomial = 1;
      for (int j = 1; j <= order; ++j) binomial = binomial * (k + j) / j;
      derivative[k] = binomial * c[k + order];
    }
    int count = 0;
    for (int i = 0; i <= found; ++i) {
      bool const changes = (horner(derivative, edges[i]) < 0) != (horner(derivative, edges[i + 1]) < 0);
      if (changes) places[count++] = sign_change(derivative, edges[i], edges[i + 1]);
    }
    for (int i = 0; i < count; ++i) edges[i + 1] = places[i];
    edges[count + 1] = b;
    found = count;
  }
  return found;
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
