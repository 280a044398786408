// SPDX-License-Identifier: MIT
// Spectral functions at the sizes they are for. Everything is measured in double, by proven norms.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include <doctest/doctest.h>

#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>
#include <sigmax/spectral/spectral_clip.hpp>

#include "spectral/figures.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;
using sigmax::index_t;
using sigmax::matrix;

namespace {

constexpr sigmax::cpu::simd<> on;

/// Proven: >= ||A||_2, and within 1e-7 of it.
double norm_of(matrix<double> const& a) { return sigmax::certified_spectral_norm(a).upper(); }

template <class T>
matrix<double> in_double(matrix<T> const& a) {
  matrix<double> result(a.rows(), a.cols());
  for (index_t i = 0; i < a.size(); ++i) result.data()[i] = static_cast<double>(a.data()[i]);
  return result;
}

matrix<double> subtracted(matrix<double> a, matrix<double> const& b) {
  on.combine(-1.0, b.view(), 1.0, a.view());
  return a;
}

/// Orthonormal columns for U and V, made once: m x m and n x m.
struct singular_vectors {
  singular_vectors(index_t m, index_t n)
      : u(rounded<double>(orthonormal(m, m, 1))), v(rounded<double>(orthonormal(n, m, 2))) {}

  /// U diag(sigma) V^T
  template <class F>
  matrix<double> with(F const& sigma) const {
    matrix<double> scaled = u;
    for (index_t i = 0; i < u.rows(); ++i) {
      for (index_t k = 0; k < u.cols(); ++k) scaled(i, k) *= sigma(k);
    }
    matrix<double> result(u.rows(), v.rows());
    on.multiply(1.0, scaled.view(), v.view().transposed(), 0.0, result.view(), result.view());
    return result;
  }

  matrix<double> u, v;
};

singular_vectors const& square() {
  static singular_vectors const vectors(1024, 1024);
  return vectors;
}
singular_vectors const& wide() {
  static singular_vectors const vectors(384, 1536);
  return vectors;
}

template <class T>
matrix<T> stored(matrix<double> const& a) {
  matrix<T> result(a.rows(), a.cols());
  for (index_t i = 0; i < a.size(); ++i) result.data()[i] = static_cast<T>(a.data()[i]);
  return result;
}

struct timer {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
};

template <class T>
void see_polar(char const* name, singular_vectors const& vectors, double condition, double orthogonality_limit) {
  auto const m = static_cast<double>(vectors.u.rows());
  auto const w =
      stored<T>(vectors.with([=](index_t k) { return std::pow(condition, -static_cast<double>(k) / (m - 1)); }));
  timer const clock;
  auto const q = in_double(sigmax::orthogonalized(w));
  double const seconds = clock.seconds();
  matrix<double> gram(w.rows(), w.rows());
  on.gram(1.0, q.view(), 0.0, q.view(), gram.view());
  on.add_to_diagonal(-1.0, gram.view());
  double const orthogonality = norm_of(gram);
  // W - sym(W Q^T) Q
  auto const x = in_double(w);
  matrix<double> h(w.rows(), w.rows());
  on.multiply(1.0, x.view(), q.view().transposed(), 0.0, h.view(), h.view());
  auto symmetric = h;
  on.combine(0.5, h.view().transposed(), 0.5, symmetric.view());
  auto residual = x;
  on.multiply(-1.0, symmetric.view(), q.view(), 1.0, x.view(), residual.view());
  double const backward = norm_of(residual) / norm_of(x) / roundoff<T>();
  std::printf("  %s, condition %.0e: ||Q Q^T - I|| %.2g of %.2g, backward error %.3g u, %.2f s\n", name, condition,
              orthogonality, orthogonality_limit, backward, seconds);
  CHECK(orthogonality <= orthogonality_limit);
  CHECK(backward <= 50);
}

}  // namespace

TEST_CASE("polar factors of large matrices") {
  see_polar<float>("float 1024 x 1024", square(), 1e3, 2e-6);
  see_polar<float>("float 384 x 1536", wide(), 1e3, 2e-6);
  see_polar<float>("float 1024 x 1024", square(), 1, 2e-6);
  double const limit = 20 * 0x1p-53 * std::sqrt(384.0);
  for (double const condition : {10.0, 1e6, 1e12}) see_polar<double>("double 384 x 1536", wide(), condition, limit);
}

