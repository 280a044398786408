// SPDX-License-Identifier: MIT
// Spectral functions in fifty digits: nothing on the way may go through double.
#include <doctest/doctest.h>

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <algorithm>
#include <cstdio>

#include <boost/multiprecision/cpp_bin_float.hpp>

#include <sigmax/core/matrix.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/apply_polynomial.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/smooth_cap.hpp>
#include <sigmax/spectral/soft_cap.hpp>
#include <sigmax/spectral/spectral_clip.hpp>
#include <sigmax/spectral/spectral_function.hpp>
#include <sigmax/spectral/stiefel.hpp>

using sigmax::index_t;
using sigmax::matrix;

namespace {

namespace multiprecision = boost::multiprecision;
using plain = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_off>;
using with_expressions = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_on>;

constexpr index_t rows = 6;
constexpr index_t cols = 8;

/// Row i of I - 2 v v^T / v^T v for v = (1, 2, ..., n) shifted: orthogonal to all digits.
template <class T>
matrix<T> reflection(index_t n, int shift) {
  matrix<T> h(n, n);
  T square(0);
  auto const v = [&](index_t i) { return T(1 + static_cast<int>((i + shift) % n)); };
  for (index_t i = 0; i < n; ++i) square = T(square + v(i) * v(i));
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j < n; ++j) h(i, j) = T(T(i == j ? 1 : 0) - T(2) * v(i) * v(j) / square);
  }
  return h;
}

/// U diag(sigma(0), ..., sigma(5)) V^T, transposed if tall: the same U and V for every sigma.
template <class T, class F>
matrix<T> with(F const& sigma, bool tall = false) {
  auto const u = reflection<T>(rows, 2);
  auto const v = reflection<T>(cols, 5);
  matrix<T> w(tall ? cols : rows, tall ? rows : cols);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) {
      T sum(0);
      for (index_t k = 0; k < rows; ++k) sum = T(sum + u(i, k) * T(sigma(k)) * v(k, j));
      (tall ? w(j, i) : w(i, j)) = sum;
    }
  }
  return w;
}

/// 1, 10^-step, 10^-2 step, ...
template <class T>
auto graded(int step) {
  return [=](index_t k) {
    T value(1);
    for (index_t i = 0; i < k * step; ++i) value = T(value / T(10));
    return value;
  };
}

template <class T>
double frobenius_distance(matrix<T> const& a, matrix<T> const& b) {
  using std::sqrt;
  T sum(0);
  for (index_t i = 0; i < a.size(); ++i) {
    T const d = T(a.data()[i] - b.data()[i]);
    sum = T(sum + d * d);
  }
  return static_cast<double>(T(sqrt(sum)));
}

void see(char const* what, double error, double limit) {
  std::printf("  50 digits: %-50s %.2g of %.2g\n", what, error, limit);
  INFO(what);
  CHECK(error <= limit);
}

}  // namespace

TEST_CASE_TEMPLATE("the polar factor has fifty digits", T, plain, with_expressions) {
  sigmax::cpu::scalar const on;
  auto const one = [](index_t) { return T(1); };
  double worst = 0;
  double orthogonality = 0;
  matrix<T> identity(rows, rows);
  for (index_t i = 0; i < rows; ++i) identity(i, i) = T(1);
  for (bool const tall : {false, true}) {
    for (int const step : {0, 1, 2}) {  // condition 1, 1e5, 1e10
      auto const q = sigmax::orthogonalized(with<T>(graded<T>(step), tall));
      worst = std::max(worst, frobenius_distance(q, with<T>(one, tall)));
      matrix<T> gram(rows, rows);
      auto const x = tall ? q.view().transposed() : q.view();
      on.gram(T(1), x, T(0), x, gram.view());
      orthogonality = std::max(orthogonality, frobenius_distance(gram, identity));
    }
  }
  see("||Q - U V^T||_F, condition up to 1e10", worst, 1e-40);
  see("||Q Q^T - I||_F", orthogonality, 1e-40);
}

TEST_CASE("a soft cap has fifty digits") {
  double const strength = sigmax::soft_cap_strength(1, 0.25);
  auto const sigma = [](index_t k) { return plain(plain(5) / plain(static_cast<int>(k) + 4)); };  // 1.25 downwards
  auto const capped = [&](index_t k) {
    plain const s = sigma(k);
    plain const a(strength);
    plain const inner = s - a * s * s * s;
    return plain(inner + a * inner * inner * inner);
  };
  auto const w = with<plain>(sigma);
  see("soft_cap",
      frobenius_distance(sigmax::soft_capped(w, {.sigma_max = 1, .update_norm = 0.25}), with<plain>(capped)), 1e-40);
  see("soft_cap with k <= sigma_max", frobenius_distance(sigmax::soft_capped(w, {.sigma_max = 2}), w), 0);
}

