// SPDX-License-Identifier: MIT
// Eigenvalues of D + w w^T: each in its interval, and together those of a matrix with nearly the given w.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/secular_equation.hpp>
#include <sigmax/core/random.hpp>

using sigmax::index_t;
namespace detail = sigmax::detail;

namespace {

/// Poles and weights, completed to whole registers.
struct problem {
  std::vector<double> d, w, squares;
  index_t count;

  template <class D, class W>
  problem(index_t n, D const& pole, W const& weight) : count(n) {
    double at = 0;
    for (index_t i = 0; i < detail::whole_registers<double>(n); ++i) {
      if (i < n) at += pole(i);
      d.push_back(i < n ? at : 1e30);
      w.push_back(i < n ? weight(i) : 0);
      squares.push_back(w.back() * w.back());
    }
  }
};

/// The largest |w' - w| / (n u |w_i| + n u ||w||), where w' belongs to the roots found.
double check_roots(problem const& p) {
  constexpr double u = std::numeric_limits<double>::epsilon() / 2;
  auto const n = static_cast<std::size_t>(p.count);
  double total = 0;
  for (double const square : p.squares) total += square;
  std::vector<detail::secular_root> roots;
  for (index_t j = 0; j < p.count; ++j) {
    auto const root = detail::solve_secular_equation({p.d.data(), p.squares.data(), p.count}, j, total);
    roots.push_back(root);
    auto const at = static_cast<std::size_t>(j);
    // Strictly between d_j and d_{j+1}, the shift from one of them.
    CHECK((root.origin == j || root.origin == j + 1));
    if (root.origin == j) {
      CHECK(root.shift > 0);
      if (j + 1 < p.count) CHECK(root.shift < p.d[at + 1] - p.d[at]);
      if (j + 1 == p.count) CHECK(root.shift <= total * (1 + 128 * u));
    } else {
      CHECK(j + 1 < p.count);
      CHECK(root.shift < 0);
      CHECK(root.shift > p.d[at] - p.d[at + 1]);
    }
  }
  std::vector<double> recovered(p.d.size());
  detail::weights_of_roots(p.d.data(), roots.data(), p.count, p.w.data(), recovered.data());
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double const off = std::fabs(recovered[i] - p.w[i]);
    worst = std::max(worst, off / (static_cast<double>(n) * u * std::sqrt(total)));
  }
  return worst;
}

}  // namespace

TEST_CASE("the roots are those of a matrix with nearly the given weights") {
  sigmax::random_sequence const numbers(4);
  auto const uniform = [&](index_t i) { return numbers.uniform(static_cast<std::uint64_t>(i)); };
  double worst = 0;
  for (index_t const n : {1, 2, 3, 7, 8, 9, 16, 17, 40, 100, 333}) {
    auto const scale = [n](double x) { return x / std::sqrt(static_cast<double>(n)); };
    problem const cases[] = {
        {n, [](index_t) { return 1.0; }, [&](index_t) { return scale(1); }},
        {n, [&](index_t i) { return 1e-3 + uniform(i); }, [&](index_t i) { return scale(uniform(i + n) - 0.5); }},
        // Poles in close groups, where roots are hard to tell from poles.
        {n, [&](index_t i) { return i % 5 == 0 ? 1.0 : 1e-13; }, [&](index_t i) { return scale(0.1 + uniform(i)); }},
        // Weights from 1 to 1e-14.
        {n, [&](index_t i) { return 1e-6 + uniform(i); }, [&](index_t i) { return std::pow(10, -14 * uniform(i)); }},
        {n, [&](index_t i) { return std::pow(10, -12 * uniform(i)); },
         [&](index_t i) { return i % 2 == 0 ? 1e-12 : 1.0; }},
        // One root far away from all poles.
        {n, [](index_t) { return 1e-9; }, [&](index_t) { return 1.0; }},
    };
    for (auto const& each : cases) {
      INFO("case ", &each - cases, " of order ", n);
      double const error = check_roots(each);
      CHECK(error <= 8);
      worst = std::max(worst, error);
    }
  }
  std::printf("  secular equation: weights differ by %.2f n u ||w||\n", worst);
}

TEST_CASE_TEMPLATE("vectors of the roots are orthonormal", T, float, double) {
  index_t const n = 61;
  sigmax::random_sequence const numbers(9);
  problem const p(
      n, [](index_t i) { return i % 3 == 0 ? 1.0 : 1e-12; },
      [&](index_t i) { return 1e-3 + numbers.uniform(static_cast<std::uint64_t>(i)); });
  double total = 0;
  for (double const square : p.squares) total += square;
  std::vector<detail::secular_root> roots;
  for (index_t j = 0; j < n; ++j) {
    roots.push_back(detail::solve_secular_equation({p.d.data(), p.squares.data(), n}, j, total));
  }
  std::vector<double> w(p.d.size());
  detail::weights_of_roots(p.d.data(), roots.data(), n, p.w.data(), w.data());
  std::fill(w.begin() + n, w.end(), 0.0);
  std::vector<double> scratch(p.d.size());
  std::vector<T> vectors(static_cast<std::size_t>(n * n));
  for (index_t j = 0; j < n; ++j) {
    auto const& root = roots[static_cast<std::size_t>(j)];
    detail::write_secular_vector<T>(p.d.data(), w.data(), n, p.d[static_cast<std::size_t>(root.origin)], root.shift,
                                    scratch.data(), &vectors[static_cast<std::size_t>(j * n)]);
  }
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j <= i; ++j) {
      long double sum = i == j ? -1 : 0;
      for (index_t k = 0; k < n; ++k) {
        sum += static_cast<long double>(vectors[static_cast<std::size_t>(i * n + k)]) *
               static_cast<long double>(vectors[static_cast<std::size_t>(j * n + k)]);
      }
      // A few roundings an element, (n + c) u where all signs agree.
      CHECK(std::fabs(sum) <= static_cast<long double>(n + 20) * std::numeric_limits<T>::epsilon() / 2);
    }
  }
}
