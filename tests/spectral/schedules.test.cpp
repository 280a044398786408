// SPDX-License-Identifier: MIT
// Schedules applied by orthogonalize: singular values end in the image that each schedule states.

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/stiefel.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::normalization;
using sigmax::polynomial_form;
using sigmax::polynomial_schedule;

namespace {

/// All presets that take singular values to 1, and a schedule of one's own.
polynomial_schedule const schedules[] = {
    sigmax::schedules::muon,
    sigmax::schedules::you,
    sigmax::schedules::you_1024,
    sigmax::schedules::polar_express,
    sigmax::schedules::polar_express_5,
    sigmax::schedules::polar_express_raw,
    sigmax::schedules::polar_express_raw_5,
    sigmax::schedules::modded_nanogpt,
    sigmax::schedules::deepseek,
    sigmax::schedules::cans,
    sigmax::schedules::cesista,
    sigmax::schedules::cubic5,
    sigmax::schedules::cubic,
    sigmax::schedules::quintic,
    sigmax::minimax_schedule(1e-2, 4, {.degree = 9, .safety = 0.01, .cushion = 0.02})};

/// One dominant singular value, the others crowded at `level`: where an optimizer's gradients often are.
exact dominated(index_t m, index_t n, long double level, std::uint64_t seed = 3) {
  return with_singular_values(
      m, n, seed, [=](index_t i) { return i == 0 ? 1.0L : level * (1 + 0.01L * static_cast<long double>(i)); });
}

/// How far `result` leaves what the schedule states, over all singular vectors of W: above greatest, and below least for
/// those the schedule reaches.
struct departure {
  long double above = -1;
  long double below = -1;

  template <class T>
  departure(sigmax::matrix<T> const& w, sigmax::matrix<T> const& result, polynomial_schedule const& schedule) {
    exact const q = in_long_double(result);
    above = spectral_norm(q) - static_cast<long double>(schedule.greatest());
    auto const exact_svd = svd(w);
    long double frobenius = 0;
    for (auto const sigma : exact_svd.sigma) frobenius += sigma * sigma;
    frobenius = std::sqrt(frobenius);
    // u_k^T p(W) v_k = p(s_k).
    for (std::size_t k = 0; k < exact_svd.sigma.size(); ++k) {
      if (!(exact_svd.sigma[k] >= static_cast<long double>(schedule.lower()) * frobenius)) continue;
      long double image = 0;
      for (index_t i = 0; i < q.rows(); ++i) {
        for (index_t j = 0; j < q.cols(); ++j) {
          image += exact_svd.u(i, static_cast<index_t>(k)) * q(i, j) * exact_svd.v(j, static_cast<index_t>(k));
        }
      }
      below = std::max(below, static_cast<long double>(schedule.least()) - image);
      above = std::max(above, image - static_cast<long double>(schedule.greatest()));
    }
  }
};

}  // namespace

TEST_CASE_TEMPLATE("every schedule keeps its statement in double, however normalised", B, sigmax::cpu::scalar,
                   sigmax::cpu::simd<>) {
  B const on;
  figure above(joined({B::name, " double: largest singular value - greatest"}));
  figure below(joined({B::name, " double: least - smallest singular value from lower on"}));
  for (auto const& schedule : schedules) {
    for (auto const normalize_by : {normalization::gram, normalization::frobenius}) {
      for (auto const shape : {extents{12, 12}, {8, 30}, {1, 7}, {1, 1}}) {
        index_t const m = shape.rows;
        index_t const n = shape.cols;
        for (auto const& family : standard_spectra) {
          INFO(std::string(schedule.name()), ", ", m, " x ", n, ", ", family.name);
          auto const w = rounded<double>(of_spectrum(family, m, n, 4, 1e-7L));
          auto const q = sigmax::orthogonalized(on, w, {.schedule = schedule, .normalize_by = normalize_by});
          departure const d(w, q, schedule);
          above.see(d.above, 1e-9);
          below.see(d.below, 1e-9);
        }
      }
    }
  }
}

