// SPDX-License-Identifier: MIT
// Eigenvalues and eigenvectors of symmetric matrices on every backend: residual, orthogonality, known spectra.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>

#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

/// Q diag(values) Q^T, symmetric to the last bit.
exact symmetric(std::vector<long double> const& values, std::uint64_t seed) {
  auto const n = static_cast<index_t>(values.size());
  exact const q = orthonormal(n, n, seed);
  exact scaled = q;
  for (index_t i = 0; i < n; ++i) {
    for (index_t k = 0; k < n; ++k) scaled(i, k) *= values[static_cast<std::size_t>(k)];
  }
  exact a = product(scaled, transposed(q));
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < i; ++j) a(i, j) = a(j, i);
  }
  return a;
}

/// Checks ||V A V^T - D|| and ||V V^T - I|| in units of u (times ||A||), and the sorted eigenvalues against `values`.
template <class T, class B>
void see(B const& on, std::vector<long double> values, exact const& given, double& worst) {
  double const u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  auto const n = static_cast<index_t>(values.size());
  auto const a = rounded<T>(given);
  auto destroyed = a;
  sigmax::vector<T> computed(n);
  sigmax::matrix<T> vectors(n, n);
  for (index_t i = 0; i < vectors.size(); ++i) vectors.data()[i] = std::numeric_limits<T>::quiet_NaN();
  on.symmetric_eigen(destroyed.view(), computed.view(), vectors.view());

  exact const v = in_long_double(vectors);
  exact identity = product(v, transposed(v));
  exact diagonal = product(product(v, in_long_double(a)), transposed(v));
  std::vector<long double> sorted;
  for (index_t i = 0; i < n; ++i) {
    identity(i, i) -= 1;
    diagonal(i, i) -= static_cast<long double>(computed[i]);
    sorted.push_back(static_cast<long double>(computed[i]));
  }
  std::sort(sorted.begin(), sorted.end());
  std::sort(values.begin(), values.end());
  long double largest = 0;
  for (auto const value : values) largest = std::max(largest, std::fabs(value));
  // Some n rotations an element in each of up to ten sweeps, each with an error of u; QR does better. Printed: what was
  // seen.
  double const limit = 10 * (4 + static_cast<double>(n)) * u;
  auto const share = [&](long double error, long double of) {
    CHECK(error <= limit * of);
    if (of > 0) worst = std::max(worst, static_cast<double>(error / of) / u);
  };
  share(spectral_norm(identity), 1);
  share(spectral_norm(diagonal), largest);
  for (std::size_t i = 0; i < values.size(); ++i) share(std::fabs(sorted[i] - values[i]), largest);
}

std::vector<long double> many(index_t n, long double (*value)(index_t, index_t)) {
  std::vector<long double> values;
  for (index_t i = 0; i < n; ++i) values.push_back(value(i, n));
  return values;
}

}  // namespace

TEST_CASE_TEMPLATE("known spectra come out", Case, SIGMAX_TEST_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double worst = 0;
  auto const each = [&](std::vector<long double> const& values) {
    for (std::uint64_t const seed : {1u, 2u}) {
      INFO("order ", values.size(), ", seed ", seed);
      see<T>(on, values, symmetric(values, seed), worst);
    }
  };
  each({3});
  each({-3});
  each({0});
  each({1, 2});
  each({5, 5});
  each({1, -1});
  each({2, 0, 0, 0, 0});                  // rank one
  each({1, 1, 1, 1, 2, 2, 2, 3});         // repeated
  each({-4, -2, -1, 0, 0, 1, 2, 4});      // indefinite, symmetric about 0
  each({1, 1 + 1e-7L, 1 - 1e-7L, 0.5L});  // close
  each({1, 1e-3L, 1e-6L, 1e-9L, 1e-12L, 1e-15L});
  each({1e6L, 1e-6L, -1e6L});
  for (index_t const n : {13, 40}) {
    each(many(n, [](index_t i, index_t) { return static_cast<long double>(i + 1); }));
    each(many(n, [](index_t i, index_t) { return i % 2 == 0 ? 1.0L : -1.0L; }));
    each(many(n, [](index_t i, index_t m) { return 2 * i < m ? 0.0L : 1.0L; }));
    each(many(n, [](index_t i, index_t) { return std::pow(0.5L, static_cast<long double>(i)); }));
  }
  std::printf("  symmetric_eigen, %s %s: worst error %.3g u\n", Case::backend::name,
              sizeof(T) == 4 ? "float" : "double", worst);
}

