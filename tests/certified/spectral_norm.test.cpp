// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "support/adversarial_matrices.hpp"
#if defined(SIGMAX_TEST_HAS_MPFR)
#include "certified/verdicts.hpp"

TEST_CASE("certified norms of 9,980 random and adversarial matrices hold against the oracle") {
  verdicts all;
  for (std::uint64_t i = 0; i < 9980; ++i) {
    auto const c = adversarial::make(i, i < 9000 ? 32 : 64);
    adversarial::visit(c, [&](auto const& w) { all.judge(c.group, c.name, w, true); });
  }
  all.print("certified_spectral_norm");
  CHECK_MESSAGE(all.failures() == 0, all.first_failure);
  CHECK(all.cases == 9980);
}
#else
TEST_CASE("certified norms against the oracle") { MESSAGE("skipped: MPFR was not found"); }
#endif

namespace {

template <class S>
void refuses(double bad) {
  sigmax::matrix<S> w(3, 4);
  for (sigmax::index_t i = 0; i < 3; ++i) {
    for (sigmax::index_t j = 0; j < 4; ++j) {
      w(i, j) = static_cast<S>(bad);
      CHECK_THROWS_AS(sigmax::certified_spectral_norm(w), sigmax::numeric_error);
      CHECK_THROWS_AS(sigmax::gram_bound(w), sigmax::numeric_error);
      CHECK_THROWS_AS(sigmax::frobenius_bound(w), sigmax::numeric_error);
      CHECK_FALSE(sigmax::prove_norm_at_most(w, sigmax::infinity));
      CHECK_FALSE(sigmax::prove_norm_at_most(w, 1e300));
      w(i, j) = S{};
    }
  }
}

}  // namespace

TEST_CASE("NaN and infinity are refused wherever they stand") {
  for (double const bad : {std::numeric_limits<double>::quiet_NaN(), sigmax::infinity, -sigmax::infinity}) {
    refuses<double>(bad);
    refuses<float>(bad);
    refuses<sigmax::bf16>(bad);
    refuses<sigmax::f16>(bad);
  }
}

TEST_CASE("options outside their domain are named") {
  sigmax::matrix<double> const w(2, 2);
  for (double const gap : {0.0, -1.0, 1.0, std::nan("")}) {
    CHECK_THROWS_AS(sigmax::certified_spectral_norm(w, {.relative_gap = gap}), sigmax::domain_error);
  }
  CHECK_THROWS_AS(sigmax::gram_bound(w, {.squarings = -1}), sigmax::domain_error);
  CHECK_FALSE(sigmax::prove_norm_at_most(w, std::nan("")));
  CHECK_FALSE(sigmax::prove_norm_at_most(w, -1.0));
  CHECK(sigmax::prove_norm_at_most(w, 0.0));
}

TEST_CASE("norms beyond the largest double are infinite in double and finite in the log domain") {
  auto const w = adversarial::filled(8, 8, 1.5e308);
  auto const box = sigmax::certified_spectral_norm(w);
  CHECK(box.upper() == sigmax::infinity);
  CHECK(box.lower() > 1e308);
  CHECK(sigmax::is_finite(box.lower()));
}

TEST_CASE("the asked gap is met from coarse to fine, and below the resolution of the proof both ends still hold") {
  auto const w =
      adversarial::with_singular_values(40, 60, 5, [](sigmax::index_t k) { return 1 - 1e-9 * static_cast<double>(k); });
  for (double const gap : {0.5, 1e-2, 1e-4, 1e-7, 1e-10}) {
    auto const box = sigmax::certified_spectral_norm(w, {.relative_gap = gap});
    CHECK(box.width() <= gap * box.upper());
  }
  auto const finest = sigmax::certified_spectral_norm(w, {.relative_gap = 1e-16});
  CHECK(finest.width() <= 1e-11 * finest.upper());
  CHECK(finest.lower() < 1 + 1e-12);
  CHECK(finest.upper() > 1 - 1e-12);
}

TEST_CASE("strided, transposed and Eigen matrices of both orders give overlapping enclosures") {
  auto const a = adversarial::gaussian(17, 23, 3);
  auto const straight = sigmax::certified_spectral_norm(a);
  auto const transposed = sigmax::certified_spectral_norm(sigmax::const_view(a).transposed());
  CHECK(straight.lower() == transposed.lower());
  CHECK(straight.upper() == transposed.upper());
  Eigen::MatrixXd const columns = Eigen::Map<Eigen::Matrix<double, -1, -1, Eigen::RowMajor> const>(a.data(), 17, 23);
  Eigen::Matrix<double, -1, -1, Eigen::RowMajor> const rows = columns;
  CHECK(sigmax::certified_spectral_norm(columns).upper() == straight.upper());
  CHECK(sigmax::certified_spectral_norm(rows).upper() == straight.upper());
}

TEST_CASE("a warmed call with a workspace grows nothing and repeats its bits") {
  auto const a = adversarial::gaussian(50, 70, 3);
  sigmax::workspace memory;
  auto const first = sigmax::certified_spectral_norm(a, {.scratch = &memory});
  auto const second = sigmax::certified_spectral_norm(a, {.scratch = &memory});
  memory.freeze();
  auto const third = sigmax::certified_spectral_norm(a, {.scratch = &memory});
  CHECK(first.upper() == second.upper());
  CHECK(first.upper() == third.upper());
  CHECK(first.lower() == third.lower());
}