TEST_CASE("polynomials of doubles have fifty digits") {
  for (auto const form : {sigmax::polynomial_form::standard, sigmax::polynomial_form::gram}) {
    auto const image = [](index_t k) { return sigmax::schedules::muon(graded<plain>(1)(k)); };
    auto const result =
        sigmax::polynomial_applied(with<plain>(graded<plain>(1)), sigmax::schedules::muon, {.form = form});
    see("apply_polynomial, five quintics", frobenius_distance(result, with<plain>(image)), 1e-40);
  }
  auto const half = sigmax::projected_to_stiefel(with<plain>(graded<plain>(1)), {.sigma_max = 0.5});
  see("project_to_stiefel", frobenius_distance(half, with<plain>([](index_t) { return plain(0.5); })), 1e-40);
}

TEST_CASE("caps and clips keep their tolerance in fifty digits") {
  using sigmax::hard_cap_path;
  auto const sigma = [](index_t k) { return plain(plain(6 - static_cast<int>(k)) / plain(2)); };  // 3, 2.5, ..., 0.5
  auto const w = with<plain>(sigma);
  auto const clip = [&](int low, int high) {
    return with<plain>([&](index_t k) { return std::min(std::max(sigma(k), plain(low)), plain(high)); });
  };
  for (auto const path : {hard_cap_path::deflation, hard_cap_path::eigenvectors, hard_cap_path::polynomial}) {
    for (double const tolerance : {1e-5, 1e-11}) {
      auto const result = sigmax::hard_capped(w, {.sigma_max = 1, .tolerance = tolerance, .path = path});
      see("hard_cap / tolerance", frobenius_distance(result, clip(0, 1)) / tolerance, 3);
    }
    CHECK(frobenius_distance(sigmax::hard_capped(w, {.sigma_max = 3.0001, .path = path}), w) == 0);
  }
  auto const by_eigenvectors =
      sigmax::spectrally_clipped(w, {.lower = 1, .upper = 2, .path = hard_cap_path::eigenvectors});
  see("spectral_clip by eigenvectors", frobenius_distance(by_eigenvectors, clip(1, 2)), 1e-40);
  auto const by_polynomials =
      sigmax::spectrally_clipped(w, {.lower = 1, .upper = 2, .path = hard_cap_path::polynomial, .tolerance = 1e-9});
  see("spectral_clip by polynomials / tolerance", frobenius_distance(by_polynomials, clip(1, 2)) / 1e-9, 3);
  auto raised = w;
  sigmax::spectral_relu(raised, {.threshold = 1, .path = hard_cap_path::eigenvectors});
  see("spectral_relu", frobenius_distance(raised, clip(1, 1000)), 1e-40);
  auto const smooth = [&](index_t k) {
    plain const s = sigma(k);
    return plain(s / sqrt(plain(1 + s * s)));
  };
  see("smooth_cap / tolerance",
      frobenius_distance(sigmax::smooth_capped(w, {.sigma_max = 1, .tolerance = 1e-10}), with<plain>(smooth)) / 1e-10,
      3);
  auto sines = w;
  (void)sigmax::spectral_function(sines, [](double s) { return std::sin(s); }, {.tolerance = 1e-12});
  see("spectral_function, sin, coefficients in double",
      frobenius_distance(sines, with<plain>([&](index_t k) { return plain(sin(sigma(k))); })), 1e-12);
}
#endif

TEST_CASE("a tolerance that takes more than 32 steps is refused, and kept where it takes fewer") {
  matrix<plain> w(2, 2);
  w(0, 0) = plain(1);
  w(1, 1) = plain("1e-3");
  auto const before = w;
  CHECK_THROWS_WITH_AS(sigmax::orthogonalize(sigmax::cpu::scalar{}, w, {.tolerance = 0.1}),
                       doctest::Contains("more than 32 steps"), sigmax::domain_error);
  CHECK((w(0, 0) == before(0, 0) && w(1, 1) == before(1, 1)));
  sigmax::orthogonalize(sigmax::cpu::scalar{}, w, {.tolerance = 0.1, .smallest = 1e-4});
  for (index_t i = 0; i < 2; ++i) {
    CHECK(w(i, i) >= plain(0.9));
    CHECK(w(i, i) <= plain(1.1));
  }
}
