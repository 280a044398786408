// SPDX-License-Identifier: MIT
// Proofs that compute on the device, judged by the 200-bit oracle.
#include <cstdint>
#include <cstdio>

#include <doctest/doctest.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/spectral_norm.hpp>

#include "cuda/staged.hpp"
#include "support/adversarial_matrices.hpp"
#if defined(SIGMAX_TEST_HAS_MPFR)
#include "support/oracle.hpp"

TEST_CASE("certified norms of adversarial matrices, computed on the device") {
  sigmax::test::staged const on;
  int cases = 0;
  int violations = 0;
  int finite = 0;
  for (std::uint64_t i = 0; i < 9980; i += 10) {
    auto const c = adversarial::make(i, 32);
    adversarial::visit(c, [&](auto const& w) {
      oracle::spectral_norm const truth(w);
      auto const box = sigmax::certified_spectral_norm(on, w);
      ++cases;
      finite += box.upper() < sigmax::infinity;
      bool const holds = truth.is_at_least(box.lower()) && truth.is_at_most(box.upper());
      bool const proves = !sigmax::prove_norm_at_most(on, w, box.lower() * 0.999) || box.lower() == 0;
      violations += !holds || !proves;
      CHECK_MESSAGE((holds && proves), c.group, ", ", c.name);
    });
  }
  CHECK(violations == 0);
  CHECK(cases == 998);
  CHECK(finite > 900);
  std::printf("  certified norms on the device: %d matrices, %d with a finite bound\n", cases, finite);
}
#endif