TEST_CASE("a Gaussian matrix and one without full rank") {
  matrix<float> w(1024, 1024);
  sigmax::fill_normal(w.view(), 5);
  auto const gaussian_polar = sigmax::orthogonalized(w);
  CHECK(norm_of(in_double(gaussian_polar)) <= 1 + 2e-6);
  auto const half =
      stored<float>(square().with([](index_t k) { return k < 512 ? 1.0 / static_cast<double>(k + 1) : 0.0; }));
  double const norm = norm_of(in_double(sigmax::orthogonalized(half)));
  std::printf("  float 1024 x 1024 of rank 512: ||Q|| - 1 = %.3g\n", norm - 1);
  CHECK(norm <= 1 + 2e-6);
}

// f(S) is known through U and V, which are orthonormal to 1e-15; storing W as float moves it by 1e-7.
TEST_CASE("caps of large matrices") {
  auto const see = [](char const* name, singular_vectors const& vectors, double ratio, hard_cap_path path, int digits) {
    double const distance = std::pow(10.0, -digits);
    auto const sigma = [=](index_t k) {
      if (k == 0) return ratio;
      return k % 4 == 1   ? 1 - distance
             : k % 4 == 2 ? std::min(ratio, 1 + distance)
             : k % 4 == 3 ? 0.0
                          : 1.0 / static_cast<double>(k);
    };
    auto w = stored<float>(vectors.with(sigma));
    timer const clock;
    auto const taken = sigmax::hard_cap(w, {.sigma_max = 1, .path = path});
    double const seconds = clock.seconds();
    auto const result = in_double(w);
    double const error = norm_of(subtracted(result, vectors.with([&](index_t k) { return std::min(sigma(k), 1.0); })));
    double const excess = (norm_of(result) - 1) / roundoff<float>();
    std::printf("  %s, ratio %g, digits %d, path %d: error %.2g of 1e-5, excess %.2g u, %.2f s\n", name, ratio, digits,
                static_cast<int>(taken), error, excess, seconds);
    CHECK(error <= 1e-5);
    CHECK(excess <= 4);
    return taken;
  };
  for (double const ratio : {1.01, 2.0, 10.0}) {
    for (int const digits : {3, 6}) {
      see("float 384 x 1536", wide(), ratio, hard_cap_path::automatic, digits);
    }
  }
  see("float 384 x 1536", wide(), 100, hard_cap_path::polynomial, 4);
  see("float 384 x 1536", wide(), 2, hard_cap_path::eigenvectors, 4);
  see("float 1024 x 1024", square(), 2, hard_cap_path::automatic, 5);
  CHECK(see("float 1024 x 1024", square(), 1.01, hard_cap_path::polynomial, 5) == hard_cap_path::polynomial);

  auto few = stored<float>(wide().with([](index_t k) { return k < 3 ? 2.0 - 0.3 * static_cast<double>(k) : 0.8; }));
  auto const expected = wide().with([](index_t k) { return k < 3 ? 1.0 : 0.8; });
  CHECK(sigmax::hard_cap(few, {.sigma_max = 1, .path = hard_cap_path::deflation}) == hard_cap_path::deflation);
  CHECK(norm_of(subtracted(in_double(few), expected)) <= 1e-5);
}

TEST_CASE("soft caps and clips of large matrices") {
  auto const sigma = [](index_t k) { return 1.25 / (1 + 0.02 * static_cast<double>(k)); };
  auto const w = stored<float>(wide().with(sigma));
  double const a = sigmax::soft_cap_strength(1, 0.3);
  auto const soft = wide().with([&](index_t k) {
    double const s = sigma(k);
    double const inner = s - a * s * s * s;
    return inner + a * inner * inner * inner;
  });
  double const error =
      norm_of(subtracted(in_double(sigmax::soft_capped(w, {.sigma_max = 1, .update_norm = 0.3})), soft));
  std::printf("  float 384 x 1536, soft_cap: error %.2g of 1e-6\n", error);
  CHECK(error <= 1e-6);
  auto const clipped = wide().with([&](index_t k) { return std::clamp(sigma(k), 0.4, 1.0); });
  double const clip_error =
      norm_of(subtracted(in_double(sigmax::spectrally_clipped(w, {.lower = 0.4, .upper = 1})), clipped));
  std::printf("  float 384 x 1536, spectral_clip: error %.2g of 1e-5\n", clip_error);
  CHECK(clip_error <= 1e-5);
}
