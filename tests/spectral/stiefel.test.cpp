// SPDX-License-Identifier: MIT
// Projection to the Stiefel manifold: one value for all singular values, in either norm.

#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/stiefel.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("all singular values become sigma_max in the norm asked for", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure error(joined({place<Case>(), "||projected - sigma U V^T|| / (u sigma kappa)"}));
  for (auto const shape : standard_shapes) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    for (bool const rms : {false, true}) {
      INFO(m, " x ", n, rms ? ", rms" : ", l2");
      auto const w =
          rounded<T>(with_singular_values(m, n, 3, [](index_t i) { return 5 / static_cast<long double>(i + 1); }));
      auto const norm = rms ? sigmax::norm::any(sigmax::norm::rms) : sigmax::norm::any(sigmax::norm::l2);
      auto const result = sigmax::projected_to_stiefel(on, w, {.sigma_max = 3, .norm = norm});
      // ||W||_{RMS->RMS} = sqrt(cols / rows) ||W||_2
      long double const sigma = rms ? 3 * std::sqrt(static_cast<long double>(m) / static_cast<long double>(n)) : 3.0L;
      exact const expected = apply_to_singular_values(w, [=](long double) { return sigma; });
      error.see(spectral_distance(result, expected) / roundoff<T>() / sigma / static_cast<long double>(std::min(m, n)),
                8);
    }
  }
}

TEST_CASE("each matrix of a batch is scaled for its own shape, by a schedule too") {
  std::array<sigmax::matrix<double>, 2> batch = {rounded<double>(gaussian(4, 16, 1)),
                                                 rounded<double>(gaussian(16, 4, 2))};
  auto by_schedule = batch;
  sigmax::project_to_stiefel(batch, {.sigma_max = 1, .norm = sigmax::norm::rms});
  CHECK(std::fabs(spectral_norm(in_long_double(batch[0])) - 0.5L) <= 1e-14L);
  CHECK(std::fabs(spectral_norm(in_long_double(batch[1])) - 2.0L) <= 1e-14L);
  sigmax::project_to_stiefel(by_schedule,
                             {.sigma_max = 1, .norm = sigmax::norm::rms, .schedule = sigmax::schedules::you_1024});
  for (std::size_t b = 0; b < 2; ++b) {
    long double const sigma = b == 0 ? 0.5L : 2.0L;
    auto const values = svd(by_schedule[b]).sigma;
    CHECK(values.front() <= 0.99934L * sigma);
    CHECK(values.back() >= 0.8663L * sigma);
  }
}
