// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/certified/scale_to.hpp>

#include "support/adversarial_matrices.hpp"

namespace {

template <class S>
void caps(double tightness) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    auto w = adversarial::stored<S>(adversarial::gaussian(1 + static_cast<sigmax::index_t>(seed * 5), 40, seed));
    auto const result = sigmax::scale_to(w, 0.75);
    CHECK(result.bound.value() == 0.75);
    CHECK(result.factor < 1);
    CHECK(sigmax::prove_norm_at_most(w, 0.75));
    // The cap is reached, not undershot: the factor gives away the gap and what rounding to storage costs.
    CHECK(sigmax::certified_spectral_norm(w).lower() >= 0.75 * (1 - tightness));
    auto const again = w;
    CHECK(sigmax::scale_to(w, 0.75).factor == 1);
    for (sigmax::index_t i = 0; i < w.size(); ++i) CHECK(w.data()[i] == again.data()[i]);
  }
}

}  // namespace

TEST_CASE("the stored matrix provably satisfies the cap, in every storage") {
  caps<double>(2e-7);
  caps<float>(1e-6);
  caps<sigmax::f16>(2e-3);
  caps<sigmax::bf16>(2e-2);
}

TEST_CASE("a strided view is scaled in place and nothing else is touched") {
  auto a = adversarial::gaussian(20, 20, 4);
  auto const before = a;
  auto block = a.view().block(3, 4, 7, 9).transposed();
  sigmax::scale_to(block, 0.1);
  CHECK(sigmax::prove_norm_at_most(block, 0.1));
  for (sigmax::index_t i = 0; i < 20; ++i) {
    for (sigmax::index_t j = 0; j < 20; ++j) {
      if (i < 3 || i >= 10 || j < 4 || j >= 13) CHECK(a(i, j) == before(i, j));
    }
  }
}

TEST_CASE("matrices at the ends of the exponent range are capped too") {
  for (double const scale : {5e-324, 1e-300, 1e300, 1.5e308}) {
    auto w = adversarial::filled(6, 6, scale);
    sigmax::scale_to(w, 1.0);
    CHECK(sigmax::prove_norm_at_most(w, 1.0));
    if (scale > 1) CHECK(w(0, 0) > 0.1);
  }
}

TEST_CASE("a cap that is none is named and the matrix left alone") {
  auto w = adversarial::filled(2, 2, 3.0);
  for (double const c : {0.0, -1.0, std::nan(""), sigmax::infinity}) {
    CHECK_THROWS_AS(sigmax::scale_to(w, c), sigmax::domain_error);
  }
  CHECK(w(1, 1) == 3.0);
}
