// SPDX-License-Identifier: MIT
// Compositions on singular values as they are, and their domain.

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/apply_polynomial.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

exact flat(index_t m, index_t n, long double sigma) {
  return with_singular_values(m, n, 3, [=](index_t) { return sigma; });
}

}  // namespace

TEST_CASE_TEMPLATE("the domain ends at upper", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  auto const& schedule = sigmax::schedules::hard_cap;  // upper 3.5
  for (auto const shape : {extents{12, 12}, {5, 30}, {30, 5}, {1, 1}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    INFO(m, " x ", n);
    // Flat, where the bounds that cost nothing are sharp, and one value above the others, where they decide nothing.
    auto const leading = [&](long double sigma) {
      return with_singular_values(m, n, 7, [=](index_t i) { return i == 0 ? sigma : 0.9L * sigma; });
    };
    for (auto const& at : {flat(m, n, 3.5L), leading(3.5L)}) {
      auto w = rounded<T>(at);
      CHECK_NOTHROW(sigmax::apply_polynomial(on, w, schedule));
    }
    for (auto const& above : {flat(m, n, 3.501L), leading(3.501L), leading(3.6L), leading(1e10L)}) {
      auto w = rounded<T>(above);
      auto const before = w;
      CHECK_THROWS_AS(sigmax::apply_polynomial(on, w, schedule), sigmax::domain_error);
      CHECK(same_bits(w, before));
    }
  }
  // Nobody asked: p(3.6) it is.
  auto w = rounded<T>(flat(3, 5, 3.6L));
  sigmax::apply_polynomial(on, w, schedule, {.check_domain = false});
  CHECK(std::fabs(spectral_norm(in_long_double(w)) - std::fabs(schedule(3.6L))) <= 1e4L * roundoff<T>());
}

// Off by 0.0339 at 1 and nowhere more on [0, 3.5] (polynomials.md 3.3).
TEST_CASE_TEMPLATE("the published hard cap on a norm of 3.4", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  auto const w = rounded<T>(with_singular_values(15, 20, 5, [](index_t i) {
    return i == 0 ? 3.4L : i == 1 ? 1.0L : 3.4L / static_cast<long double>(i);
  }));
  for (auto const form : {sigmax::polynomial_form::standard, sigmax::polynomial_form::gram}) {
    auto const result = sigmax::polynomial_applied(on, w, sigmax::schedules::hard_cap, {.form = form});
    exact const expected = apply_to_singular_values(w, [](long double s) { return sigmax::schedules::hard_cap(s); });
    CHECK(spectral_distance(result, expected) <= 200 * roundoff<T>());
    exact const cap = apply_to_singular_values(w, [](long double s) { return std::min(s, 1.0L); });
    long double const error = spectral_distance(result, cap);
    CHECK(error <= 0.03394L);
    CHECK(error >= 0.0338L);
    CHECK(spectral_norm(in_long_double(result)) <= 1.01089L);
  }
}

TEST_CASE_TEMPLATE("p of every preset on its own domain, to gram_error", T, float, double) {
  figure error(joined({name_of<T>(), ": ||p(W) - exact|| / (gram_error + u slope)"}));
  for (auto const& schedule :
       {sigmax::schedules::muon, sigmax::schedules::you, sigmax::schedules::you_1024, sigmax::schedules::polar_express,
        sigmax::schedules::modded_nanogpt, sigmax::minimax_schedule<6>(1e-3)}) {
    for (auto const shape : {extents{10, 10}, {8, 40}}) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      INFO(std::string(schedule.name()), ", ", m, " x ", n);
      auto const w = rounded<T>(with_singular_values(m, n, 5, [&](index_t i) {
        return std::min(1.0L, static_cast<long double>(schedule.upper())) / static_cast<long double>(1 + i * i);
      }));
      auto const result = sigmax::polynomial_applied(w, schedule);
      exact const expected = apply_to_singular_values(w, [&](long double s) { return schedule(s); });
      error.see(spectral_distance(result, expected), 1e-6 + 4 * roundoff<T>() * schedule.slope());
    }
  }
}

TEST_CASE("without steps W stays as it is") {
  auto w = rounded<float>(gaussian(4, 5, 1));
  auto const before = w;
  sigmax::apply_polynomial(w, sigmax::polynomial_schedule{});
  CHECK(same_bits(w, before));
}
