// SPDX-License-Identifier: MIT
// One step on other backends, threads, scalars and containers.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/constraint/weight_decay.hpp>
#include <sigmax/core/matrix_batch.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "constraint/weights.hpp"
#include "support/executors.hpp"

using namespace sigmax::test;
namespace constraint = sigmax::constraint;
using sigmax::index_t;

namespace {

/// Weights of several shapes after three steps on a backend, with what the constraint counted.
template <class O, class T, class B, class C>
std::vector<sigmax::matrix<T>> trained(B const& on, C const& c, constraint::outcome& counts) {
  std::vector<sigmax::matrix<T>> w = {random_weight<T>(12, 7, 1, 1.2), random_weight<T>(12, 9, 2, 0.5),
                                      random_weight<T>(12, 3, 3, 3), random_weight<T>(12, 12, 4, 1)};
  O opt(w, {.learning_rate = 0.02, .row_blocks = {4, 8}});
  for (int t = 0; t < 3; ++t) {
    std::vector<sigmax::matrix<T>> g;
    for (auto const& each : w) {
      g.push_back(rounded<T>(gaussian(each.rows(), each.cols(), 10 + static_cast<std::uint64_t>(t))));
    }
    counts += opt.step(on, w, g, c);
  }
  return w;
}

template <class F>
void for_each_constraint(F const& body) {
  body(constraint::none{});
  body(constraint::weight_decay{.decay = 1.0});
  body(constraint::clipped_weight_decay{.decay = 0.1, .sigma_max = 0.5});
  body(constraint::hard_cap{.sigma_max = 0.5, .certified = true});
  body(constraint::soft_cap{.sigma_max = 1.0, .certified = true});
  body(constraint::stiefel{.certified = true});
}

}  // namespace

TEST_CASE_TEMPLATE("threads change neither bits nor counts", T, float, double) {
  int started = 0;
  sigmax::cpu::simd<> const alone;
  sigmax::cpu::simd<> const at_once(sigmax::executor(4, run_at_once, &started));
  sigmax::cpu::simd<> const backwards(sigmax::executor(3, run_backwards));
  for_each_constraint([&](auto const& c) {
    constraint::outcome expected_counts;
    auto const by_muon = trained<sigmax::muon<T>, T>(alone, c, expected_counts);
    auto const by_adamw = trained<sigmax::adamw<T>, T>(alone, c, expected_counts);
    for (auto const& threads : {at_once, backwards}) {
      constraint::outcome counts;
      CHECK(same_bits(trained<sigmax::muon<T>, T>(threads, c, counts), by_muon));
      CHECK(same_bits(trained<sigmax::adamw<T>, T>(threads, c, counts), by_adamw));
      CHECK(counts == expected_counts);
    }
  });
  CHECK(started > 0);
}

TEST_CASE("the reference backend takes the same steps, to rounding") {
  for_each_constraint([&](auto const& c) {
    constraint::outcome fast_counts, reference_counts;
    auto const fast = trained<sigmax::muon<double>, double>(sigmax::cpu::simd<>(), c, fast_counts);
    auto const reference = trained<sigmax::muon<double>, double>(sigmax::cpu::scalar(), c, reference_counts);
    CHECK(fast_counts.matrices == reference_counts.matrices);
    CHECK(fast_counts.proven == reference_counts.proven);
    CHECK(fast_counts.hard_capped == reference_counts.hard_capped);
    // The hard cap may err by its tolerance, here by another path.
    for (std::size_t i = 0; i < fast.size(); ++i) CHECK(spectral_distance(fast[i], reference[i]) <= 1e-5L);
  });
}

TEST_CASE("scalars without proofs train as well, by the default backend") {
  auto w = random_weight<long double>(7, 5, 1, 1);
  sigmax::muon opt(w, {.learning_rate = 0.02});
  sigmax::adamw other(w, {.learning_rate = 0.02});
  constraint::soft_cap const cap{.sigma_max = 1};
  for (int t = 0; t < 5; ++t) {
    auto const g = gaussian(7, 5, 10 + static_cast<std::uint64_t>(t));
    CHECK(opt.step(w, g, cap).hard_capped == 0);
    CHECK(spectral_norm(w) <= 1 + 1e-17L);
    CHECK(other.step(w, g, cap).hard_capped == 1);  // nothing is proved of its update
    CHECK(other.update_norm() == sigmax::infinity);
    CHECK(spectral_norm(w) <= 1 + 1e-17L);
  }
  auto const before = w;
  CHECK_THROWS_AS(opt.step(w, w, constraint::soft_cap{.sigma_max = 1, .certified = true}), sigmax::unsupported_error);
  CHECK(same_bits(w, before));
}

TEST_CASE("strided batches and temporaries of views are weights and gradients") {
  std::vector<float> memory(3 * 4 * 5), slopes(3 * 4 * 5);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    memory[i] = 0.01f * static_cast<float>(i % 7);
    slopes[i] = static_cast<float>(i % 5) - 2;
  }
  std::vector<sigmax::matrix<float>> w, g;
  sigmax::strided_batch<float> const batch(memory.data(), 3, 4, 5);
  sigmax::strided_batch<float const> const gradient(slopes.data(), 3, 4, 5);
  for (index_t b = 0; b < 3; ++b) {
    w.push_back(sigmax::matrix<float>::copy_of(batch[b]));
    g.push_back(sigmax::matrix<float>::copy_of(gradient[b]));
  }
  sigmax::muon opt(batch, {.learning_rate = 0.02});
  sigmax::muon of_copies(w, {.learning_rate = 0.02});
  for (int t = 0; t < 3; ++t) {
    opt.step(sigmax::strided_batch<float>(memory.data(), 3, 4, 5), gradient, constraint::hard_cap{.sigma_max = 0.3});
    of_copies.step(w, g, constraint::hard_cap{.sigma_max = 0.3});
  }
  for (index_t b = 0; b < 3; ++b) {
    CHECK(same_bits(sigmax::matrix<float>::copy_of(batch[b]), w[static_cast<std::size_t>(b)]));
  }
}

TEST_CASE("matrices without elements and zero gradients are steps too") {
  sigmax::matrix<float> empty(0, 3);
  sigmax::muon opt(empty);
  opt.step(empty, sigmax::matrix<float>(0, 3), constraint::soft_cap{.sigma_max = 1, .certified = true});
  CHECK(opt.update_norm() >= 0);
  auto w = random_weight<float>(4, 3, 1, 0.5);
  auto const before = w;
  sigmax::muon still(w, {.weight_decay = 0});
  still.step(w, sigmax::matrix<float>(4, 3), constraint::hard_cap{.sigma_max = 1, .certified = true});
  CHECK(same_bits(w, before));
}
