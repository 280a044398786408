// SPDX-License-Identifier: MIT
// The soft cap: its polynomial on the singular values, its domain, the cap.

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/spectral/soft_cap.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

/// f(s) for a cap of 1 and strength a: p2(p1(s)), p1(s) = s - a s^3, p2(s) = s + a s^3.
long double soft(long double a, long double s) {
  long double const inner = s - a * s * s * s;
  return inner + a * inner * inner * inner;
}

/// The singular values of a step: k at the top, then others down to 0.
exact reaching(long double k, index_t m, index_t n) {
  return with_singular_values(m, n, 11, [=](index_t i) {
    return i == 0 ? k : i % 5 == 4 ? 0.0L : k * (1 - static_cast<long double>(i) / static_cast<long double>(m + n));
  });
}

template <class F>
std::string message_of(F const& call) {
  try {
    call();
  } catch (sigmax::domain_error const& error) {
    return error.what();
  }
  return "no domain_error";
}

bool contains(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_TEMPLATE("singular values become f(s), none above the cap", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const tolerance = std::is_same_v<T, float> ? 1e-6 : 1e-14;
  figure error(joined({place<Case>(), "||f(W) - exact|| / cap"}));
  figure excess(joined({place<Case>(), "(||f(W)|| / cap - 1) / u"}));
  for (auto const shape : {extents{12, 12}, {9, 31}, {31, 9}, {1, 13}, {1, 1}, {40, 60}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    for (double const cap : {1.0, 3e-4, 700.0}) {
      // 0.306 is below the limit 81 / 62 - 1 = 0.30645...
      for (double const step : {0.01, 0.1, 0.3, 0.306}) {
        for (double const decay : {0.0, 0.125}) {
          for (bool const rms : {false, true}) {
            INFO(m, " x ", n, ", cap ", cap, ", step ", step, ", decay ", decay, rms ? ", rms" : ", l2");
            auto const norm = rms ? sigmax::norm::any(sigmax::norm::rms) : sigmax::norm::any(sigmax::norm::l2);
            long double const in_l2 =
                cap * (rms ? std::sqrt(static_cast<long double>(m) / static_cast<long double>(n)) : 1.0L);
            long double const k = 1 - static_cast<long double>(decay) + static_cast<long double>(step);
            auto const w = rounded<T>(reaching(in_l2 * k, m, n));
            auto result = w;
            sigmax::soft_cap(on, result,
                             {.sigma_max = cap, .update_norm = step * cap, .weight_decay = decay, .norm = norm});
            if (k <= 1) {
              CHECK(same_bits(result, w));
              continue;
            }
            long double const strength = sigmax::soft_cap_strength(1, step, decay);
            exact const expected =
                apply_to_singular_values(w, [=](long double s) { return in_l2 * soft(strength, s / in_l2); });
            error.see(spectral_distance(result, expected) / in_l2, tolerance);
            excess.see((spectral_norm(in_long_double(result)) / in_l2 - 1) / roundoff<T>(), 8);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a step that decay makes up for leaves W as it is", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (double const cap : {1.0, 0.3, 1e-3}) {
    // k = cap exactly, and below. Products of doubles: decay cap is exact.
    for (double const step : {0.0, 0.0625 * cap, 0.125 * cap}) {
      auto w = rounded<T>(reaching((1 - 0.125L) * cap + step - 1e-6L * cap, 8, 10));
      auto const before = w;
      sigmax::soft_cap(on, w, {.sigma_max = cap, .update_norm = step, .weight_decay = 0.125});
      CHECK(same_bits(w, before));
      sigmax::soft_cap(on, w, {.sigma_max = cap, .update_norm = step, .weight_decay = 0.125, .check_domain = false});
      CHECK(same_bits(w, before));
    }
  }
}

TEST_CASE_TEMPLATE("what the polynomial cannot take back is refused, and W untouched", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  auto w = rounded<T>(reaching(1, 8, 10));
  auto const before = w;
  auto const refused = [&](sigmax::soft_cap_options const& options) {
    std::string const text = message_of([&] { sigmax::soft_cap(on, w, options); });
    CHECK(same_bits(w, before));
    return text;
  };
  CHECK(contains(refused({.sigma_max = 1, .update_norm = 0.307}), "81/62"));
  CHECK(contains(refused({.sigma_max = 3, .update_norm = 1}), "update_norm 1 "));
  CHECK(contains(refused({.sigma_max = 1, .update_norm = -0.25}), "update_norm is -0.25"));
  CHECK(contains(refused({.sigma_max = 8, .update_norm = -0.25}), "update_norm is -0.25"));
  CHECK(contains(refused({.sigma_max = 1, .update_norm = std::nan("")}), "update_norm is"));
  CHECK(contains(refused({.sigma_max = 1, .update_norm = 0.1, .weight_decay = 1.5}), "weight_decay is 1.5"));
  CHECK(contains(refused({.sigma_max = 1, .update_norm = 0.1, .weight_decay = -0.5}), "weight_decay is -0.5"));
  CHECK(contains(refused({.sigma_max = 0}), "sigma_max is 0"));
  CHECK(contains(refused({.sigma_max = -1}), "sigma_max is -1"));
  CHECK(contains(refused({.sigma_max = std::nan("")}), "sigma_max is"));
  CHECK(contains(refused({.sigma_max = 1, .norm = sigmax::norm::linf}), "norm is linf"));
  // ||W|| = 1 is above k by 1e-4 and by a factor.
  CHECK(contains(refused({.sigma_max = 0.9, .update_norm = 0.0999}), "above 0.9999"));
  CHECK(contains(refused({.sigma_max = 1e-3, .update_norm = 1e-4}), "soft_cap: ||W||_2 is above 0.0011"));
  CHECK(contains(refused({.sigma_max = 0.5}), "above 0.5"));
  CHECK(contains(refused({.sigma_max = 1, .update_norm = 0.1, .weight_decay = 0.2}), "above 0.9"));
  // In the RMS norm it is sqrt(10 / 8) times larger.
  CHECK(contains(refused({.sigma_max = 1, .update_norm = 0.11, .norm = sigmax::norm::rms}), "above 1.11"));
}

TEST_CASE_TEMPLATE("a norm of exactly k is accepted", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  // Orthonormal rows times k: the free bounds cannot decide, and k I - X X^T is 0.
  for (index_t const m : {1, 2, 8, 30}) {
    auto w = rounded<T>(with_singular_values(m, m + 3, 1, [](index_t) { return 1.25L; }));
    CHECK_NOTHROW(sigmax::soft_cap(on, w, {.sigma_max = 1, .update_norm = 0.25}));
    CHECK(spectral_norm(in_long_double(w)) <= 1 + 8 * roundoff<T>());
    CHECK(spectral_norm(in_long_double(w)) >= 1 - 16 * roundoff<T>());
  }
}

TEST_CASE_TEMPLATE("far below the cap and at extreme scales f is what it is", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  bool const single = std::is_same_v<T, float>;
  for (double const scale : {single ? 1e-30 : 1e-300, 1e-3, single ? 1e30 : 1e300}) {
    auto const w = rounded<T>(of_spectrum(standard_spectra[2], 6, 9, 3, 1.1L * scale));
    auto result = w;
    sigmax::soft_cap(on, result, {.sigma_max = scale, .update_norm = 0.25 * scale});
    long double const strength = sigmax::soft_cap_strength(1, 0.25);
    exact const expected = apply_to_singular_values(
        w, [=](long double s) { return scale * soft(strength, s / static_cast<long double>(scale)); });
    CHECK(spectral_distance(result, expected) <= 20 * roundoff<T>() * scale);
    // 1e10 times below its cap: the identity to rounding.
    result = w;
    sigmax::soft_cap(on, result, {.sigma_max = std::min(scale * 1e10, 1e307), .update_norm = scale});
    CHECK(spectral_distance(result, w) <= (scale > 1e297 ? 0.1 : 20 * roundoff<T>()) * scale);
  }
}
