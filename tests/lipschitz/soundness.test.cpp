// SPDX-License-Identifier: MIT
// Whole-network certificates on what has broken other certifiers: weights. Groups 1 to 11, 17 and 27; the truth is
// decided at 200 bits where MPFR is there, with no tolerance. tests/README.md says where all groups are.
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#if defined(__SSE2__)
#include <pmmintrin.h>
#include <xmmintrin.h>
#endif

#include <doctest/doctest.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "support/adversarial_matrices.hpp"
#include "support/backends.hpp"
#include "support/executors.hpp"
#if defined(SIGMAX_TEST_HAS_MPFR)
#include "support/oracle.hpp"
#endif

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

certify_options quietly(norm::any n) { return {.norm = n, .attack = false}; }

template <class T = double>
matrix<T> matrix_of(index_t rows, index_t cols, std::vector<double> const& values) {
  matrix<T> w(rows, cols);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = static_cast<T>(values[static_cast<std::size_t>(i)]);
  return w;
}

template <class T>
matrix<T> filled(index_t rows, index_t cols, T value) {
  matrix<T> w(rows, cols);
  for (index_t i = 0; i < w.size(); ++i) w.data()[i] = value;
  return w;
}

/// Certifies x -> relu(W x) in all norms: never NaN, finite, 0 only for W = 0, in l2 not below the norm at 200 bits, in
/// linf not below the largest row sum in long double (whose 64 bits are exact for the few terms here, up to one unit).
template <class T>
double check_network_of(matrix<T> const& w) {
  bool zero = true;
  long double largest_row = 0;
  for (index_t i = 0; i < w.rows(); ++i) {
    long double sum = 0;
    for (index_t j = 0; j < w.cols(); ++j) {
      long double const element = std::fabs(static_cast<long double>(static_cast<double>(w(i, j))));
      sum += element;
      zero = zero && element == 0;
    }
    largest_row = sum > largest_row ? sum : largest_row;
  }
  auto const net = network_of(sequential(linear(w), relu()));
  auto const l2 = certify(net, quietly(norm::l2));
  auto const linf = certify(net, quietly(norm::linf));
  auto const rms = certify(net, quietly(norm::rms));
  for (auto const* c : {&l2, &linf, &rms}) {
    CHECK(c->is_finite());
    CHECK(c->refused().empty());
    CHECK(c->upper_extended().is_zero() == zero);
    CHECK(c->upper() >= 0);
    CHECK_FALSE(is_nan(c->log10_upper()));
    CHECK((zero || c->upper() > 0));
  }
  if (is_finite(linf.upper())) CHECK(static_cast<long double>(linf.upper()) >= largest_row * (1 - 0x1p-60L));
#if defined(SIGMAX_TEST_HAS_MPFR)
  if (is_finite(l2.upper())) CHECK(oracle::spectral_norm(w).is_at_most(l2.upper()));
#endif
  return l2.upper();
}

}  // namespace

TEST_CASE("group 1: zero, 1 x 1, one row, one column, equal rows, and shapes without elements") {
  CHECK(check_network_of(matrix<double>(4, 3)) == 0);
  CHECK(check_network_of(matrix<float>(1, 1)) == 0);
  CHECK(check_network_of(matrix_of(1, 1, {-3})) == doctest::Approx(3));
  CHECK(check_network_of(matrix_of(1, 4, {1, 2, 2, 4})) == doctest::Approx(5));
  CHECK(check_network_of(matrix_of(4, 1, {1, 2, 2, 4})) == doctest::Approx(5));
  CHECK(check_network_of(filled<double>(9, 4, 0.5)) == doctest::Approx(3));
  // A zero network is a proved constant, and says so.
  auto const constant = certify(linear(matrix<float>(2, 2)));
  CHECK(constant.is_finite());
  CHECK(constant.upper() == 0);
  // Without elements: refused or 0, never anything else.
  for (auto const& [rows, cols] : std::vector<std::pair<index_t, index_t>>{{0, 3}, {3, 0}, {0, 0}}) {
    matrix<double> const empty(rows, cols);
    try {
      CHECK(certify(network_of(linear(empty), {cols}), quietly(norm::l2)).upper() == 0);
    } catch (sigmax::error const& problem) {
      CHECK(std::string(problem.what()).size() > 0);
    }
  }
}

