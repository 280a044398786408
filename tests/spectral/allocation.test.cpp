// SPDX-License-Identifier: MIT
// Counts every allocation of this executable: a warmed spectral function makes none.

#include <algorithm>
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/allocation_counter.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;
using sigmax::index_t;

namespace {

/// A Gaussian matrix with norm about `norm`.
template <class S>
sigmax::matrix<S> random_matrix(sigmax::index_t m, sigmax::index_t n, double norm = 1.1) {
  sigmax::matrix<double> noise(m, n);
  sigmax::fill_normal(noise.view(), 3);
  double const scale = norm / (std::sqrt(static_cast<double>(m)) + std::sqrt(static_cast<double>(n)));
  sigmax::matrix<S> w(m, n);
  for (sigmax::index_t i = 0; i < w.size(); ++i) w.data()[i] = S(static_cast<float>(scale * noise.data()[i]));
  return w;
}

}  // namespace

TEST_CASE_TEMPLATE("the second call with a workspace allocates nothing", Case, SIGMAX_TEST_OWN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for_each_verb([&](auto verb) {
    for (auto const shape : {extents{12, 20}, {20, 12}, {70, 72}}) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      auto const w = random_matrix<T>(m, n);
      sigmax::workspace scratch;
      for (int round = 0; round < 3; ++round) {
        auto result = w;
        long const before = allocations;
        verb.run(on, result, 1, &scratch);
        long const during = allocations - before;
        CAPTURE(round);
        if (round == 0) {
          CHECK(during > 0);
        } else {
          CHECK(during == 0);
        }
      }
    }
  });
}

TEST_CASE("so it is for 16-bit storage, batches and schedules") {
  for_each_verb([&](auto verb) {
    sigmax::workspace scratch;
    std::array<sigmax::matrix<sigmax::bf16>, 2> batch = {random_matrix<sigmax::bf16>(8, 12),
                                                         random_matrix<sigmax::bf16>(5, 5)};
    auto again = batch;
    verb.run(sigmax::cpu::simd<>{}, batch, 1, &scratch);
    long const before = allocations;
    verb.run(sigmax::cpu::simd<>{}, again, 1, &scratch);
    CHECK(allocations == before);
  });
  sigmax::workspace scratch;
  for (auto const form : {sigmax::polynomial_form::standard, sigmax::polynomial_form::gram}) {
    for (int round = 0; round < 2; ++round) {
      auto w = random_matrix<float>(8, 30);
      long const before = allocations;
      sigmax::orthogonalize(w, {.schedule = sigmax::schedules::muon, .form = form, .scratch = &scratch});
      if (round > 0) CHECK(allocations == before);
    }
  }
}

TEST_CASE("hard_cap proves without allocating") {
  sigmax::workspace scratch;
  for (int round = 0; round < 2; ++round) {
    auto within = random_matrix<double>(20, 30, 0.5);
    auto above = random_matrix<double>(20, 30);
    long const before = allocations;
    (void)sigmax::hard_cap(within, {.sigma_max = 1, .scratch = &scratch});
    (void)sigmax::hard_cap(above, {.sigma_max = 1, .certified = true, .scratch = &scratch});
    if (round > 0) CHECK(allocations == before);
  }
}

// What the docstrings say of scratch memory, to the byte: 2 m n + 5 m^2 scalars, each matrix rounded up to 64 bytes, and the
// packed operands of the largest product.
TEST_CASE_TEMPLATE("a workspace reports the memory that is documented", T, float, double) {
  using backend = sigmax::cpu::simd<>;
  constexpr auto size = static_cast<index_t>(sizeof(T));
  auto const rounded_up = [](index_t bytes) { return (bytes + 63) / 64 * 64; };
  for (auto const shape : {extents{100, 300}, {300, 100}, {257, 257}, {40, 1000}, {8, 8}}) {
    index_t const m = std::min(shape.rows, shape.cols);
    index_t const n = std::max(shape.rows, shape.cols);
    index_t const matrices = 2 * rounded_up(m * n * size) + 5 * rounded_up(m * m * size);
    index_t const packing = std::max({backend::packing_bytes<T>(m, m, n, true), backend::packing_bytes<T>(m, n, m),
                                      backend::packing_bytes<T>(m, m, m)});
    {
      sigmax::workspace scratch;
      auto w = random_matrix<T>(shape.rows, shape.cols);
      sigmax::orthogonalize(
          backend(), w,
          {.schedule = sigmax::schedules::muon, .form = sigmax::polynomial_form::gram, .scratch = &scratch});
      CHECK(scratch.peak() == static_cast<std::size_t>(matrices + rounded_up(packing)));
    }
    {
      sigmax::workspace scratch;
      auto w = random_matrix<T>(shape.rows, shape.cols);
      sigmax::soft_cap(backend(), w, {.sigma_max = 1, .update_norm = 0.2, .check_domain = false, .scratch = &scratch});
      CHECK(scratch.peak() == static_cast<std::size_t>(matrices + rounded_up(packing)));
    }
  }
}

TEST_CASE("hard_cap stays within the memory that is documented") {
  using backend = sigmax::cpu::simd<>;
  for (auto const shape : {extents{257, 257}, {100, 300}, {300, 100}}) {
    index_t const m = std::min(shape.rows, shape.cols);
    index_t const n = std::max(shape.rows, shape.cols);
    index_t const packing = std::max(backend::packing_bytes<double>(n, n, m), backend::packing_bytes<double>(m, n, n));
    for (double const cap : {0.1, 0.5, 1.0, 2.0}) {
      sigmax::workspace scratch;
      auto w = random_matrix<float>(shape.rows, shape.cols);
      (void)sigmax::hard_cap(backend(), w, {.sigma_max = cap, .scratch = &scratch});
      CHECK(scratch.peak() <= static_cast<std::size_t>(8 * (3 * m * n + 10 * m * m + 200 * (m + n)) + packing));
    }
  }
}