// In Gram form rounding is up to gram_error where singular values are smallest; in standard form it is u / lower there.
TEST_CASE_TEMPLATE("and in float to rounding", Case, on<sigmax::cpu::simd<>, float>) {
  typename Case::backend const on;
  for (auto const form : {polynomial_form::automatic, polynomial_form::standard}) {
    bool const standard = form == polynomial_form::standard;
    std::string const name = standard ? "float, standard form: " : "float, default form: ";
    figure above(joined({name, "largest singular value - greatest"}));
    figure below(joined({name, "least - smallest singular value from lower on"}));
    for (auto const& schedule : schedules) {
      for (auto const normalize_by : {normalization::gram, normalization::frobenius}) {
        auto const see = [&](exact const& exact_w) {
          auto const w = rounded<float>(exact_w);
          auto const q =
              sigmax::orthogonalized(on, w, {.schedule = schedule, .normalize_by = normalize_by, .form = form});
          departure const d(w, q, schedule);
          above.see(d.above, standard ? 1e-4 : 0.02);
          below.see(d.below, standard ? 1e-3 : 0.02);
        };
        INFO(std::string(schedule.name()));
        for (auto const& family : standard_spectra) see(of_spectrum(family, 8, 30, 4));
        for (long double const level : {1e-3L, 2e-3L, 4e-3L}) see(dominated(8, 24, level));
      }
    }
  }
}

TEST_CASE("you_1024 never exceeds 1 where its rounding is kept below its margin") {
  auto const& schedule = sigmax::schedules::you_1024;
  figure in_double("you_1024, double: largest singular value");
  figure in_float("you_1024, float, gram_error 1e-3: largest singular value");
  figure projected("project_to_stiefel by you_1024, float: norm / sigma_max");
  figure by_default("you_1024, float, default gram_error 0.05: largest singular value");
  auto const see = [&](exact const& w) {
    auto const single = rounded<float>(w);
    for (auto const normalize_by : {normalization::gram, normalization::frobenius}) {
      in_double.see(spectral_norm(in_long_double(sigmax::orthogonalized(
                        rounded<double>(w), {.schedule = schedule, .normalize_by = normalize_by}))),
                    1);
      in_float.see(spectral_norm(in_long_double(sigmax::orthogonalized(
                       single, {.schedule = schedule, .normalize_by = normalize_by, .gram_error = 1e-3}))),
                   1);
      by_default.see(spectral_norm(in_long_double(
                         sigmax::orthogonalized(single, {.schedule = schedule, .normalize_by = normalize_by}))),
                     1.01);
    }
    projected.see(
        spectral_norm(in_long_double(sigmax::projected_to_stiefel(single, {.sigma_max = 0.25, .schedule = schedule}))) *
            4,
        1);
  };
  for (auto const shape : {extents{8, 8}, {8, 16}, {8, 64}, {40, 80}}) {
    index_t const m = shape.rows;
    index_t const n = shape.cols;
    for (auto const& family : standard_spectra) see(of_spectrum(family, m, n, 4));
    for (long double level = 3e-4L; level < 0.5L; level *= 1.7L) see(dominated(m, n, level));
    see(dominated(m, n, 1.79085e-3L, 4));  // where rounding in Gram form was seen to raise singular values most
  }
}

// p(s / bound) itself: Frobenius' bound is known. (What a schedule reaches above 1 is its safety, not its domain.)
TEST_CASE_TEMPLATE("by the Frobenius norm the result is p(s / ||W||_F)", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure error(joined({place<Case>(), "p(s / ||W||_F), standard form, / (u slope)"}));
  for (auto const& schedule : schedules) {
    auto const w = rounded<T>(of_spectrum(standard_spectra[0], 10, 14, 6));
    auto const q = sigmax::orthogonalized(
        on, w, {.schedule = schedule, .normalize_by = normalization::frobenius, .form = polynomial_form::standard});
    long double squares = 0;
    for (index_t i = 0; i < w.size(); ++i)
      squares += static_cast<long double>(w.data()[i]) * static_cast<long double>(w.data()[i]);
    long double const unit = 1 / std::sqrt(squares);
    exact const expected = apply_to_singular_values(w, [&](long double s) { return schedule(unit * s); });
    INFO(std::string(schedule.name()));
    error.see(spectral_distance(q, expected) / roundoff<T>() / static_cast<long double>(schedule.slope()), 8);
  }
}
