// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>

#include <doctest/doctest.h>

#include "support/adversarial_matrices.hpp"
#if defined(SIGMAX_TEST_HAS_MPFR)
#include "certified/verdicts.hpp"

using sigmax::index_t;

TEST_CASE("twenty matrices of 256 to 512 hold against the oracle") {
  verdicts all;
  index_t const sides[] = {256, 300, 384, 512};
  for (std::uint64_t i = 0; i < 20; ++i) {
    index_t const m = sides[i % 4];
    index_t const n = i % 3 == 0 ? m : m + 64;
    sigmax::random_sequence const random(i);
    switch (i / 4) {
      case 0:
        all.judge("Gaussian, float", "large", adversarial::stored<float>(adversarial::gaussian(m, n, i)), false);
        break;
      case 1:
        all.judge("orthogonal", "large", adversarial::orthogonal(m, i), false);
        break;
      case 2:
        all.judge("hard-capped to 1e-5", "large",
                  adversarial::with_singular_values(m, m, i,
                                                    [&](index_t k) {
                                                      double const u = random.uniform(static_cast<std::uint64_t>(k));
                                                      return u < 0.7 ? 1 - 1e-5 * u : u;
                                                    }),
                  false);
        break;
      case 3:
        all.judge(
            "rank one and noise, bf16", "large",
            [&] {
              auto a = adversarial::product(adversarial::gaussian(m, 1, i), adversarial::gaussian(1, n, i + 1));
              auto const noise = adversarial::gaussian(m, n, i + 2);
              for (index_t r = 0; r < m; ++r) {
                for (index_t c = 0; c < n; ++c) a(r, c) += noise(r, c);
              }
              return adversarial::stored<sigmax::bf16>(a);
            }(),
            false);
        break;
      default:
        all.judge("1-D Laplacian", "large", adversarial::laplacian(m), false);
    }
    std::printf("  %d of 20 judged\n", static_cast<int>(i) + 1);
    std::fflush(stdout);
  }
  all.print("certified_spectral_norm, large");
  CHECK_MESSAGE(all.failures() == 0, all.first_failure);
}

TEST_CASE("the 1-D Laplacian of order 1,024 meets the default gap around its known norm") {
  auto const box = sigmax::certified_spectral_norm(adversarial::laplacian(1024));
  // 2 + 2 cos(pi / 1025), in long double; its rounding is far below the distance to either end.
  long double const norm = 2 + 2 * std::cos(3.14159265358979323846264338327950288L / 1025);
  std::printf("1-D Laplacian of 1024: [%.12f, %.12f], norm %.12Lf, relative gap %.2e\n", box.lower(), box.upper(), norm,
              box.width() / box.upper());
  CHECK(static_cast<long double>(box.lower()) <= norm);
  CHECK(static_cast<long double>(box.upper()) >= norm);
  CHECK(box.width() <= 1e-7 * box.upper());
}
#endif
