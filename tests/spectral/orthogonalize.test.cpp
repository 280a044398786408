// SPDX-License-Identifier: MIT
// The polar factor to working precision: orthogonal, backward stable, close to the exact one.

#include <algorithm>
#include <limits>

#include <doctest/doctest.h>

#include <sigmax/spectral/orthogonalize.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

/// Short side first.
exact wide(exact a) { return a.rows() > a.cols() ? transposed(a) : a; }

/// ||Q Q^T - I||_2 for the short side.
long double orthogonality(exact const& q) {
  exact g = product(wide(q), transposed(wide(q)));
  for (index_t i = 0; i < g.rows(); ++i) g(i, i) -= 1;
  return spectral_norm(g);
}

/// ||W - H Q||_2 / ||W||_2 with H the symmetric part of W Q^T.
long double backward_error(exact const& w, exact const& q) {
  exact const x = wide(w);
  exact const o = wide(q);
  exact h = product(x, transposed(o));
  for (index_t i = 0; i < h.rows(); ++i) {
    for (index_t j = 0; j < i; ++j) h(i, j) = h(j, i) = (h(i, j) + h(j, i)) / 2;
  }
  return spectral_norm(difference(product(h, o), x)) / spectral_norm(x);
}

long double geometric(long double condition, index_t i, index_t r) {
  return r == 1 ? 1 : std::pow(condition, -static_cast<long double>(i) / static_cast<long double>(r - 1));
}

/// The bounds of the docstring, in units of u, and the distance to the exact factor.
struct polar_figures {
  explicit polar_figures(std::string const& place)
      : orthogonal(joined({place, "||Q Q^T - I|| / (u sqrt(m))"})),
        backward(joined({place, "||W - H Q|| / (u ||W||)"})),
        forward(joined({place, "||Q - U V^T|| / (u kappa)"})) {}

  template <class T>
  void see(sigmax::matrix<T> const& w, sigmax::matrix<T> const& q, long double condition) {
    double const u = roundoff<T>();
    exact const factor = in_long_double(q);
    orthogonal.see(orthogonality(factor) / u / std::sqrt(static_cast<long double>(wide(factor).rows())), 20);
    backward.see(backward_error(in_long_double(w), factor) / u, 50);
    exact const polar = apply_to_singular_values(w, [](long double) { return 1.0L; });
    forward.see(spectral_distance(q, polar) / u / condition, 8);
  }

  figure orthogonal, backward, forward;
};

}  // namespace

