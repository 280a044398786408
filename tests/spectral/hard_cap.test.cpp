// SPDX-License-Identifier: MIT
// The hard cap: error and excess of singular values crowded at the cap on every path, what it leaves alone, what it
// proves.

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/certified/cholesky.hpp>
#include <sigmax/spectral/hard_cap.hpp>

#include "spectral/caps.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;
using sigmax::index_t;

namespace {

constexpr hard_cap_path paths[] = {hard_cap_path::automatic, hard_cap_path::deflation, hard_cap_path::eigenvectors,
                                   hard_cap_path::polynomial};

}  // namespace

TEST_CASE_TEMPLATE("every singular value ends within the tolerance of min(s, cap), none above the cap", Case,
                   SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (auto const path : paths) {
    cap_figures figures(joined({place<Case>(), name_of(path), ": "}));
    for (double const ratio : {1.01, 2.0, 4.0, 10.0, 100.0, 1e6}) {
      for (int digits = 1; digits <= 8; ++digits) {
        INFO("ratio ", ratio, ", digits ", digits);
        bool const square = digits % 3 == 0;
        auto const w = rounded<T>(crowded(square ? 15 : 20, 15, 4, 0.7L, {ratio, digits, digits % 2 == 0}));
        figures.see(on, w, 0.7, path, 1e-5);
      }
    }
  }
}

TEST_CASE_TEMPLATE("so it is for any tolerance", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (double const tolerance : {0.1, 1e-3, 1e-8, 1e-11}) {
    cap_figures figures(
        joined({place<Case>(), "tolerance ", std::to_string(std::lround(std::log10(tolerance))), ": "}));
    for (auto const path : paths) {
      for (double const ratio : {1.01, 3.0, 100.0, 1e4}) {
        INFO("ratio ", ratio, ", ", name_of(path));
        figures.see(on, rounded<T>(crowded(11, 14, 9, 3e-4L, {ratio, 6, true})), 3e-4, path, tolerance);
      }
    }
  }
}

TEST_CASE_TEMPLATE("so it is in 16-bit storage, and above 64 rows", S, sigmax::bf16, sigmax::f16, float, double) {
  sigmax::cpu::simd<> const on;
  cap_figures figures(joined({sizeof(S) == 2 ? "16 bits" : sizeof(S) == 4 ? "float" : "double", ", 70 rows: "}));
  for (double const ratio : {1.01, 2.0, 100.0}) {
    for (bool const deficient : {false, true}) {
      auto const w = rounded<S>(crowded(70, 80, 2, 1.0L, {ratio, 4, deficient}));
      CHECK(figures.see(on, w, 1, hard_cap_path::automatic, 1e-5) == hard_cap_path::eigenvectors);
      CHECK(figures.see(on, w, 1, hard_cap_path::polynomial, 1e-5) == hard_cap_path::polynomial);
      auto const small = rounded<S>(crowded(9, 12, 2, 1.0L, {ratio, 4, deficient}));
      CHECK(figures.see(on, small, 1, hard_cap_path::automatic, 1e-5) == hard_cap_path::eigenvectors);
    }
  }
}

// In double a matrix 1e12 times above its cap holds less than four digits of what is below it; the cap holds anyway.
TEST_CASE("the cap holds for matrices far above it, at any scale") {
  figure excess("||W|| / cap from 1e12 to 1e600: (||f(W)|| / cap - 1) / u");
  for (auto const path : paths) {
    for (double const scale : {1.0, 1e-300, 1e300}) {
      for (double const cap : {1e-300, 1e-290, 1e-50, 1e-12, 1.0, 1e287}) {
        if (!(scale / cap > 1e11)) continue;
        INFO(name_of(path), ", scale ", scale, ", cap ", cap);
        auto w = rounded<double>(of_spectrum(standard_spectra[1], 7, 9, 5, scale));
        sigmax::hard_cap(w, {.sigma_max = cap, .path = path});
        excess.see((spectral_norm(in_long_double(w)) / static_cast<long double>(cap) - 1) / roundoff<double>(), 4);
      }
    }
  }
}

