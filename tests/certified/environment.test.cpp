// SPDX-License-Identifier: MIT
#include <cfenv>
#include <limits>

#include <doctest/doctest.h>

#if defined(__SSE2__)
#include <pmmintrin.h>
#include <xmmintrin.h>
#endif

#include <sigmax/backend/eigen.hpp>
#include <sigmax/certified/gram.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>

#include "support/adversarial_matrices.hpp"
#include "support/executors.hpp"

namespace {

/// Everything that proves has to refuse here.
void refuses_everything(sigmax::matrix<double>& w) {
  CHECK_FALSE(sigmax::prove_norm_at_most(w, 1e6));
  CHECK(sigmax::certified_spectral_norm(w).upper() == sigmax::infinity);
  CHECK(sigmax::certified_spectral_norm(w).lower() == 0);
  CHECK(sigmax::gram_bound(w).value() == sigmax::infinity);
  CHECK(sigmax::frobenius_bound(w).value() == sigmax::infinity);
  CHECK(sigmax::row_sum_norm(w).value() == sigmax::infinity);
  CHECK_FALSE(sigmax::certified_operator_norm<sigmax::norm::l2_t>(w).is_finite());
  CHECK_THROWS_AS(sigmax::scale_to(w, 1.0), sigmax::numeric_error);
}

}  // namespace

TEST_CASE("a foreign rounding mode is refused, and the matrix is left alone") {
  auto w = adversarial::gaussian(5, 7, 1);
  auto const before = w;
  for (int const mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    refuses_everything(w);
    std::fesetround(FE_TONEAREST);
  }
  for (sigmax::index_t i = 0; i < w.size(); ++i) CHECK(w.data()[i] == before.data()[i]);
  CHECK(sigmax::prove_norm_at_most(w, 1e6));
}

#if defined(__SSE2__)
TEST_CASE("flush-to-zero and denormals-are-zero are refused, each alone") {
  auto w = adversarial::gaussian(5, 7, 1);
  unsigned const before = _mm_getcsr();
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  refuses_everything(w);
  _mm_setcsr(before);
  _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
  refuses_everything(w);
  _mm_setcsr(before);
  CHECK(sigmax::prove_norm_at_most(w, 1e6));
}
#endif

namespace {

/// A backend whose factorisation succeeds on everything, as Eigen's LLT does on NaN pivots, and leaves a NaN behind.
struct lying_backend : sigmax::cpu::scalar {
  template <sigmax::real T>
  sigmax::index_t cholesky(sigmax::matrix_view<T> a) const {
    a(a.rows() - 1, a.rows() - 1) = std::numeric_limits<T>::quiet_NaN();
    return a.rows();
  }
};

template <class B>
void refuses_nan_pivots() {
  sigmax::matrix<double> a(3, 3);
  for (sigmax::index_t i = 0; i < 3; ++i) a(i, i) = 1;
  a(1, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(B{}.cholesky(a.view()) == 1);
  a(1, 1) = std::numeric_limits<double>::infinity();
  CHECK(B{}.cholesky(a.view()) == 1);
}

}  // namespace

TEST_CASE("NaN pivots prove nothing") {
  refuses_nan_pivots<sigmax::cpu::scalar>();
  refuses_nan_pivots<sigmax::cpu::simd<>>();
  refuses_nan_pivots<sigmax::cpu::eigen>();
  // sqrt(1.01) of the norm: the cheap bounds cannot prove it, and the factorisation must not.
  auto const w = adversarial::gaussian(12, 12, 9);
  CHECK(sigmax::prove_norm_at_most(sigmax::cpu::scalar{}, w, 1.01 * sigmax::certified_spectral_norm(w).upper()));
  CHECK_FALSE(sigmax::prove_norm_at_most(lying_backend{}, w, 1.01 * sigmax::certified_spectral_norm(w).upper()));
}

TEST_CASE("proofs on threads of a host that rounds another way are those of one thread") {
  sigmax::matrix<double> w(200, 300);
  sigmax::fill_normal(w.view(), 3);
  auto const expected = sigmax::certified_spectral_norm(w);
  int started = 0;
  sigmax::cpu::simd<> const on(sigmax::executor(3, sigmax::test::run_rounding_upwards, &started));
  auto const found = sigmax::certified_spectral_norm(on, w);
  CHECK(found.lower() == expected.lower());
  CHECK(found.upper() == expected.upper());
  CHECK(started > 0);
  CHECK(sigmax::prove_norm_at_most(on, w, expected.upper() * (1 + 1e-9)));
  CHECK_FALSE(sigmax::prove_norm_at_most(on, w, expected.lower() * (1 - 1e-9)));
}