TEST_CASE("group 2: weights of the smallest normal and subnormal numbers have a bound above 0") {
  for (float const tiny : {std::numeric_limits<float>::min(), std::numeric_limits<float>::denorm_min()}) {
    CHECK(check_network_of(filled<float>(8, 8, tiny)) >= 8 * static_cast<double>(tiny));
    CHECK(check_network_of(filled<float>(1, 1, tiny)) >= static_cast<double>(tiny));
  }
  for (double const tiny : {std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min()}) {
    CHECK(check_network_of(filled<double>(8, 8, tiny)) >= 8 * tiny);
    CHECK(check_network_of(filled<double>(1, 5, tiny)) >= tiny);
  }
  // Two such layers: below every double, above 0.
  auto const w = filled<double>(4, 4, std::numeric_limits<double>::denorm_min());
  auto const c = certify(network_of(sequential(linear(w), relu(), linear(w))), quietly(norm::l2));
  CHECK(c.upper() > 0);
  CHECK_FALSE(c.upper_extended().is_zero());
  CHECK(c.log10_upper() >= 2 * std::log10(std::numeric_limits<double>::denorm_min()) + std::log10(16.0) - 1e-9);
}

TEST_CASE("group 3: weights of 1e-23 to 1e300 keep the digits of their norm") {
  for (float const scale : {1e-23f, 1e-19f, 1e19f, 1e38f}) {
    auto const w = matrix_of<float>(2, 2, {double{scale}, double{scale}, -double{scale}, double{scale}});
    CHECK(check_network_of(w) == doctest::Approx(std::sqrt(2.0) * double{scale}).epsilon(1e-6));
  }
  for (double const scale : {1e-200, 1e-300, 1e200, 1e300}) {
    auto const w = matrix_of(2, 2, {scale, scale, -scale, scale});
    CHECK(check_network_of(w) / scale == doctest::Approx(std::sqrt(2.0)).epsilon(1e-6));
  }
}

TEST_CASE("group 4: NaN and infinity in one weight of a deep network are refused by name, -0 is a number") {
  for (double const bad : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity}) {
    for (index_t where = 0; where < 4; ++where) {
      matrix<float> const before = filled<float>(2, 2, 0.5f);
      auto w = filled<float>(2, 2, 0.5f);
      w.data()[where] = static_cast<float>(bad);
      network net({2});
      net.add(rules::linear(weight::viewing(before)), {0});
      net.add(relu(), {net.output()});
      net.add(rules::linear(weight::viewing(w)), {net.output()}, "the bad layer");
      for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
        try {
          certify(net, quietly(n));
          FAIL("a weight that is no number was certified");
        } catch (numeric_error const& problem) {
          CHECK(std::string(problem.what()).find("'the bad layer'") != std::string::npos);
        }
      }
    }
  }
  CHECK(check_network_of(matrix_of(2, 2, {-0.0, 1, -0.0, -0.0})) == doctest::Approx(1));
  CHECK(check_network_of(filled<double>(3, 3, -0.0)) == 0);
}

TEST_CASE("group 5: what a power iteration from ones misses") {
  CHECK(check_network_of(matrix_of(2, 2, {1, -1, 2, -2})) >= 3.1622776601683795);
  // The large block is where the start is not.
  matrix<double> blocks(8, 8);
  for (index_t i = 0; i < 4; ++i) {
    for (index_t j = 0; j < 4; ++j) blocks(i, j) = 10 * ((i + j) % 2 == 0 ? 0.25 : -0.25);
    blocks(4 + i, 4 + i) = 1;
  }
  CHECK(check_network_of(blocks) >= 10);
  CHECK(check_network_of(adversarial::laplacian(24)) >= 3.9);
}

TEST_CASE("group 6: singular values that nearly coincide are bounded within 1e-6") {
  matrix<double> nearly(12, 12);
  for (index_t i = 0; i < 12; ++i) nearly(i, i) = 1;
  nearly(0, 0) = 1 + 1e-15;
  CHECK(check_network_of(nearly) >= 1 + 1e-15);
  CHECK(check_network_of(nearly) <= 1 + 1e-6);
  nearly(0, 0) = 1 + 1e-12;
  CHECK(check_network_of(nearly) >= 1 + 1e-12);
  CHECK(check_network_of(nearly) <= 1 + 1e-6);
  auto const gaussian = adversarial::gaussian(48, 48, 5);
  double const bound = check_network_of(gaussian);
#if defined(SIGMAX_TEST_HAS_MPFR)
  CHECK(oracle::spectral_norm(gaussian).is_at_least(bound * (1 - 1e-6)));
#endif
  CHECK(bound > 0);
}