TEST_CASE_TEMPLATE("a few singular values above are deflated, many are not", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  cap_figures figures(joined({place<Case>(), "few above: "}));
  auto const above = [](index_t count) {
    return rounded<T>(with_singular_values(20, 25, 6, [=](index_t i) {
      return i < count ? 2 + 0.25L * static_cast<long double>(i) : 0.9L / static_cast<long double>(i + 1);
    }));
  };
  CHECK(figures.see(on, above(1), 1, hard_cap_path::deflation, 1e-5) == hard_cap_path::deflation);
  CHECK(figures.see(on, above(5), 1, hard_cap_path::deflation, 1e-5) == hard_cap_path::deflation);
  CHECK(figures.see(on, above(12), 1, hard_cap_path::deflation, 1e-5) == hard_cap_path::eigenvectors);
}

TEST_CASE_TEMPLATE("what is provably within its cap keeps every bit", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for (auto const path : paths) {
    for (auto const shape : standard_shapes) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      for (long double const norm : {1 - 1e-6L, 1e-3L, 1e-30L}) {
        INFO(m, " x ", n, ", norm ", norm, ", ", name_of(path));
        auto const w = rounded<T>(
            with_singular_values(m, n, 3, [=](index_t i) { return norm / static_cast<long double>(i + 1); }));
        for_each_layout(w, [&](sigmax::matrix_view<T> view) {
          CHECK(sigmax::hard_cap(on, view, {.sigma_max = 1, .path = path, .certified = true}) ==
                hard_cap_path::unchanged);
          CHECK(same_bits(view, w));
        });
      }
    }
    sigmax::matrix<T> zero(4, 5);
    zero(1, 2) = T(-0.0);
    auto const same = zero;
    CHECK(sigmax::hard_cap(on, zero, {.sigma_max = 1e-300, .path = path}) == hard_cap_path::unchanged);
    CHECK(same_bits(zero, same));
  }
}

// c^2 cols <= sigma_max^2 rows, exactly: 64 bits hold the products on the left but for 2^-64.
TEST_CASE("a cap in the RMS norm is converted downwards") {
  for (index_t rows = 1; rows < 40; ++rows) {
    for (index_t cols = 1; cols < 40; ++cols) {
      for (double const sigma : {1.0, 0.1, 3.7}) {
        auto const c =
            static_cast<long double>(sigmax::detail::cap_in_l2("test", sigma, sigmax::norm::rms, rows, cols));
        auto const ratio = c * c * static_cast<long double>(cols) /
                           (static_cast<long double>(sigma) * sigma * static_cast<long double>(rows));
        CHECK(ratio <= 1 + 4 * 0x1p-64L);
        CHECK(ratio >= 1 - 16 * 0x1p-53L);
      }
    }
  }
}

// Without `certified` a norm that stands at the cap but for rounding may come out a few units in the last place above.
TEST_CASE_TEMPLATE("certified proves the cap of what is stored, in both norms", S, float, double, sigmax::bf16,
                   sigmax::f16) {
  for (auto const path : paths) {
    for (auto const shape : {extents{8, 8}, {5, 12}, {12, 5}, {1, 6}}) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      for (long double const ratio : {1.0L, 1.0001L, 3.0L, 50.0L}) {
        INFO(m, " x ", n, ", ratio ", ratio, ", ", name_of(path));
        for (auto const& norm : {sigmax::norm::any(sigmax::norm::l2), sigmax::norm::any(sigmax::norm::rms)}) {
          bool const rms = norm == sigmax::norm::any(sigmax::norm::rms);
          // ||W||_{RMS->RMS} = sqrt(cols / rows) ||W||_2
          long double const factor = rms ? std::sqrt(static_cast<long double>(n) / static_cast<long double>(m)) : 1.0L;
          double const sigma_max = 0.3;
          long double const cap = static_cast<long double>(sigma_max) / factor;
          auto const w =
              rounded<S>(with_singular_values(m, n, 2, [=](index_t i) { return i < 3 ? ratio * cap : 0.1L * cap; }));
          auto result = w;
          sigmax::hard_cap(result, {.sigma_max = sigma_max, .norm = norm, .path = path, .certified = true});
          long double const reached = spectral_norm(in_long_double(result)) * factor;
          CHECK(reached <= static_cast<long double>(sigma_max));
          CHECK(reached >= static_cast<long double>(sigma_max) * (1 - 8 * roundoff<S>() - 1e-4));
          if (!rms) CHECK(sigmax::prove_norm_at_most(result, sigma_max));
        }
      }
    }
  }
}
