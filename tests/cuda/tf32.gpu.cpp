// SPDX-License-Identifier: MIT
// Products on tensor cores behind the primitives: operands rounded to 11 bits, sums in float, any strides.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/cuda/tf32_backend.hpp>

#include "spectral/figures.hpp"
#include "spectral/verbs.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;
namespace gpu = sigmax::gpu;

namespace {

using view = sigmax::matrix_view<float, sigmax::device_space>;

matrix<float> random(index_t rows, index_t cols, std::uint64_t seed) {
  matrix<float> result(rows, cols);
  sigmax::fill_normal(result.view(), seed);
  return result;
}

/// |r - (alpha a b + beta c)| <= 2^-9 |alpha| |a||b| + 2^-20 (...): both operands cut off after 11 bits, products of 22.
double worst_share(float alpha, matrix<float> const& a, matrix<float> const& b, float beta, matrix<float> const& c,
                   matrix<float> const& r) {
  double worst = 0;
  for (index_t i = 0; i < r.rows(); ++i) {
    for (index_t j = 0; j < r.cols(); ++j) {
      double sum = 0;
      double magnitude = 0;
      for (index_t k = 0; k < a.cols(); ++k) {
        double const product = static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
        sum += product;
        magnitude += std::fabs(product);
      }
      double const expected = static_cast<double>(alpha) * sum + static_cast<double>(beta * c(i, j));
      double const bound = 0x1p-9 * std::fabs(static_cast<double>(alpha)) * magnitude +
                           0x1p-20 * (std::fabs(expected) + std::fabs(static_cast<double>(c(i, j))));
      worst = std::max(worst, std::fabs(static_cast<double>(r(i, j)) - expected) / bound);
    }
  }
  return worst;
}

matrix<float> transposed(matrix<float> const& x) { return matrix<float>::copy_of(x.view().transposed()); }

}  // namespace

TEST_CASE("products on tensor cores are within the rounding of their operands, in any layout") {
  gpu::stream const stream;
  gpu::cuda_tf32 const plain(stream);
  sigmax::workspace memory;
  auto const on = plain.using_scratch(memory);
  for (auto const& shape : {std::array<index_t, 3>{5, 7, 9}, {64, 64, 64}, {130, 70, 257}, {384, 256, 512}}) {
    index_t const m = shape[0];
    index_t const n = shape[1];
    index_t const k = shape[2];
    INFO(m, " x ", k, " x ", n);
    auto const a = random(m, k, 1), b = random(k, n, 2), c = random(m, n, 3);
    auto const ad = gpu::device_matrix<float>::copy_of(a, stream);
    auto const bt = gpu::device_matrix<float>::copy_of(transposed(b), stream);
    auto const bd = gpu::device_matrix<float>::copy_of(b, stream);
    for (float const beta : {0.0f, -0.5f}) {
      auto r = gpu::device_matrix<float>::copy_of(c, stream);
      on.multiply(1.5f, ad.view(), bd.view(), beta, r.view(), r.view());
      auto const first = r.to_host();
      CHECK(worst_share(1.5f, a, b, beta, c, first) <= 1);
      r = gpu::device_matrix<float>::copy_of(c, stream);
      on.multiply(1.5f, ad.view(), bt.view().transposed(), beta, r.view(), r.view());
      CHECK(same_bits(r.to_host(), first));
      auto turned = gpu::device_matrix<float>::copy_of(transposed(c), stream);
      on.multiply(1.5f, ad.view(), bd.view(), beta, turned.view().transposed(), turned.view().transposed());
      CHECK(worst_share(1.5f, a, b, beta, c, transposed(turned.to_host())) <= 1);
      auto const square = random(m, m, 4);
      matrix<float> symmetric(m, m);
      for (index_t i = 0; i < m; ++i) {
        for (index_t j = 0; j < m; ++j) symmetric(i, j) = square(std::max(i, j), std::min(i, j));
      }
      auto g = gpu::device_matrix<float>::copy_of(symmetric, stream);
      on.gram(-1.0f, ad.view(), beta, g.view(), g.view());
      auto const gram = g.to_host();
      CHECK(worst_share(-1.0f, a, transposed(a), beta, symmetric, gram) <= 1);
      CHECK(same_bits(gram, transposed(gram)));
      g = gpu::device_matrix<float>::copy_of(symmetric, stream);
      auto const at = gpu::device_matrix<float>::copy_of(transposed(a), stream);
      on.gram(-1.0f, at.view().transposed(), beta, g.view(), g.view().transposed());
      CHECK(same_bits(g.to_host(), gram));
    }
  }
}

TEST_CASE("Muon's polar factor on tensor cores") {
  gpu::stream const stream;
  gpu::cuda_tf32 const on(stream);
  auto const w = rounded<float>(gaussian(200, 300, 5));
  auto there = gpu::device_matrix<float>::copy_of(w, stream);
  auto exactly = there;
  sigmax::orthogonalize(on, there, {.schedule = sigmax::schedules::muon});
  sigmax::orthogonalize(gpu::cuda(stream), exactly, {.schedule = sigmax::schedules::muon});
  on.combine(-1.0f, exactly.view(), 1.0f, there.view());
  double const error = std::sqrt(static_cast<double>(on.sum_squares(there.view()) / on.sum_squares(exactly.view())));
  std::printf("  muon in TF32, 200 x 300: ||difference||_F / ||.||_F = %.3g\n", error);
  CHECK(error <= 0.02);
  CHECK(error > 1e-7);
}