TEST_CASE("group 7: Hadamard, orthogonal and Householder matrices") {
  for (index_t const n : {2, 4, 16, 64}) {
    matrix<double> hadamard(n, n);
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = 0; j < n; ++j) {
        hadamard(i, j) = __builtin_popcountll(static_cast<unsigned long long>(i & j)) % 2 == 0 ? 1.0 : -1.0;
      }
    }
    double const bound = check_network_of(hadamard);
    CHECK(bound >= std::sqrt(static_cast<double>(n)));
    CHECK(bound <= std::sqrt(static_cast<double>(n)) * (1 + 1e-6));
  }
  CHECK(check_network_of(adversarial::orthogonal(40, 3)) <= 1 + 1e-6);
  index_t const n = 96;
  auto householder = filled<double>(n, n, -2.0 / static_cast<double>(n));
  for (index_t i = 0; i < n; ++i) householder(i, i) += 1;
  CHECK(check_network_of(householder) <= 1 + 1e-6);
}

TEST_CASE("group 8: cancellation, graded columns, Hilbert, Wilkinson and Kahan matrices") {
  CHECK(check_network_of(matrix_of(1, 3, {1e16, 1, -1e16})) >= 1.414e16);
  matrix<double> graded(6, 6);
  matrix<double> hilbert(10, 10);
  matrix<double> wilkinson(11, 11);
  matrix<double> kahan(12, 12);
  auto const noise = adversarial::gaussian(6, 6, 2);
  for (index_t i = 0; i < 6; ++i) {
    for (index_t j = 0; j < 6; ++j) graded(i, j) = std::ldexp(noise(i, j), static_cast<int>(200 * (j - 3)));
  }
  for (index_t i = 0; i < 10; ++i) {
    for (index_t j = 0; j < 10; ++j) hilbert(i, j) = 1 / static_cast<double>(i + j + 1);
  }
  for (index_t i = 0; i < 11; ++i) {
    wilkinson(i, i) = std::fabs(static_cast<double>(i - 5));
    if (i > 0) wilkinson(i, i - 1) = wilkinson(i - 1, i) = 1;
  }
  for (index_t i = 0; i < 12; ++i) {
    double const factor = std::pow(0.8, static_cast<double>(i));
    kahan(i, i) = factor;
    for (index_t j = i + 1; j < 12; ++j) kahan(i, j) = -0.6 * factor;
  }
  CHECK(check_network_of(graded) > 1e119);
  CHECK(check_network_of(hilbert) == doctest::Approx(1.7519196702651774).epsilon(1e-6));
  CHECK(check_network_of(wilkinson) == doctest::Approx(5.7462).epsilon(1e-3));
  CHECK(check_network_of(kahan) > 1);
}

TEST_CASE("group 9: a Cholesky proof below the norm never succeeds") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto const w = adversarial::gaussian(14, 9, seed);
    double const above = certify(linear(w), quietly(norm::l2)).upper();
    CHECK(prove_norm_at_most(w, above * (1 + 1e-6)));
    // The enclosure is narrower than 2e-7, so this is below the norm.
    CHECK_FALSE(prove_norm_at_most(w, above * (1 - 3e-7)));
#if defined(SIGMAX_TEST_HAS_MPFR)
    oracle::spectral_norm const truth(w);
    double const sigma = truth.value();
    for (double const step : {1e-12, 1e-14, 3e-16}) {
      if (prove_norm_at_most(w, sigma * (1 - step))) CHECK(truth.is_at_most(sigma * (1 - step)));
    }
#endif
  }
  auto broken = adversarial::gaussian(4, 4, 1);
  broken(2, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(prove_norm_at_most(broken, 1e300));
}

