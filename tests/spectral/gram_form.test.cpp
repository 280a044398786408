// SPDX-License-Identifier: MIT
// Gram form against standard form: the same polynomial by other products.

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/apply_polynomial.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::polynomial_form;
using sigmax::polynomial_schedule;

namespace {

polynomial_schedule const* const presets[] = {&sigmax::schedules::muon, &sigmax::schedules::you,
                                              &sigmax::schedules::polar_express, &sigmax::schedules::modded_nanogpt};

/// 32 rows, singular values from 1 down to 1 / condition.
template <class T>
sigmax::matrix<T> graded(index_t aspect, long double condition) {
  index_t const m = 32;
  return rounded<T>(with_singular_values(m, aspect * m, 5, [=](index_t i) {
    return std::pow(condition, -static_cast<long double>(i) / static_cast<long double>(m - 1));
  }));
}

template <class B, class T>
long double distance_of_forms(B const& on, sigmax::matrix<T> const& w, polynomial_schedule const& schedule,
                              double gram_error, int& segments) {
  auto const standard = sigmax::orthogonalized(on, w, {.schedule = schedule, .form = polynomial_form::standard});
  auto const gram = sigmax::orthogonalized(on, w, {.schedule = schedule, .gram_error = gram_error});
  auto const plan =
      sigmax::plan_polynomial(w.rows(), w.cols(), schedule, {.gram_error = gram_error, .unit_roundoff = roundoff<T>()});
  segments = plan.segments;
  return spectral_distance(gram, standard);
}

}  // namespace

// Condition 1e3, to 1e-5 in float and 1e-12 in double. With these values of gram_error most schedules need restarts; in
// float those of slope 4 and more a step are left in standard form, where the distance is 0.
TEST_CASE_TEMPLATE("both forms agree to gram_error", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  bool const single = std::is_same_v<T, float>;
  double const limit = single ? 1e-5 : 1e-12;
  figure error(joined({place<Case>(), "Gram - standard, gram_error ", single ? "8e-6" : "3e-13"}));
  for (auto const* schedule : presets) {
    for (index_t const aspect : {4, 8}) {
      auto const w = graded<T>(aspect, 1e3L);
      int segments = 0;
      INFO(std::string(schedule->name()), ", ", aspect);
      error.see(distance_of_forms(on, w, *schedule, single ? 8e-6 : 3e-13, segments), limit);
      if (aspect == 8) std::printf("    %s: %d segments of %d steps\n", schedule->name(), segments, schedule->size());
      CHECK(segments > 1);
      if (!single) CHECK(segments < schedule->size());
    }
  }
}

// What the docstring of plan_options states, for every value: an estimate of the order of magnitude (a factor of three
// was seen), besides what rounding does to singular values of 1 / condition in any form.
TEST_CASE_TEMPLATE("the error follows gram_error", Case, on<sigmax::cpu::simd<>, float>,
                   on<sigmax::cpu::simd<>, double>) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const u = roundoff<T>();
  figure at_default(joined({place<Case>(), "Gram - standard, default gram_error 0.05"}));
  figure ratio(joined({place<Case>(), "Gram - standard - u kappa / 4, over gram_error"}));
  for (long double const condition : {1e3L, 30.0L}) {
    for (auto const* schedule : presets) {
      auto const w = graded<T>(4, condition);
      int segments = 0;
      at_default.see(distance_of_forms(on, w, *schedule, 0.1, segments), 0.1);
      for (double error = 0.1; error > 10 * u; error /= 10) {
        INFO(std::string(schedule->name()), ", gram_error ", error, ", condition ", condition);
        long double const distance = distance_of_forms(on, w, *schedule, error, segments);
        ratio.see((distance - 0.25L * u * condition) / error, 4);
      }
    }
  }
}

// Ten steps of slope 8e4 in all: without a restart u slope^2 = 370 in float. R = X X^T of a matrix without full rank has
// eigenvalues of -u, whose images leave the domain then.
TEST_CASE("restarts are what keeps long schedules right in float") {
  auto const& schedule = sigmax::schedules::deepseek;
  auto const w = rounded<float>(of_spectrum(standard_spectra[3], 32, 128, 6));
  auto const standard = sigmax::orthogonalized(w, {.schedule = schedule, .form = polynomial_form::standard});
  auto const automatic = sigmax::orthogonalized(w, {.schedule = schedule});
  auto const unbroken = sigmax::orthogonalized(w, {.schedule = schedule, .form = polynomial_form::gram});
  CHECK(sigmax::plan_polynomial(32, 128, schedule).segments == 2);
  long double const with_restart = spectral_distance(automatic, standard);
  long double const without = spectral_distance(unbroken, standard);
  std::printf("  rank-deficient in float, Gram - standard: %.2Lg with a restart, %.2Lg without\n", with_restart,
              without);
  CHECK(with_restart <= 0.01);
  CHECK(without > 1);  // so that a plan whose restarts are not carried out is seen here
}

// Both against the exact composition, degrees 3 to 9 and mixed, nothing normalised.
TEST_CASE_TEMPLATE("either form is the composition", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure error(joined({place<Case>(), "forms against p(S) / u"}));
  polynomial_schedule const mixed =
      polynomial_schedule("mixed",
                          {{1.25, -0.5}, {1.5, -0.75, 0.25}, {1, -0.25, 0.25, -0.125}, {1, 0.5, -0.5, 0.25, -0.0625}})
          .stating(0, 1.5, 0, 2);
  polynomial_schedule const compositions[] = {mixed,
                                              sigmax::schedules::classical(3, 3),
                                              sigmax::schedules::classical(5, 3),
                                              sigmax::schedules::classical(7, 2),
                                              sigmax::schedules::classical(9, 2),
                                              polynomial_schedule("one", {{0.5, 0.25, -0.125, 0.0625}}),
                                              polynomial_schedule("linear", {{0.5}}),
                                              polynomial_schedule("zero", {{0, 0, 0}})};
  for (auto const& schedule : compositions) {
    for (auto const form : {polynomial_form::standard, polynomial_form::gram, polynomial_form::automatic}) {
      for (auto const shape : {extents{6, 6}, {5, 20}, {20, 5}, {1, 4}}) {
        index_t const m = shape.rows;
        index_t const n = shape.cols;
        INFO(std::string(schedule.name()), ", degree ", schedule[0].degree(), ", form ", static_cast<int>(form), ", ",
             m, " x ", n);
        auto const w = rounded<T>(
            with_singular_values(m, n, 8, [](index_t i) { return 0.98L / static_cast<long double>(i + 1); }));
        auto const result = sigmax::polynomial_applied(on, w, schedule, {.form = form});
        exact const expected = apply_to_singular_values(w, [&](long double s) { return schedule(s); });
        error.see(spectral_distance(result, expected) / roundoff<T>(), 100);
      }
    }
  }
}
