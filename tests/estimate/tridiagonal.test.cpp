// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <Eigen/Eigenvalues>
#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/estimate/tridiagonal.hpp>

using sigmax::index_t;
using sigmax::vector_view;

namespace {

/// A symmetric tridiagonal matrix: k diagonals, k couplings of which the last is not used.
struct tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> off_diagonal;
};

/// Positive semidefinite, as Lanczos makes them: B B^T of a bidiagonal B with normal entries, graded by `grade`.
tridiagonal random_gram(std::uint64_t seed, index_t k, double grade) {
  sigmax::random_sequence const numbers(seed);
  tridiagonal result;
  double previous = 0;
  for (index_t i = 0; i < k; ++i) {
    double const size = std::pow(grade, static_cast<double>(i));
    double const a = std::fabs(numbers.normal(static_cast<std::uint64_t>(2 * i))) * size;
    double const b = std::fabs(numbers.normal(static_cast<std::uint64_t>(2 * i + 1))) * size;
    result.diagonal.push_back(a * a + previous * previous);
    result.off_diagonal.push_back(a * b);
    previous = b;
  }
  return result;
}

/// diag(n, ..., 1, 0, 1, ..., n) with couplings 1: its two largest eigenvalues agree to all digits.
tridiagonal wilkinson(index_t n) {
  tridiagonal result;
  for (index_t i = -n; i <= n; ++i) {
    result.diagonal.push_back(static_cast<double>(i < 0 ? -i : i));
    result.off_diagonal.push_back(1);
  }
  return result;
}

/// Eigenvalue, residual and length against Eigen's solver, all relative to the norm of T: k u for each of the few
/// operations a row takes part in.
template <class T>
void check(tridiagonal const& source) {
  auto const k = static_cast<index_t>(source.diagonal.size());
  auto const cells = static_cast<std::size_t>(k);
  std::vector<T> diagonal(cells), off_diagonal(cells), vector(cells, std::numeric_limits<T>::quiet_NaN()),
      pivots(vector);
  for (std::size_t i = 0; i < cells; ++i) {
    diagonal[i] = static_cast<T>(source.diagonal[i]);
    off_diagonal[i] = static_cast<T>(source.off_diagonal[i]);
  }
  off_diagonal.back() = std::numeric_limits<T>::quiet_NaN();  // given, not used
  T const theta = sigmax::detail::largest_tridiagonal_eigenpair(
      vector_view<T>(diagonal.data(), k), vector_view<T>(off_diagonal.data(), k), vector_view<T>(vector.data(), k),
      vector_view<T>(pivots.data(), k));

  Eigen::VectorXd d(k);
  Eigen::VectorXd e(std::max<index_t>(k - 1, 0));
  for (index_t i = 0; i < k; ++i) d[i] = static_cast<double>(diagonal[static_cast<std::size_t>(i)]);
  for (index_t i = 0; i + 1 < k; ++i) e[i] = static_cast<double>(off_diagonal[static_cast<std::size_t>(i)]);
  // Eigen's solver underflows on tiny matrices; a power of two brings them to ordinary size exactly.
  double const largest = std::max(d.cwiseAbs().maxCoeff(), k > 1 ? e.cwiseAbs().maxCoeff() : 0.0);
  int const shift = largest > 0 ? -std::ilogb(largest) : 0;
  d = d.unaryExpr([shift](double x) { return std::ldexp(x, shift); });
  e = e.unaryExpr([shift](double x) { return std::ldexp(x, shift); });
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(d, e, Eigen::EigenvaluesOnly);
  REQUIRE(solver.info() == Eigen::Success);
  auto const u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  double const norm = solver.eigenvalues().cwiseAbs().maxCoeff();
  double const tolerance = 16 * static_cast<double>(k + 4) * u * norm;
  double const value = std::ldexp(static_cast<double>(theta), shift);
  double const exact = solver.eigenvalues()[k - 1];
  CAPTURE(k);
  CHECK(std::fabs(value - exact) <= tolerance);

  Eigen::VectorXd x(k);
  for (index_t i = 0; i < k; ++i) x[i] = static_cast<double>(vector[static_cast<std::size_t>(i)]);
  Eigen::VectorXd residual = d.cwiseProduct(x) - value * x;
  if (k > 1) residual.head(k - 1) += e.cwiseProduct(x.tail(k - 1));
  if (k > 1) residual.tail(k - 1) += e.cwiseProduct(x.head(k - 1));
  CHECK(residual.norm() <= tolerance);
  CHECK(std::fabs(x.norm() - 1) <= static_cast<double>(k + 4) * u);
  CHECK(x.minCoeff() >= 0);  // Perron-Frobenius
}

}  // namespace

TEST_CASE_TEMPLATE("a thousand random Gram matrices in tridiagonal form", T, float, double) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    double const grades[] = {1.0, 1.0, 0.5, 0.1, 2.0};
    auto const k = static_cast<index_t>(1 + seed % 40);
    double const grade = grades[seed % 5];
    // Graded matrices stay within the range of float.
    check<T>(random_gram(seed, grade == 1.0 ? k : std::min<index_t>(k, 12), grade));
  }
}

TEST_CASE_TEMPLATE("a thousand random matrices that are not semidefinite", T, float, double) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    sigmax::random_sequence const numbers(seed + 5000);
    tridiagonal t;
    for (std::uint64_t i = 0; i < 1 + seed % 40; ++i) {
      t.diagonal.push_back(numbers.normal(2 * i));
      t.off_diagonal.push_back(std::fabs(numbers.normal(2 * i + 1)));
    }
    check<T>(t);
  }
}

TEST_CASE_TEMPLATE("Wilkinson's matrices", T, float, double) {
  for (index_t const n : {1, 2, 5, 10, 20, 50}) check<T>(wilkinson(n));
}

TEST_CASE_TEMPLATE("decoupled, constant and zero matrices", T, float, double) {
  check<T>({{3}, {0}});
  check<T>({{0}, {0}});
  check<T>({{0, 0, 0}, {0, 0, 0}});
  check<T>({{1, 2, 3}, {0, 0, 0}});
  check<T>({{3, 2, 1}, {0, 0, 0}});
  check<T>({{2, 2, 2}, {0, 0, 0}});
  check<T>({{2, 1, 5, 1}, {1, 0, 1, 0}});
  check<T>({{2, 2, 2, 2, 2, 2, 2}, {1, 1, 1, 1, 1, 1, 0}});
  check<T>({{1, 1e-10, 1e-20}, {1e-6, 1e-16, 0}});
}

TEST_CASE_TEMPLATE("any scale that squares do not leave", T, float, double) {
  int const range = std::numeric_limits<T>::max_exponent / 2 - 6;
  for (int exponent = -range; exponent <= range; exponent += 7) {
    tridiagonal t = random_gram(77, 9, 1.0);
    for (double& x : t.diagonal) x = std::ldexp(x, exponent);
    for (double& x : t.off_diagonal) x = std::ldexp(x, exponent);
    CAPTURE(exponent);
    check<T>(t);
  }
}
