// SPDX-License-Identifier: MIT
/// @file
/// Rounding error bounds and the long double arithmetic they are measured with.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <sigmax/core/matrix_view.hpp>

namespace sigmax::test {

/// gamma_k = k u / (1 - k u): the relative effect of k roundings to nearest in T (Higham, Accuracy and Stability, 3.1),
/// plus that of as many in the long double the reference is computed in.
template <class T>
long double gamma(index_t k) {
  auto const bound = [k](long double u) {
    return static_cast<long double>(k) * u / (1 - static_cast<long double>(k) * u);
  };
  return bound(std::numeric_limits<T>::epsilon() / 2.0L) + bound(std::numeric_limits<long double>::epsilon() / 2.0L);
}

/// What k operations of results below the normal range can add, each half a spacing there, and factors below 4 on them.
template <class T>
long double underflow(index_t k) {
  return static_cast<long double>(4 * (k + 3)) * static_cast<long double>(std::numeric_limits<T>::denorm_min());
}

/// A value and the sum of the magnitudes of all terms it is made of.
struct measured {
  long double value = 0;
  long double magnitude = 0;

  void add(long double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

/// alpha (u . v) + beta c; c is not read where beta is 0.
template <class T>
measured affine_dot(T alpha, vector_view<T const> u, vector_view<T const> v, T beta, T const& c) {
  measured result;
  for (index_t i = 0; i < u.size(); ++i) {
    result.add(static_cast<long double>(alpha) * static_cast<long double>(u[i]) * static_cast<long double>(v[i]));
  }
  if (beta != T(0)) result.add(static_cast<long double>(beta) * static_cast<long double>(c));
  return result;
}

/// The largest ratio of error to bound seen; NaN counts as infinite. A property holds where it is at most 1.
class worst_ratio {
 public:
  void add(long double computed, long double exact, long double bound) {
    long double const error = std::abs(computed - exact);
    if (error <= bound && bound == 0) return;
    long double const ratio = error / bound;
    worst_ = ratio <= worst_ ? worst_ : (std::isnan(ratio) ? std::numeric_limits<long double>::infinity() : ratio);
  }
  double value() const { return static_cast<double>(worst_); }

 private:
  long double worst_ = 0;
};

}  // namespace sigmax::test
