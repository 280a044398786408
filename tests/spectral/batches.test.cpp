// SPDX-License-Identifier: MIT
// Batches on threads: the bits of one matrix after the other, no allocation in a warm workspace, errors from any thread.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/soft_cap.hpp>

#include "spectral/figures.hpp"
#include "support/executors.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::hard_cap_path;
using sigmax::index_t;
using sigmax::matrix;

namespace {

/// Mixed shapes, zeros among them.
template <class S>
std::vector<matrix<S>> random_batch() {
  std::vector<matrix<S>> batch;
  for (auto const shape : {extents{40, 60}, {8, 8}, {60, 40}, {90, 120}, {5, 70}, {33, 33}, {1, 9}, {64, 64}, {7, 9}}) {
    matrix<double> noise(shape.rows, shape.cols);
    if (shape.rows != 7) sigmax::fill_normal(noise.view(), batch.size());
    batch.emplace_back(shape.rows, shape.cols);
    for (index_t i = 0; i < noise.size(); ++i) batch.back().data()[i] = S(static_cast<float>(noise.data()[i]));
  }
  return batch;
}

/// call(backend, matrix or batch, workspace) for the batch on threads of several kinds, against one by one; after the first
/// round of a workspace it may not grow. `on_batch` looks at what a call for the batch returns.
template <class S, class F, class G>
void see_same_bits(F const& call, G const& on_batch) {
  auto const given = random_batch<S>();
  auto alone = given;
  for (auto& w : alone) call(sigmax::cpu::simd<>(), w, nullptr);
  int started = 0;
  for (int const threads : {1, 2, 3, 16}) {
    for (auto const& workers : {sigmax::executor(threads), sigmax::executor(threads, run_backwards),
                                sigmax::executor(threads, run_at_once, &started),
                                sigmax::executor(threads, run_rounding_upwards, &started)}) {
      sigmax::workspace scratch;
      for (int round = 0; round < 2; ++round) {
        auto together = given;
        on_batch([&] { return call(sigmax::cpu::simd<>(workers), together, &scratch); });
        for (std::size_t b = 0; b < given.size(); ++b) CHECK(same_bits(together[b], alone[b]));
        if (round == 0) scratch.freeze();
      }
    }
  }
  CHECK(started > 0);
}

}  // namespace

TEST_CASE("batches on threads give the same bits as one by one") {
  see_same_bits<float>(
      [](auto const& on, auto& w, sigmax::workspace* scratch) {
        sigmax::orthogonalize(on, w, {.schedule = sigmax::schedules::muon, .scratch = scratch});
      },
      [](auto const& call) { call(); });
}

TEST_CASE_TEMPLATE("so do hard caps, by whatever path, proved or not", S, float, double, sigmax::bf16) {
  for (auto const path : {hard_cap_path::automatic, hard_cap_path::deflation, hard_cap_path::polynomial}) {
    for (bool const certified : {false, true}) {
      INFO("path ", static_cast<int>(path), certified ? ", certified" : "");
      see_same_bits<S>(
          [=](auto const& on, auto& w, sigmax::workspace* scratch) {
            return sigmax::hard_cap(on, w, {.sigma_max = 6, .path = path, .certified = certified, .scratch = scratch});
          },
          [&](auto const& call) {
            // The vectors of 9 and of 70 elements: some matrices are within the cap, and the others have the last word.
            auto const taken = call();
            CHECK(taken >= hard_cap_path::eigenvectors);
            if (path == hard_cap_path::polynomial) CHECK(taken == path);
          });
    }
  }
}

TEST_CASE("so do strided batches") {
  auto const see = [](auto const& call) {
    matrix<float> given(40, 12);
    sigmax::fill_normal(given.view(), 5);
    auto alone = given;
    auto together = given;
    call(sigmax::cpu::simd<>(), sigmax::strided_batch<float>(alone.data(), 4, 10, 12));
    call(sigmax::cpu::simd<>(3), sigmax::strided_batch<float>(together.data(), 4, 10, 12));
    CHECK_FALSE(same_bits(alone, given));
    CHECK(same_bits(together, alone));
    auto backwards = given;
    call(sigmax::cpu::simd<>(sigmax::executor(3, run_backwards)),
         sigmax::strided_batch<float>(backwards.data(), 4, 10, 12));
    CHECK(same_bits(backwards, alone));
  };
  see([](auto const& on, auto const& w) { sigmax::orthogonalize(on, w, {.schedule = sigmax::schedules::muon}); });
  see([](auto const& on, auto const& w) { (void)sigmax::hard_cap(on, w, {.sigma_max = 2}); });
}

TEST_CASE("what goes wrong on a thread is thrown when all have ended") {
  std::vector<matrix<double>> batch;
  for (int b = 0; b < 6; ++b) {
    batch.emplace_back(4, 4);
    for (index_t i = 0; i < 4; ++i) batch.back()(i, i) = b == 3 ? 5.0 : 1.0;
  }
  auto const before = batch;
  CHECK_THROWS_AS(sigmax::soft_cap(sigmax::cpu::simd<>(3), batch, {.sigma_max = 1.0, .update_norm = 0.1}),
                  sigmax::domain_error);
  CHECK(same_bits(batch[3], before[3]));
  batch[5](0, 0) = std::nan("");
  auto const with_nan = batch;
  CHECK_THROWS_AS(sigmax::orthogonalize(sigmax::cpu::simd<>(3), batch), sigmax::numeric_error);
  CHECK_THROWS_AS(sigmax::hard_cap(sigmax::cpu::simd<>(3), batch, {.sigma_max = 1.0}), sigmax::numeric_error);
  for (std::size_t b = 0; b < 5; ++b) CHECK(same_bits(batch[b], with_nan[b]));
}

// A batch of nothing but matrices within the cap says so on threads too.
TEST_CASE("hard caps of a batch return the most general path of all") {
  int started = 0;
  sigmax::cpu::simd<> const on(sigmax::executor(3, run_at_once, &started));
  std::vector<matrix<double>> batch(8, matrix<double>(6, 6));
  for (auto& w : batch) {
    for (index_t i = 0; i < 6; ++i) w(i, i) = 0.5;
  }
  CHECK(sigmax::hard_cap(on, batch, {.sigma_max = 1}) == hard_cap_path::unchanged);
  for (std::size_t const large : {std::size_t{0}, std::size_t{3}, std::size_t{7}}) {
    auto with_one_above = batch;
    with_one_above[large](2, 2) = 2;
    CHECK(sigmax::hard_cap(on, with_one_above, {.sigma_max = 1}) == hard_cap_path::eigenvectors);
    CHECK(std::fabs(with_one_above[large](2, 2) - 1) <= 1e-5);
    CHECK(same_bits(with_one_above[5], batch[5]));
  }
}