TEST_CASE_TEMPLATE("matrices that are diagonal or have entries 0 need no luck", Case, SIGMAX_TEST_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double worst = 0;
  exact diagonal(5, 5);
  std::vector<long double> values = {4, -1, 0, 4, 2};
  for (index_t i = 0; i < 5; ++i) diagonal(i, i) = values[static_cast<std::size_t>(i)];
  see<T>(on, values, diagonal, worst);
  see<T>(on, std::vector<long double>(6, 0.0L), exact(6, 6), worst);
  exact identity(7, 7);
  for (index_t i = 0; i < 7; ++i) identity(i, i) = 1;
  see<T>(on, std::vector<long double>(7, 1.0L), identity, worst);
  // Zero diagonal: eigenvalues n - 1 and -1.
  exact all(6, 6);
  for (index_t i = 0; i < 6; ++i) {
    for (index_t j = 0; j < 6; ++j) all(i, j) = i == j ? 0 : 1;
  }
  see<T>(on, {5, -1, -1, -1, -1, -1}, all, worst);
  // The second difference: 2 - 2 cos(k pi / (n + 1)).
  index_t const n = 30;
  exact laplacian(n, n);
  std::vector<long double> cosines;
  for (index_t i = 0; i < n; ++i) {
    laplacian(i, i) = 2;
    if (i > 0) laplacian(i, i - 1) = laplacian(i - 1, i) = -1;
    cosines.push_back(
        2 - 2 * std::cos(static_cast<long double>(i + 1) * std::acos(-1.0L) / static_cast<long double>(n + 1)));
  }
  see<T>(on, cosines, laplacian, worst);
}

// A positive definite matrix with rows and columns of very different sizes has its smallest eigenvalues to full relative
// precision: what Jacobi's method is for (Demmel, Veselic, "Jacobi's method is more accurate than QR", 1992).
TEST_CASE("graded matrices keep their small eigenvalues") {
  index_t const n = 8;
  sigmax::matrix<double> a(n, n);
  exact in_full(n, n);
  auto const factor = rounded<double>(gaussian(n, n + 4, 3));
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < n; ++j) {
      double sum = 0;
      for (index_t k = 0; k < n + 4; ++k) sum += factor(i, k) * factor(j, k);
      a(i, j) = std::ldexp(sum, static_cast<int>(-3 * (i + j)));
      in_full(i, j) = static_cast<long double>(a(i, j));
    }
  }
  sigmax::vector<double> values(n);
  sigmax::matrix<double> vectors(n, n);
  sigmax::cpu::scalar{}.symmetric_eigen(a.view(), values.view(), vectors.view());
  // Eigenvalues span 2^42; QR would leave no more than 2^-11 of the smallest.
  auto const exact_values = svd_of(in_full).sigma;
  std::vector<double> sorted;
  for (index_t i = 0; i < n; ++i) sorted.push_back(values[i]);
  std::sort(sorted.rbegin(), sorted.rend());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(static_cast<long double>(sorted[i]) / exact_values[i] - 1) <= 1e-12L);
  }
}

TEST_CASE_TEMPLATE("strided views, and nothing for order 0", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  std::vector<long double> const spectrum = {3, 1, -2, 0.5L};
  auto const a = rounded<T>(symmetric(spectrum, 5));
  laid_out<T> const input(a, "strided", 11, 2);
  laid_out<T> const output(sigmax::matrix<T>(4, 4), "columns", 1, 6);
  std::vector<T> values(8, T(9));
  on.symmetric_eigen(input.view(), sigmax::vector_view<T>(values.data(), 4, 2), output.view());
  CHECK(input.is_intact());
  CHECK(output.is_intact());
  for (std::size_t i = 1; i < 8; i += 2) CHECK(values[i] == T(9));
  auto dense = a;
  sigmax::vector<T> dense_values(4);
  sigmax::matrix<T> dense_vectors(4, 4);
  on.symmetric_eigen(dense.view(), dense_values.view(), dense_vectors.view());
  for (index_t i = 0; i < 4; ++i) {
    CHECK(values[static_cast<std::size_t>(2 * i)] == dense_values[i]);
    for (index_t j = 0; j < 4; ++j) CHECK(output.view()(i, j) == dense_vectors(i, j));
  }
  sigmax::matrix<T> none;
  sigmax::vector<T> no_values;
  CHECK_NOTHROW(on.symmetric_eigen(none.view(), no_values.view(), none.view()));
}
