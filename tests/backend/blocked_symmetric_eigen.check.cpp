// SPDX-License-Identifier: MIT
// The fast eigendecomposition on larger matrices, beside powers of two and at them.

#include <cstdio>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/backend/blocked_symmetric_eigen.hpp>
#include <sigmax/backend/simd.hpp>

#include "backend/blocked_symmetric_eigen.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("large matrices", T, float, double) {
  for (index_t const m : {127, 128, 129, 130, 257, 512, 1024}) {
    worst_errors worst;
    for (auto const& family : symmetric_families) {
      INFO(std::string(family.name), " of order ", m);
      check_decomposition<T>(sigmax::cpu::simd<>{}, family.make(m), worst, m > 200 ? m / 32 : 1);
    }
    std::printf("  blocked_symmetric_eigen, %s, m = %d: residual %.3f (m + 10) u, orthogonality %.3f (m + 10) u\n",
                sizeof(T) == 4 ? "float" : "double", static_cast<int>(m), worst.residual, worst.orthogonality);
  }
}
