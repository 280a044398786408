// SPDX-License-Identifier: MIT
/// @file
/// The two estimators as types, matrices for them, and what every estimate claims.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <Eigen/Core>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>

namespace sigmax::test {

struct power {
  static constexpr char const* name = "power_iteration";
  template <class... A>
  static auto run(A const&... a) {
    return power_iteration(a...);
  }
};
struct krylov {
  static constexpr char const* name = "lanczos";
  template <class... A>
  static auto run(A const&... a) {
    return lanczos(a...);
  }
};

/// An estimator on a backend and a scalar.
template <class Method, class B, class T>
struct estimate_on {
  using method = Method;
  using backend = B;
  using scalar = T;
};

#define SIGMAX_TEST_ESTIMATES                                                                                          \
  sigmax::test::estimate_on<sigmax::test::power, sigmax::cpu::scalar, float>,                                          \
      sigmax::test::estimate_on<sigmax::test::power, sigmax::cpu::simd<>, double>,                                     \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::cpu::scalar, double>,                                    \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::cpu::simd<>, float>
/// The other half of the combinations.
#define SIGMAX_TEST_MORE_ESTIMATES                                                                                     \
  sigmax::test::estimate_on<sigmax::test::power, sigmax::cpu::scalar, double>,                                         \
      sigmax::test::estimate_on<sigmax::test::power, sigmax::cpu::simd<>, float>,                                      \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::cpu::scalar, float>,                                     \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::cpu::simd<>, double>

/// Normal noise around a rank-one part of norm 8 sqrt(mn): the leading singular value stands far above the others, so
/// that both methods converge to it from any start.
template <class T>
matrix<T> with_a_leader(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<double> noise(rows, cols);
  fill_normal(noise.view(), seed);
  matrix<T> result(rows, cols);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) {
      result(i, j) = T(noise(i, j) + (i % 3 == 0 ? 8.0 : -8.0) * (j % 2 == 0 ? 1.0 : -1.0));
    }
  }
  return result;
}

/// A matrix of normal numbers.
template <class T>
matrix<T> gaussian(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<T> result(rows, cols);
  fill_normal(result.view(), seed);
  return result;
}

/// W 2^shift in double, exactly.
template <class T>
Eigen::MatrixXd in_double(matrix_view<T> w, int shift = 0) {
  Eigen::MatrixXd copy(w.rows(), w.cols());
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) copy(i, j) = std::ldexp(static_cast<double>(w(i, j)), shift);
  }
  return copy;
}

/// What rounding may do to sums over W, generously.
template <class T>
double rounding(index_t rows, index_t cols) {
  return static_cast<double>(rows + cols + 20) * 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
}

/// The default tolerance.
template <class T>
double square_root_of_roundoff() {
  return std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()) / 2);
}

template <class T>
double length(vector_view<T> v) {
  return in_double(matrix_view<T>::unchecked(v.data(), v.size(), 1, v.stride(), 1)).norm();
}

/// An estimate of W in double.
struct claims {
  Eigen::MatrixXd w;
  Eigen::VectorXd u, v;
  double sigma, residual;
  /// Relative, for rounding; and the absolute spacing of sigma, which counts where it is subnormal.
  double slack, spacing;
};
void check_claims(claims const& claimed);

/// Checks what `estimate` claims about W, which stands at 2^-shift of ordinary size.
template <class T, class V>
void check_claims(matrix_view<T> w, singular_estimate<V> const& estimate, int shift = 0) {
  auto const column = [](vector_view<V> x) { return matrix_view<V>::unchecked(x.data(), x.size(), 1, x.stride(), 1); };
  check_claims({in_double(w, shift), in_double(column(estimate.u)), in_double(column(estimate.v)),
                std::ldexp(static_cast<double>(estimate.sigma), shift), static_cast<double>(estimate.residual),
                rounding<V>(w.rows(), w.cols()),
                std::ldexp(static_cast<double>(std::numeric_limits<V>::denorm_min()), shift)});
}

}  // namespace sigmax::test
