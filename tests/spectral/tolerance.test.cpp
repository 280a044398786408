// SPDX-License-Identifier: MIT
// orthogonalize with a tolerance: the promise is kept, for the least work.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/spectral/orthogonalize.hpp>

#include "spectral/figures.hpp"
#include "support/backends.hpp"
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

TEST_CASE("tolerances and shares out of range are refused by name") {
  matrix<float> w(3, 3);
  for (double const wrong : {-0.1, 1.0, std::nan("")}) {
    CHECK_THROWS_WITH_AS(sigmax::orthogonalize(w, {.tolerance = wrong}), doctest::Contains("tolerance is"),
                         sigmax::domain_error);
    CHECK_THROWS_WITH_AS(sigmax::orthogonalize(w, {.smallest_share = wrong}), doctest::Contains("smallest_share is"),
                         sigmax::domain_error);
  }
}