TEST_CASE("group 10: another rounding mode, flush-to-zero and denormals-are-zero are refused for whole networks") {
  auto const w = adversarial::gaussian(5, 5, 1);
  auto const net = network_of(sequential(linear(w), gelu()));
  double const expected = certify(net, quietly(norm::l2)).upper();
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    for (int const mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      std::fesetround(mode);
      CHECK_THROWS_AS(certify(net, quietly(n)), numeric_error);
      std::fesetround(FE_TONEAREST);
    }
#if defined(__SSE2__)
    unsigned const before = _mm_getcsr();
    _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
    CHECK_THROWS_AS(certify(net, quietly(n)), numeric_error);
    _mm_setcsr(before);
    _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
    CHECK_THROWS_AS(certify(net, quietly(n)), numeric_error);
    _mm_setcsr(before);
#endif
  }
  CHECK(certify(net, quietly(norm::l2)).upper() == expected);
}

TEST_CASE("group 11: products that leave the range of double on the way keep a bound") {
  // Squares of the entries and of the norms overflow, the product comes back.
  auto const large = filled<double>(3, 3, 1e200);
  auto const small = filled<double>(3, 3, 1e-200);
  auto const c =
      certify(network_of(sequential(linear(large), linear(large), linear(small), linear(small))), quietly(norm::l2));
  CHECK(c.upper() >= 81 * (1 - 1e-12));
  CHECK(c.upper() <= 81 * (1 + 1e-5));
  auto const beyond = certify(network_of(sequential(linear(large), linear(large))), quietly(norm::l2));
  CHECK(beyond.is_finite());
  CHECK(beyond.upper() == infinity);
  CHECK(beyond.log10_upper() == doctest::Approx(400 + std::log10(9.0)).epsilon(1e-9));
  CHECK(beyond.decimal_upper().find("e+400") != std::string::npos);
}

TEST_CASE("group 17: residual branches that fold back, and every alpha") {
  // W2 = -2 W1^T / ||W1||^2: x + W2 relu(W1 x) reflects half of the space, so L >= 1.
  auto const first = adversarial::gaussian(4, 4, 7);
  double const size = certify(linear(first), quietly(norm::l2)).upper();
  matrix<double> back(4, 4);
  for (index_t i = 0; i < 4; ++i) {
    for (index_t j = 0; j < 4; ++j) back(i, j) = -2 * first(j, i) / (size * size);
  }
  auto const branch = sequential(linear(first), relu(), linear(back));
  auto const c = certify(residual(branch));
  CHECK(c.upper() >= 1);
  CHECK(c.lower()->value <= c.upper());
  for (double const alpha : {-1.5, -0.25, 0.0, 0.5, 1.0, 1.75}) {
    for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
      auto const r = certify(residual(alpha, branch), {.norm = n});
      CHECK(r.is_finite());
      REQUIRE(r.lower());
      CHECK(r.lower()->value <= r.upper());
      // With relu inactive the branch does nothing: f(x) = (1 - alpha) x on a cone.
      CHECK(r.upper() >= std::fabs(1 - alpha) * (1 - 1e-15));
    }
  }
}

TEST_CASE("group 27: backends, threads and the order of the work may change a bound, never below the truth") {
  auto const first = adversarial::gaussian(70, 40, 11);
  auto const second = adversarial::gaussian(30, 70, 12);
  auto const net = network_of(sequential(linear(first), relu(), linear(second)));
  auto const check = [&](auto const& on) {
    auto const c = certify(on, net, quietly(norm::l2));
    CHECK(c.is_finite());
#if defined(SIGMAX_TEST_HAS_MPFR)
    // Each factor of the product is a bound of its layer.
    CHECK(oracle::spectral_norm(first).is_at_most(certify(on, linear(first), quietly(norm::l2)).upper()));
    CHECK(oracle::spectral_norm(second).is_at_most(certify(on, linear(second), quietly(norm::l2)).upper()));
#endif
    return c.upper();
  };
  double const reference = check(cpu::scalar{});
  CHECK(check(cpu::simd<>{}) == doctest::Approx(reference).epsilon(4e-7));
  int started = 0;
  for (int const threads : {1, 3, 8}) {
    cpu::simd<> const threaded(executor(threads, sigmax::test::run_at_once, &started));
    CHECK(check(threaded) == doctest::Approx(reference).epsilon(4e-7));
  }
#if defined(SIGMAX_TEST_HAS_EIGEN)
  CHECK(check(cpu::eigen{}) == doctest::Approx(reference).epsilon(4e-7));
#endif
}