TEST_CASE_TEMPLATE("the polar factor is orthogonal, backward stable and accurate", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  polar_figures figures(place<Case>());
  for (auto const shape : {extents{1, 13}, {13, 1}, {1, 1}, {2, 2}, {3, 2}, {8, 40}, {24, 24}, {40, 7}, {19, 33}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    for (long double const kappa : {1.0L, 10.0L, 1e3L, 1e6L, 1e9L, 1e12L}) {
      if (kappa * roundoff<T>() > 0.1L) continue;
      INFO(m, " x ", n, ", condition ", kappa);
      index_t const r = std::min(m, n);
      auto const w = rounded<T>(with_singular_values(m, n, 7, [=](index_t i) { return 3 * geometric(kappa, i, r); }));
      figures.see(w, sigmax::orthogonalized(on, w), kappa);
    }
  }
}

TEST_CASE("so it is at a hundred rows, on the default backend") {
  polar_figures figures("double, about 100: ");
  for (auto const shape : {extents{97, 97}, {64, 130}, {129, 65}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    for (long double const kappa : {10.0L, 1e6L, 1e12L}) {
      INFO(m, " x ", n, ", condition ", kappa);
      index_t const r = std::min(m, n);
      auto const w = rounded<double>(with_singular_values(m, n, 3, [=](index_t i) { return geometric(kappa, i, r); }));
      figures.see(w, sigmax::orthogonalized(w), kappa);
    }
  }
}

// Singular values of 0 may end anywhere in [0, 1], the others at 1, whatever rounding makes of the null space.
TEST_CASE_TEMPLATE("matrices without full rank keep to their range and to norm 1", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const u = roundoff<T>();
  figure above(joined({place<Case>(), "rank-deficient: (||Q|| - 1) / u"}));
  figure reached(joined({place<Case>(), "rank-deficient: ||P (Q - U V^T)|| / u kappa"}));
  auto const see = [&](sigmax::matrix<T> const& w, index_t rank) {
    auto const q = sigmax::orthogonalized(on, w);
    exact const result = in_long_double(q);
    above.see((spectral_norm(result) - 1) / u, 20);
    if (rank == 0) return;
    // u_k^T Q = v_k^T for the singular vectors of the `rank` leading singular values.
    auto const exact_svd = svd(w);
    exact leading(rank, w.rows()), expected(rank, w.cols());
    for (index_t k = 0; k < rank; ++k) {
      for (index_t i = 0; i < w.rows(); ++i) leading(k, i) = exact_svd.u(i, k);
      for (index_t j = 0; j < w.cols(); ++j) expected(k, j) = exact_svd.v(j, k);
    }
    long double const kappa = exact_svd.sigma.front() / exact_svd.sigma[static_cast<std::size_t>(rank) - 1];
    reached.see(spectral_distance(product(leading, result), expected) / u / kappa, 20);
  };
  for (auto const shape : {extents{12, 12}, {9, 31}, {31, 9}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    INFO(m, " x ", n);
    index_t const r = std::min(m, n);
    see(rounded<T>(of_spectrum(standard_spectra[3], m, n, 5)), (r + 1) / 2);
    sigmax::matrix<T> ones(m, n);
    for (index_t i = 0; i < ones.size(); ++i) ones.data()[i] = T(0.3);
    see(ones, 1);
    // Every row twice.
    auto twice = rounded<T>(gaussian(m, n, 8));
    for (index_t i = 1; i < m; i += 2) {
      for (index_t j = 0; j < n; ++j) twice(i, j) = twice(i - 1, j);
    }
    see(twice, std::min((m + 1) / 2, n));
    // One element; and a zero row and column.
    sigmax::matrix<T> single(m, n);
    single(m - 1, n / 2) = T(-5);
    see(single, 1);
    auto bordered = rounded<T>(gaussian(m, n, 9));
    for (index_t j = 0; j < n; ++j) bordered(0, j) = T(0);
    for (index_t i = 0; i < m; ++i) bordered(i, n - 1) = T(0);
    see(bordered, std::min(m - 1, n - 1));
    sigmax::matrix<T> zero(m, n);
    sigmax::orthogonalize(on, zero);
    CHECK(same_bits(zero, sigmax::matrix<T>(m, n)));
  }
}

TEST_CASE_TEMPLATE("the options scale and smallest do what they say", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const u = roundoff<T>();
  auto const w = rounded<T>(
      with_singular_values(10, 14, 3, [](index_t i) { return std::pow(10.0L, -0.5L * static_cast<long double>(i)); }));
  auto const q = sigmax::orthogonalized(on, w, {.scale = -3});
  CHECK(orthogonality(in_long_double(q)) / 9 > 0.5L);
  CHECK(spectral_distance(q, apply_to_singular_values(w, [](long double) { return -3.0L; })) <= 3 * 8 * u * 4e4L);
  auto const nothing = sigmax::orthogonalized(on, w, {.scale = 0});
  CHECK(spectral_norm(in_long_double(nothing)) == 0);
  // Singular values from 10^-2 on reach 1; those below do not exceed it.
  auto const partly = in_long_double(sigmax::orthogonalized(on, w, {.smallest = 1e-2}));
  auto const exact_svd = svd(w);
  for (index_t k = 0; k < 10; ++k) {
    exact direction(1, 10);
    for (index_t i = 0; i < 10; ++i) direction(0, i) = exact_svd.u(i, k);
    long double const length = spectral_norm(product(direction, partly));
    CAPTURE(k);
    CHECK(length <= 1 + 20 * u);
    if (exact_svd.sigma[static_cast<std::size_t>(k)] >= 1e-2L * exact_svd.sigma[0]) CHECK(length >= 1 - 20 * u);
  }
}

TEST_CASE("an orthogonal matrix is a fixed point to the last bits") {
  for (auto const shape : {extents{16, 16}, {5, 20}, {20, 5}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    auto const q = sigmax::orthogonalized(rounded<double>(gaussian(m, n, 2)));
    CHECK(spectral_distance(sigmax::orthogonalized(q), q) <= 8 * roundoff<double>() * 4);
  }
  sigmax::matrix<double> identity(20, 20);
  for (index_t i = 0; i < 20; ++i) identity(i, i) = 1;
  CHECK(spectral_distance(sigmax::orthogonalized(identity), identity) <= 2 * roundoff<double>());
}
