// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/polynomial/chebyshev.hpp>
#include <sigmax/polynomial/schedules.hpp>

using sigmax::index_t;

namespace {

template <class T>
sigmax::vector_view<T> view(std::vector<std::remove_const_t<T>>& v) {
  return {v.data(), static_cast<index_t>(v.size())};
}

std::vector<double> fitted(auto const& f, double upper, index_t q) {
  std::vector<double> c(static_cast<std::size_t>(q + 1));
  sigmax::chebyshev_fit(f, upper, view<double>(c));
  return c;
}

double error_of(auto const& f, double upper, index_t q) {
  auto c = fitted(f, upper, q);
  return sigmax::chebyshev_error(f, upper, view<double const>(c));
}

}  // namespace

TEST_CASE("a polynomial of the degree is met exactly") {
  sigmax::odd_polynomial<> const p{3.4445, -4.7750, 2.0315};
  for (double const upper : {0.5, 1.0, 3.0}) {
    for (index_t const q : {2, 3, 10, 40}) {
      auto c = fitted(p, upper, q);
      double const size = std::fabs(p(upper)) + 10;
      for (double x = -upper; x <= upper; x += upper / 64) {
        CHECK(std::fabs(sigmax::chebyshev_value(view<double const>(c), upper, x) - p(x)) <= 1e-14 * size);
      }
      for (std::size_t k = 3; k < c.size(); ++k) CHECK(std::fabs(c[k]) <= 1e-14 * size);
      CHECK(sigmax::chebyshev_error(p, upper, view<double const>(c)) <= 1e-14 * size);
    }
  }
  // By hand: f = x^3 on [0, 2], g = y = 2 + 2 s.
  auto const c = fitted([](double x) { return x * x * x; }, 2, 1);
  CHECK(c[0] == doctest::Approx(2).epsilon(1e-15));
  CHECK(c[1] == doctest::Approx(2).epsilon(1e-15));
}

TEST_CASE("smooth functions converge geometrically, kinks slowly") {
  auto const sine = [](double x) { return std::sin(x); };
  CHECK(error_of(sine, 3, 8) <= 1e-12);
  CHECK(error_of(sine, 3, 12) <= 1e-14);
  auto const smooth_cap = [](double x) { return x / std::sqrt(1 + x * x); };
  // g = (1 + y)^(-1/2) on [0, 4]: rho = 2 for the singularity at y = -1, s = -1.5 (rho = 1.5 + sqrt(1.25) = 2.618).
  double last = error_of(smooth_cap, 2, 4);
  for (index_t q = 8; q <= 24; q += 4) {
    double const error = error_of(smooth_cap, 2, q);
    CHECK(error <= last * std::pow(2.618, -4) * 1.5);
    last = error;
  }
  auto const cap = [](double x) { return std::fmin(x, 1.0); };
  CHECK(error_of(cap, 2, 16) <= 0.03);
  CHECK(error_of(cap, 2, 64) <= 0.008);
  CHECK(error_of(cap, 2, 64) >= 1e-4);
}

TEST_CASE("the estimate sees the error where it is") {
  auto const cap = [](double x) { return std::fmin(x, 1.0); };
  auto c = fitted(cap, 2, 20);
  double largest = 0;
  for (int i = 0; i <= 100000; ++i) {
    double const x = 2e-5 * i;
    largest = std::fmax(largest, std::fabs(sigmax::chebyshev_value(view<double const>(c), 2, x) - cap(x)));
  }
  double const estimate = sigmax::chebyshev_error(cap, 2, view<double const>(c));
  CHECK(estimate <= largest * (1 + 1e-9));
  CHECK(estimate >= largest * 0.98);
}

TEST_CASE("Paterson and Stockmeyer's blocks are the same polynomial") {
  sigmax::random_sequence const numbers(23);
  std::uint64_t next = 0;
  for (index_t q = 0; q <= 40; ++q) {
    for (index_t s = 1; s <= q + 2; ++s) {
      std::vector<double> c(static_cast<std::size_t>(q + 1));
      double size = 0;
      for (auto& value : c) {
        value = 2 * numbers.uniform(next++) - 1;
        size += std::fabs(value);
      }
      index_t const rows = q / s + 1;
      std::vector<double> storage(static_cast<std::size_t>(rows * s), std::nan(""));
      sigmax::matrix_view<double> const blocks(storage.data(), rows, s);
      sigmax::chebyshev_blocks(view<double const>(c), blocks);
      double largest = 0;
      for (double const value : storage) largest = std::fmax(largest, std::fabs(value));
      CHECK(largest <= 2 * size);
      CHECK(largest <= 2 * static_cast<double>(rows));  // |c| <= 1
      for (double x = -1.5; x <= 1.5; x += 0.03125) {
        double const plain = sigmax::chebyshev_value(view<double const>(c), 1.5, x);
        CHECK(std::fabs(sigmax::chebyshev_blocks_value(blocks, 1.5, x) - plain) <= 1e-13 * size);
      }
    }
  }
}

TEST_CASE("the block size needs the fewest products") {
  for (index_t q = 0; q <= 300; ++q) {
    index_t const s = sigmax::chebyshev_block_size(q);
    index_t const products = s - 1 + q / s;
    for (index_t other = 1; other <= q + 1; ++other) CHECK(products <= other - 1 + q / other);
    CHECK(static_cast<double>(products) <= 2 * std::sqrt(static_cast<double>(q)));
  }
}

TEST_CASE("views with strides, and arguments that do not fit") {
  std::vector<double> spread(30, -7.0);
  auto const sine = [](double x) { return std::sin(x); };
  sigmax::chebyshev_fit(sine, 2, sigmax::vector_view<double>(spread.data(), 10, 3));
  auto const dense = fitted(sine, 2, 9);
  for (std::size_t k = 0; k < 10; ++k) {
    CHECK(spread[3 * k] == dense[k]);
    CHECK(spread[3 * k + 1] == -7.0);
  }
  std::vector<double> c(4);
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (double const upper : {0.0, -1.0, nan, HUGE_VAL}) {
    CHECK_THROWS_AS(sigmax::chebyshev_fit(sine, upper, view<double>(c)), sigmax::domain_error);
    CHECK_THROWS_AS(sigmax::chebyshev_error(sine, upper, view<double const>(c)), sigmax::domain_error);
  }
  CHECK_THROWS_AS(sigmax::chebyshev_fit(sine, 1, sigmax::vector_view<double>()), sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::chebyshev_fit([&](double) { return nan; }, 1, view<double>(c)), sigmax::numeric_error);
  std::vector<double> storage(6);
  CHECK_THROWS_AS(sigmax::chebyshev_blocks(view<double const>(c), sigmax::matrix_view<double>(storage.data(), 3, 2)),
                  sigmax::shape_error);
  CHECK_THROWS_AS(sigmax::chebyshev_blocks(view<double const>(c), sigmax::matrix_view<double>()), sigmax::shape_error);
}
