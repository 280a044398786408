// SPDX-License-Identifier: MIT
// The hard cap over many shapes, ratios and distances from the cap: the long version of hard_cap.test.cpp.

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "spectral/caps.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;
using sigmax::index_t;

TEST_CASE_TEMPLATE("shapes, ratios, distances, tolerances", S, float, double, sigmax::bf16, sigmax::f16) {
  sigmax::cpu::simd<> const on;
  std::string const storage = sizeof(S) == 2 ? "16 bits, " : sizeof(S) == 4 ? "float, " : "double, ";
  bool const half = std::is_same_v<S, sigmax::f16>;  // ends at 65504 and has subnormal numbers below 6e-5
  double const cap = half ? 0.05 : 0.37;
  for (auto const path : {hard_cap_path::deflation, hard_cap_path::eigenvectors, hard_cap_path::polynomial}) {
    for (double const tolerance : {1e-5, 1e-11}) {
      cap_figures figures(
          joined({storage, name_of(path), tolerance > 1e-6 ? ", tolerance 1e-5: " : ", tolerance 1e-11: "}));
      for (auto const shape : {extents{1, 1}, {2, 2}, {3, 5}, {8, 8}, {40, 16}, {33, 33}, {66, 70}}) {
        index_t const m = shape.rows;
        index_t const n = shape.cols;
        for (double const ratio : {1.0 + 1e-6, 1.01, 1.3, 2.0, 10.0, 100.0, 1e4, 1e6}) {
          if (half && ratio > 1e4) continue;
          for (int digits = 1; digits <= 12; digits += m > 40 ? 5 : 1) {
            INFO(m, " x ", n, ", ratio ", ratio, ", digits ", digits);
            auto const seed = static_cast<std::uint64_t>(digits);
            figures.see(on, rounded<S>(crowded(m, n, seed, cap, {ratio, digits, digits % 2 == 0})), cap, path,
                        tolerance);
          }
        }
      }
    }
  }
}
