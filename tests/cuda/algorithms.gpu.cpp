// SPDX-License-Identifier: MIT
// Algorithms on matrices that stay in device memory.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/estimate/power_iteration.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>

#include "constraint/weights.hpp"
#include "spectral/verbs.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix;
namespace gpu = sigmax::gpu;

TEST_CASE_TEMPLATE("every function is what it says on the device", S, float, double, sigmax::bf16, sigmax::f16) {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  sigmax::workspace memory;
  for_each_verb([&](auto verb) {
    figure error(std::string("gpu::cuda ") + verb.name);
    for (auto const shape : standard_shapes) {
      auto const w = ordinary<S>(shape.rows, shape.cols, 21);
      auto there = gpu::device_matrix<S>::copy_of(w, stream);
      verb.run(on, there, 1, &memory);
      auto const first = there.to_host();
      see_result<decltype(verb)>(error, w, first, 1);
      // Again, column-major: W^T is another matrix in the same memory.
      auto again = gpu::device_matrix<S>::copy_of(w, stream);
      auto const taken = memory.device_capacity();
      verb.run(on, again, 1, &memory);
      CHECK(memory.device_capacity() == taken);
      CHECK(same_bits(again.to_host(), first));
    }
  });
}

TEST_CASE_TEMPLATE("estimates and proofs on the device", T, float, double) {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  for (auto const& [m, n] : {std::pair<index_t, index_t>{40, 70}, {200, 90}}) {
    auto const w = rounded<T>(gaussian(m, n, 3));
    auto const there = gpu::device_matrix<T>::copy_of(w, stream);
    auto const exact = static_cast<double>(spectral_norm(in_long_double(w)));
    auto const box = sigmax::certified_spectral_norm(on, there);
    CHECK(box.lower() <= exact * (1 + 1e-15));
    CHECK(box.upper() >= exact * (1 - 1e-15));
    CHECK(box.upper() <= box.lower() * (1 + 1e-6));
    CHECK(sigmax::prove_norm_at_most(on, there, exact * 1.01));
    CHECK_FALSE(sigmax::prove_norm_at_most(on, there, exact * 0.99));
    CHECK(std::fabs(static_cast<double>(sigmax::lanczos(on, there).sigma) - exact) <= 1e-3 * exact);
    CHECK(static_cast<double>(sigmax::power_iteration(on, there).sigma) <= exact * (1 + 1e-5));
  }
}

TEST_CASE("optimizers step on the device as on the host") {
  gpu::stream const stream;
  gpu::cuda const on(stream);
  auto const compare = [&](auto make_there, auto make_here) {
    std::vector<matrix<float>> here;
    here.push_back(random_weight<float>(12, 7, 1, 1));
    here.push_back(random_weight<float>(40, 64, 4, 0.6));
    std::vector<gpu::device_matrix<float>> there;
    for (auto const& each : here) there.push_back(gpu::device_matrix<float>::copy_of(each, stream));
    auto of_there = make_there(there);
    auto of_here = make_here(here);
    for (std::uint64_t t = 0; t < 3; ++t) {
      std::vector<matrix<float>> gradients;
      gradients.push_back(rounded<float>(gaussian(12, 7, t)));
      gradients.push_back(rounded<float>(gaussian(40, 64, t + 100)));
      std::vector<gpu::device_matrix<float>> gradients_there;
      for (auto const& each : gradients) gradients_there.push_back(gpu::device_matrix<float>::copy_of(each, stream));
      of_there.step(on, there, gradients_there, sigmax::constraint::soft_cap{.sigma_max = 1.5});
      of_here.step(sigmax::cpu::simd<>(), here, gradients, sigmax::constraint::soft_cap{.sigma_max = 1.5});
    }
    for (std::size_t b = 0; b < here.size(); ++b) {
      auto const result = there[b].to_host();
      double worst = 0;
      for (index_t i = 0; i < result.size(); ++i) {
        worst = std::max(worst, std::fabs(static_cast<double>(result.data()[i] - here[b].data()[i])));
      }
      CHECK(worst <= 1e-4);
    }
  };
  compare([&](auto& w) { return sigmax::muon<float, sigmax::device_space>(on, w, {.learning_rate = 0.02}); },
          [&](auto& w) { return sigmax::muon<float>(w, {.learning_rate = 0.02}); });
  compare([&](auto& w) { return sigmax::adamw<float, sigmax::device_space>(on, w, {.learning_rate = 0.02}); },
          [&](auto& w) { return sigmax::adamw<float>(w, {.learning_rate = 0.02}); });
}
