// SPDX-License-Identifier: MIT
// orthogonalize with a tolerance: the promise is kept, for the least work; batches on threads give the same bits.
#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
#include "support/executors.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;

namespace {

/// Largest first.
std::vector<long double> singular_values(exact const& a) {
  auto sigma = svd_of(a).sigma;
  std::sort(sigma.begin(), sigma.end(), std::greater<>());
  return sigma;
}

}  // namespace

TEST_CASE_TEMPLATE("singular values from the promised one on are within the tolerance of 1", Case,
                   on<sigmax::cpu::simd<>, float>, on<sigmax::cpu::simd<>, double>) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  figure distance(joined({place<Case>(), "|s - 1| / tolerance"}));
  figure cost(joined({place<Case>(), "units of m^3 with smallest_share 1e-3, tolerance 0.44"}));
  for (double const tolerance : {0.44, 0.1, 1e-3}) {
    for (auto const shape : {extents{16, 16}, {12, 40}, {40, 12}}) {
      for (auto const& family : standard_spectra) {
        INFO(std::string(family.name), ", ", shape.rows, " x ", shape.cols);
        auto const w = rounded<T>(of_spectrum(family, shape.rows, shape.cols, 9));
        auto const before = singular_values(in_long_double(w));
        if (!(before[0] > 0)) continue;
        long double squares = 0;
        for (auto const s : before) squares += s * s;
        for (bool const by_share : {true, false}) {
          sigmax::polynomial_plan plan;
          auto const q =
              by_share ? sigmax::orthogonalized(on, w, {.tolerance = tolerance, .smallest_share = 1e-3, .plan = &plan})
                       : sigmax::orthogonalized(on, w, {.tolerance = tolerance, .smallest = 1e-3, .plan = &plan});
          long double const promised = by_share ? 1e-3L * std::sqrt(squares) : 1e-3L * before[0];
          // What rounding X X^T may add in Gram form, in float a part of gram_error.
          long double const allowed = tolerance + (sizeof(T) == 4 ? 0.01L : 1e-9L);
          auto const kept = std::count_if(before.begin(), before.end(), [&](auto s) { return s >= promised; });
          auto const after = singular_values(in_long_double(q));
          auto const inside =
              std::count_if(after.begin(), after.end(), [&](auto s) { return std::fabs(s - 1) <= allowed; });
          CHECK(inside >= kept);
          distance.see((after[0] - 1) / tolerance, allowed / tolerance);
          CHECK(plan.steps > 0);
          if (by_share && tolerance == 0.44 && shape.rows == 16) cost.see(static_cast<long double>(plan.units), 20);
        }
      }
    }
  }
}

TEST_CASE("batches on threads give the same bits as one by one") {
  std::vector<matrix<float>> given;
  for (auto const shape : {extents{40, 60}, {8, 8}, {60, 40}, {90, 120}, {5, 70}, {33, 33}, {1, 9}, {64, 64}}) {
    given.emplace_back(shape.rows, shape.cols);
    sigmax::fill_normal(given.back().view(), given.size());
  }
  given.emplace_back(7, 9);  // zeros
  auto alone = given;
  for (auto& w : alone) sigmax::orthogonalize(w, {.schedule = sigmax::schedules::muon});
  for (int const threads : {2, 3, 16}) {
    for (auto const& workers : {sigmax::executor(threads), sigmax::executor(threads, run_backwards)}) {
      sigmax::workspace scratch;
      for (int round = 0; round < 2; ++round) {
        auto together = given;
        sigmax::orthogonalize(sigmax::cpu::simd<>(workers), together,
                              {.schedule = sigmax::schedules::muon, .scratch = &scratch});
        for (std::size_t b = 0; b < given.size(); ++b) CHECK(same_bits(together[b], alone[b]));
        if (round == 0) scratch.freeze();
      }
    }
  }
}

TEST_CASE("so do strided batches") {
  matrix<float> given(40, 12);
  sigmax::fill_normal(given.view(), 5);
  auto alone = given;
  auto together = given;
  sigmax::strided_batch<float> const batch(alone.data(), 4, 10, 12);
  sigmax::orthogonalize(batch, {.schedule = sigmax::schedules::muon});
  sigmax::orthogonalize(sigmax::cpu::simd<>(3), sigmax::strided_batch<float>(together.data(), 4, 10, 12),
                        {.schedule = sigmax::schedules::muon});
  CHECK(same_bits(together, alone));
}

TEST_CASE("what goes wrong on a thread is thrown when all have ended") {
  std::vector<matrix<double>> batch;
  for (int b = 0; b < 6; ++b) {
    batch.emplace_back(4, 4);
    for (index_t i = 0; i < 4; ++i) batch.back()(i, i) = b == 3 ? 5.0 : 1.0;
  }
  auto const before = batch;
  CHECK_THROWS_AS(sigmax::soft_cap(sigmax::cpu::simd<>(3), batch, {.sigma_max = 1.0, .update_norm = 0.1}),
                  sigmax::domain_error);
  CHECK(same_bits(batch[3], before[3]));
  batch[5](0, 0) = std::nan("");
  auto const with_nan = batch;
  CHECK_THROWS_AS(sigmax::orthogonalize(sigmax::cpu::simd<>(3), batch), sigmax::numeric_error);
  for (std::size_t b = 0; b < 5; ++b) CHECK(same_bits(batch[b], with_nan[b]));
}

TEST_CASE("tolerances and shares out of range are refused by name") {
  matrix<float> w(3, 3);
  for (double const wrong : {-0.1, 1.0, std::nan("")}) {
    CHECK_THROWS_WITH_AS(sigmax::orthogonalize(w, {.tolerance = wrong}), doctest::Contains("tolerance is"),
                         sigmax::domain_error);
    CHECK_THROWS_WITH_AS(sigmax::orthogonalize(w, {.smallest_share = wrong}), doctest::Contains("smallest_share is"),
                         sigmax::domain_error);
  }
}
