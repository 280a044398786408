// SPDX-License-Identifier: MIT
// Functions of the singular values by one polynomial of high degree.

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/spectral/spectral_function.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

exact spread(index_t m, index_t n, long double top) {
  return with_singular_values(m, n, 9,
                              [=](index_t i) { return i % 5 == 4 ? 0.0L : top / static_cast<long double>(i + 1); });
}

}  // namespace

TEST_CASE_TEMPLATE("smooth functions to the tolerance", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure error(joined({place<Case>(), "||f(W) - exact|| / max |f|"}));
  auto const see = [&](char const* name, auto const& f, long double top, int most) {
    for (auto const shape : {extents{11, 11}, {6, 20}, {20, 6}, {1, 1}}) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      INFO(std::string(name), ", ", m, " x ", n);
      auto const w = rounded<T>(spread(m, n, top));
      auto result = w;
      auto const fitted = sigmax::spectral_function(on, result, f, {.tolerance = 1e-12});
      exact const expected = apply_to_singular_values(w, [&](long double s) { return s > 0 ? f(s) : 0.0L; });
      error.see(spectral_distance(result, expected), 2e-12 + 2 * roundoff<T>());
      CHECK(fitted.degree <= most);
      CHECK(fitted.error <= 1.5e-12);
    }
  };
  see(
      "sin", [](auto x) { return std::sin(x); }, 3, 31);
  see(
      "sin, many periods", [](auto x) { return std::sin(x); }, 60, 255);
  see(
      "x / (1 + x^2)", [](auto x) { return x / (1 + x * x); }, 4, 255);
  see(
      "tanh(8 x)", [](auto x) { return std::tanh(8 * x); }, 2, 511);
  see(
      "x^9", [](auto x) { return std::pow(x, 9); }, 1, 15);
  see(
      "identity", [](auto x) { return x; }, 1, 15);
}

TEST_CASE_TEMPLATE("a degree and an interval that are given are taken", Case, on<sigmax::cpu::scalar, double>,
                   on<sigmax::cpu::simd<>, float>) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  auto const cube = [](double x) { return x * x * x - x; };
  for (int const degree : {3, 4, 5, 7, 33, 101, 2047}) {
    CAPTURE(degree);
    auto const w = rounded<T>(spread(7, 9, 1.25L));
    auto result = w;
    auto const fitted = sigmax::spectral_function(on, result, cube, {.upper = 2, .degree = degree});
    CHECK(fitted.degree == (degree + 1) / 2 * 2 - 1);
    CHECK(fitted.error <= 1e-12);
    exact const expected = apply_to_singular_values(w, [](long double s) { return s * s * s - s; });
    CHECK(spectral_distance(result, expected) <= 1e-11 + 2 * roundoff<T>());
  }
  // The estimate is honest where the degree is too low: x^5 by degree 3.
  auto w = rounded<T>(spread(7, 9, 1.0L));
  auto const before = w;
  auto const fitted =
      sigmax::spectral_function(on, w, [](double x) { return std::pow(x, 5); }, {.upper = 1, .degree = 3});
  exact const expected = apply_to_singular_values(before, [](long double s) { return std::pow(s, 5.0L); });
  CHECK(spectral_distance(w, expected) <= fitted.error * 1.01 + 2 * roundoff<T>());
  CHECK(fitted.error >= 0.02);
  // ||W|| = upper to rounding in double is accepted.
  if (std::is_same_v<T, float>) return;
  auto edge = rounded<T>(with_singular_values(4, 6, 2, [](index_t) { return 1.5L; }));
  CHECK_NOTHROW((void)sigmax::spectral_function(on, edge, [](double x) { return x / 2; }, {.upper = 1.5}));
  CHECK(std::fabs(spectral_norm(in_long_double(edge)) - 0.75L) <= 4 * roundoff<T>());
}
