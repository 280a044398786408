// SPDX-License-Identifier: MIT
// Clips from both sides and from below: ends, identities, and what small singular values cost.

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/spectral_clip.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;
using sigmax::index_t;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Singular values at both ends (1 +- 10^-digits), inside, above and below; all at least lower / 10.
exact at_ends(index_t m, index_t n, double lower, double upper, int digits) {
  auto const distance = std::pow(10.0L, -static_cast<long double>(digits));
  return with_singular_values(m, n, 13, [=](index_t i) -> long double {
    long double const end = i % 2 == 0 ? static_cast<long double>(upper) : static_cast<long double>(lower);
    switch (i % 6) {
      case 0:
        return end * 3;
      case 1:
        return end / 10;
      case 2:
      case 3:
        return end * (1 + distance);
      default:
        return end * (1 - distance);
    }
  });
}

}  // namespace

TEST_CASE_TEMPLATE("singular values at both ends are clipped on every path", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (auto const path : {hard_cap_path::eigenvectors, hard_cap_path::polynomial, hard_cap_path::automatic}) {
    bool const by_polynomial = path == hard_cap_path::polynomial;
    figure error(
        joined({place<Case>(), "clip by ", by_polynomial ? "polynomials" : "eigenvectors", ": error / nearer end"}));
    for (double const lower : {0.9, 0.5, 0.02}) {
      for (int digits = 1; digits <= 8; digits += by_polynomial ? 1 : 3) {
        for (auto const shape : {extents{12, 12}, {9, 20}, {20, 9}, {1, 5}}) {
          index_t const m = shape.rows;
          index_t const n = shape.cols;
          INFO("lower ", lower, ", digits ", digits, ", ", m, " x ", n);
          auto const w = rounded<T>(at_ends(m, n, lower, 1, digits));
          auto const result = sigmax::spectrally_clipped(on, w, {.lower = lower, .upper = 1, .path = path});
          exact const expected = apply_to_singular_values(
              w, [=](long double s) { return std::clamp(s, static_cast<long double>(lower), 1.0L); });
          // u of the storage: the matrix is rounded to it.
          double const limit = (by_polynomial ? 2e-5 * lower : 1e-12) + roundoff<T>() * std::sqrt(std::min(m, n));
          error.see(spectral_distance(result, expected), limit);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("so it is above 64 rows, where automatic means polynomials", T, float, double) {
  figure error(joined({name_of<T>(), ", 70 rows: error"}));
  auto const w = rounded<T>(at_ends(70, 75, 0.5, 1, 3));
  auto const result = sigmax::spectrally_clipped(w, {.lower = 0.5, .upper = 1});
  exact const expected = apply_to_singular_values(w, [](long double s) { return std::clamp(s, 0.5L, 1.0L); });
  error.see(spectral_distance(result, expected), 1e-5);
  // Not the eigenvectors' result, to be sure. (In float both are rounded to the same.)
  if (std::is_same_v<T, float>) return;
  CHECK(!same_bits(result,
                   sigmax::spectrally_clipped(w, {.lower = 0.5, .upper = 1, .path = hard_cap_path::eigenvectors})));
}

TEST_CASE_TEMPLATE("identities", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const u = roundoff<T>();
  auto const paths = {hard_cap_path::eigenvectors, hard_cap_path::polynomial};
  figure equal(joined({place<Case>(), "||clip_[s,s](W) - s polar(W)|| / s"}));
  figure cap(joined({place<Case>(), "||clip_[0,b](W) - hard_cap_b(W)|| / b"}));
  figure relu(joined({place<Case>(), "||clip_[a,inf](W) - relu_a(W)||"}));
  figure none(joined({place<Case>(), "||clip_[0,inf](W) - W|| / ||W||"}));
  figure step(joined({place<Case>(), "||cap_b(relu_a(W)) - clip_[a,b](W)|| / a"}));
  for (auto const path : paths) {
    double const tolerance = path == hard_cap_path::polynomial ? 1e-5 : 1e-13;
    for (auto const shape : {extents{10, 10}, {7, 25}, {25, 7}, {1, 1}}) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      INFO(m, " x ", n, ", path ", static_cast<int>(path));
      auto const w =
          rounded<T>(with_singular_values(m, n, 3, [](index_t i) { return 4 / static_cast<long double>(i + 1); }));
      double const rounding = 40 * u;
      for (double const s : {0.1, 2.0, 50.0}) {
        auto const clipped = sigmax::spectrally_clipped(on, w, {.lower = s, .upper = s, .path = path});
        equal.see(spectral_distance(clipped, sigmax::orthogonalized(on, w, {.scale = s})) / s,
                  2 * tolerance + rounding);
      }
      auto const capped = sigmax::spectrally_clipped(on, w, {.upper = 1.5, .path = path});
      cap.see(spectral_distance(capped, sigmax::hard_capped(on, w, {.sigma_max = 1.5, .path = path})) / 1.5,
              2 * tolerance + rounding);
      auto raised = w;
      sigmax::spectral_relu(on, raised, {.threshold = 0.75, .path = path});
      relu.see(spectral_distance(raised, sigmax::spectrally_clipped(on, w, {.lower = 0.75, .path = path})), 0.0L);
      none.see(spectral_distance(sigmax::spectrally_clipped(on, w, {.path = path}), w) / 4, rounding);
      auto const both = sigmax::spectrally_clipped(on, w, {.lower = 0.75, .upper = 1.5, .path = path});
      step.see(spectral_distance(sigmax::hard_capped(on, raised, {.sigma_max = 1.5, .path = path}), both) / 0.75,
               4 * tolerance + 2 * rounding);
      // Beyond all singular values an end changes nothing, however far.
      for (double const far : {1e3, 1e30, 1e300, infinite}) {
        CHECK(spectral_distance(sigmax::spectrally_clipped(on, w, {.upper = far, .path = path}), w) <= 4 * rounding);
      }
    }
  }
}

TEST_CASE_TEMPLATE("what is far below is raised, at any distance", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  bool const single = std::is_same_v<T, float>;
  for (auto const path : {hard_cap_path::eigenvectors, hard_cap_path::polynomial}) {
    for (long double const scale : {1.0L, 1e-20L, single ? 1e-35L : 1e-300L}) {
      for (double const lower : {4.0, single ? 1e30 : 1e300}) {
        auto const w = rounded<T>(
            with_singular_values(6, 8, 3, [=](index_t i) { return scale / static_cast<long double>(i + 1); }));
        auto const result = sigmax::spectrally_clipped(on, w, {.lower = lower, .path = path});
        auto const polar = sigmax::orthogonalized(on, w, {.scale = lower});
        CHECK(spectral_distance(result, polar) <= 100 * roundoff<T>() * lower);
      }
    }
  }
}

// Far below ||W|| an end is met to rounding of ||W||, by either path, however small the tolerance.
TEST_CASE("ends far below the norm") {
  figure error("ends from 1e-3 to 1e-17 of ||W||: (error - tolerance end) / (u ||W||)");
  for (auto const path : {hard_cap_path::eigenvectors, hard_cap_path::polynomial}) {
    for (double const tolerance : {1e-5, 1e-11}) {
      for (double end = 1e-3; end > 1e-17; end /= 50) {
        INFO("end ", end, ", tolerance ", tolerance, ", path ", static_cast<int>(path));
        auto const w = rounded<double>(with_singular_values(6, 9, 2, [=](index_t i) {
          return i == 0 ? 1.0L : static_cast<long double>(end) * (0.5L + static_cast<long double>(i) / 4);
        }));
        auto const result = sigmax::spectrally_clipped(w, {.upper = end, .path = path, .tolerance = tolerance});
        exact const expected =
            apply_to_singular_values(w, [=](long double s) { return std::min(s, static_cast<long double>(end)); });
        error.see(
            (spectral_distance(result, expected) - static_cast<long double>(tolerance * end)) / roundoff<double>(),
            100);
      }
    }
  }
}

// A singular value s is raised along its direction, which rounding turns by u ||W|| / s.
TEST_CASE_TEMPLATE("small singular values are raised along directions that rounding leaves", Case,
                   on<sigmax::cpu::simd<>, float>, on<sigmax::cpu::simd<>, double>) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  double const u = 0x1p-53;  // float is computed in double
  figure error(joined({place<Case>(), "relu, condition 10 to 1e10: error / (u kappa threshold)"}));
  for (long double const kappa : {1e1L, 1e4L, 1e7L, 1e10L}) {
    auto const w = rounded<T>(
        with_singular_values(9, 14, 3, [=](index_t i) { return std::pow(kappa, -static_cast<long double>(i) / 8); }));
    auto result = w;
    sigmax::spectral_relu(on, result, {.threshold = 0.25, .path = hard_cap_path::eigenvectors});
    auto const exact_svd = svd(w);
    long double const condition = exact_svd.sigma.front() / exact_svd.sigma.back();
    exact const expected = exact_svd.apply([](long double s) { return std::max(s, 0.25L); });
    double const storage = std::is_same_v<T, float> ? 3 * roundoff<T>() : 0;
    error.see(
        (spectral_distance(result, expected) - static_cast<long double>(storage)) / (u * condition * 0.25L + 64 * u),
        8);
  }
}

TEST_CASE_TEMPLATE("what has no direction ends between 0 and the lower end", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (auto const path : {hard_cap_path::eigenvectors, hard_cap_path::polynomial}) {
    auto const w = rounded<T>(of_spectrum(standard_spectra[3], 10, 14, 3));
    auto const result = sigmax::spectrally_clipped(on, w, {.lower = 0.4, .upper = 0.8, .path = path});
    auto const exact_svd = svd(result);
    CHECK(exact_svd.sigma.front() <= 0.8L * (1 + 1e-5L));
    CHECK(exact_svd.sigma[4] >= 0.4L * (1 - 1e-5L));
    sigmax::matrix<T> zero(3, 5);
    sigmax::spectral_clip(on, zero, {.lower = 1, .upper = 2, .path = path});
    CHECK(same_bits(zero, sigmax::matrix<T>(3, 5)));
  }
}
