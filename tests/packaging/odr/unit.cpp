// SPDX-License-Identifier: MIT
// Compiled several times with different flags. UNIT names the copy; CERTIFIES is 1 where proofs may be compiled.
#include <cmath>
#include <cstdio>
#include <limits>

#include <sigmax/core/matrix.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>
#if CERTIFIES
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/error.hpp>
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

int JOIN(check_, UNIT)(bool sound);
char const* JOIN(abi_, UNIT)();

namespace {

using sigmax::index_t;

/// H diag(1, ..., 1 + (n-1)/n) for the Hadamard matrix H of order 64: its singular values are 8 (1 + j/n), exactly.
template <class T>
sigmax::matrix<T> example() {
  sigmax::matrix<T> w(64, 64);
  for (index_t i = 0; i < 64; ++i) {
    for (index_t j = 0; j < 64; ++j) {
      int sign = 1;
      for (index_t bits = i & j; bits != 0; bits &= bits - 1) sign = -sign;
      w(i, j) = static_cast<T>(sign) * (T(1) + static_cast<T>(j) / T(64));
    }
  }
  return w;
}
constexpr double norm_of_example = 8 * (1 + 63.0 / 64);

int failures = 0;
void check(bool holds, char const* what) {
  if (holds) return;
  std::printf("    FAILED: %s\n", what);
  ++failures;
}

bool is_near(double sigma, double tolerance) {
  return std::fabs(sigma - norm_of_example) <= tolerance * norm_of_example;
}

void check_estimates() {
  auto const single = example<float>();
  auto const twice = example<double>();
  sigmax::matrix<sigmax::bf16> half(64, 64);
  for (index_t i = 0; i < half.size(); ++i) half.data()[i] = sigmax::bf16(single.data()[i]);
  check(is_near(static_cast<double>(sigmax::power_iteration(single, {.max_iterations = 5000}).sigma), 1e-3),
        "power, float");
  check(is_near(static_cast<double>(sigmax::lanczos(single).sigma), 1e-4), "lanczos, float");
  check(is_near(sigmax::lanczos(twice).sigma, 1e-7), "lanczos, double");
  check(is_near(sigmax::lanczos(sigmax::cpu::scalar{}, twice).sigma, 1e-7), "lanczos, double, cpu::scalar");
  check(is_near(static_cast<double>(sigmax::lanczos(half).sigma), 1e-4), "lanczos, bf16");
}

#if CERTIFIES
void check_certificates(bool sound) {
  auto w = example<double>();
  auto const box = sigmax::certified_spectral_norm(w);
  if (sound) {
    check(box.lower() <= norm_of_example && norm_of_example <= box.upper(), "the enclosure holds the norm");
    check(box.width() <= 1e-6 * norm_of_example, "the enclosure is narrow");
    check(sigmax::prove_norm_at_most(w, 1.0001 * norm_of_example), "a true bound is proved");
  } else {
    check(box.upper() == sigmax::infinity && box.lower() == 0, "the enclosure is [0, infinity]");
    check(!sigmax::prove_norm_at_most(w, 1.0001 * norm_of_example), "nothing is proved");
    check(!sigmax::prove_norm_at_most(w, 1e300), "nothing at all is proved");
  }
  check(!sigmax::prove_norm_at_most(w, 0.9999 * norm_of_example), "a false bound is not proved");
  w(5, 7) = std::numeric_limits<double>::quiet_NaN();
  check(!sigmax::prove_norm_at_most(w, 1e300), "NaN has no bound");
}
#endif

}  // namespace

int JOIN(check_, UNIT)([[maybe_unused]] bool sound) {
  check_estimates();
#if CERTIFIES
  check_certificates(sound);
#endif
  return failures;
}

char const* JOIN(abi_, UNIT)() { return SIGMAX_STRINGIZE(SIGMAX_ABI); }
