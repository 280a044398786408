// SPDX-License-Identifier: MIT
/// @file
/// What normalisations divide by, as a function of the size of a vector, and the Lipschitz constants that follow.
#pragma once

#include <cmath>
#include <type_traits>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/dual.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// D(r), r >= 0 the size of a vector x, of the map x -> x / D(r). Its Jacobian is (I - k x x' / |x|^2) / D(r) with
/// k = r D'(r) / D(r) in [0, 1].
struct radial_divisor {
  enum class form : unsigned char {
    /// sqrt(r^2 + epsilon); k = r^2 / (r^2 + epsilon).
    root,
    /// max(r, epsilon); k = 1 for r > epsilon, else 0.
    maximum,
    /// r + epsilon; k = r / (r + epsilon).
    sum,
  };

  form how = form::root;
  double epsilon = 0;

  /// D as a function of r^2.
  template <class T>
  T of_square(T square_of_size) const {
    using std::sqrt, std::max;
    T const e(epsilon);
    if (how == form::root) return sqrt(square_of_size + e);
    if constexpr (std::is_same_v<T, dual>) {
      if (square_of_size.value == 0) return e;  // the root has no derivative there; the norm counts with slope 0
    }
    T const size = sqrt(square_of_size);
    return how == form::maximum ? max(size, e) : size + e;
  }

  /// k, in rounded arithmetic.
  double contraction(double size) const {
    if (how == form::maximum) return size > epsilon ? 1.0 : 0.0;
    double const own = how == form::root ? size * size : size;
    return own > 0 ? own / (own + epsilon) : 0.0;
  }

  /// >= 1 / D(r) for all r >= `least`, which bounds the Jacobian in l2 there: its singular values are 1 / D and
  /// (1 - k) / D, and D increases. +infinity where D vanishes.
  double largest_factor(double least) const { return divide_up(1.0, of_size(least).lower); }

  /// >= (a + (b - a) k) / D(r) for all r >= `least`, given b >= a >= 0: a row sum of the Jacobian is at most a where
  /// k = 0 and b where k = 1, and it is convex in k.
  /// Proof: with s = D^2 (root) the quotient is b s^(-1/2) - (b - a) epsilon s^(-3/2), which increases up to
  /// s* = 3 (b - a) epsilon / b, where it is 2 b / (3 sqrt(s*)), and decreases from there; with s = D (sum) it is
  /// b / s - (b - a) epsilon / s^2, s* = 2 (b - a) epsilon / b and the top b / (2 s*). For the maximum it is a / epsilon
  /// below epsilon and b / r above.
  double largest_row_sum(double least, double a, double b) const {
    if (!(b > 0)) return b == 0 ? 0.0 : infinity;
    interval const d = of_size(least);
    if (!(d.lower > 0)) return infinity;
    if (how == form::maximum) return divide_up(b, d.lower);
    bool const root = how == form::root;
    interval const difference = clamped(interval(b) - interval(a), 0.0, infinity);
    interval const top = (root ? 3.0 : 2.0) * difference * epsilon / b;
    double const s = root ? multiply_down(d.lower, d.lower) : d.lower;
    if (!(s >= top.upper)) {
      return root ? divide_up(divide_up(2.0 * b, 3.0), sqrt_down(top.lower)) : divide_up(0.5 * b, top.lower);
    }
    interval const inverse = 1.0 / interval(d.lower);
    interval const share = difference * epsilon * inverse * (root ? inverse : interval(1.0));
    return ((interval(b) - share) * inverse).upper;
  }

 private:
  interval of_size(double size) const { return of_square(square(interval(size))); }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
