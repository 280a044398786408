// SPDX-License-Identifier: MIT
// The smooth cap: f(s) = s / sqrt(1 + s^2 / c^2), below the cap and below s.

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/spectral/smooth_cap.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("f within its relative tolerance and rounding, below the cap", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure error(joined({place<Case>(), "|f(s) - exact| / (tolerance + rounding) c"}));
  figure excess(joined({place<Case>(), "||f(W)|| / c - 1"}));
  for (double const tolerance : {1e-2, 1e-6, 1e-11}) {
    for (double const ratio : {0.01, 1.0, 2.0, 10.0, 1e3, 1e5}) {
      for (auto const shape : {extents{12, 12}, {9, 20}, {20, 9}, {1, 1}}) {
        index_t const m = shape.rows;
        index_t const n = shape.cols;
        INFO("tolerance ", tolerance, ", ratio ", ratio, ", ", m, " x ", n);
        double const c = 0.7;
        index_t const r = std::min(m, n);
        auto const w = rounded<T>(with_singular_values(m, n, 5, [=](index_t i) {
          long double const down = static_cast<long double>(i) / static_cast<long double>(r);
          return i % 4 == 3 ? 0.0L : c * static_cast<long double>(ratio) * std::pow(1e3L, -down);
        }));
        auto const result = sigmax::smooth_capped(on, w, {.sigma_max = c, .tolerance = tolerance});
        exact const expected = apply_to_singular_values(w, [=](long double s) { return s / std::hypot(1.0L, s / c); });
        // The norm of the result is size c; double inside, rounding about u (||W|| / c)^2 of it.
        double const size = ratio / std::hypot(1, ratio);
        double const limit =
            tolerance * size + 64 * 0x1p-53 * size * (1 + ratio * ratio) + roundoff<T>() * size * std::sqrt(r);
        error.see(spectral_distance(result, expected) / c, limit);
        excess.see(spectral_norm(in_long_double(result)) / c - 1, 4 * roundoff<T>() + 4 * 0x1p-53 * ratio * ratio);
      }
    }
  }
}

TEST_CASE_TEMPLATE("both norms, and the identity far below", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  auto const w = rounded<T>(of_spectrum(standard_spectra[0], 6, 15, 3, 4));
  // ||W||_{RMS->RMS} = sqrt(15 / 6) ||W||_2.
  auto const rms = sigmax::smooth_capped(on, w, {.sigma_max = 1, .norm = sigmax::norm::rms});
  auto const same = sigmax::smooth_capped(on, w, {.sigma_max = std::sqrt(6.0 / 15)});
  CHECK(spectral_distance(rms, same) <= 8 * roundoff<T>());
  auto far = w;
  sigmax::smooth_cap(on, far, {.sigma_max = 1e12});
  CHECK(same_bits(far, w));
  sigmax::smooth_cap(on, far, {.sigma_max = 1e300});
  CHECK(same_bits(far, w));
  sigmax::matrix<T> zero(3, 2);
  sigmax::smooth_cap(on, zero, {.sigma_max = 1});
  CHECK(same_bits(zero, sigmax::matrix<T>(3, 2)));
}
