// SPDX-License-Identifier: MIT
// Training: it learns, stays inside the caps, allocates nothing, and goes on bit for bit.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/io/safetensors.hpp>
#include <sigmax/kernels.hpp>

#include "allocations.hpp"
#include "small_models.hpp"
#include "support/executors.hpp"
#include "support/svd.hpp"
#include "training_runs.hpp"
#include "transformer/checkpoint.hpp"
#include "transformer/trainer.hpp"

using namespace transformer;
using namespace transformer::test;

TEST_CASE("every optimizer with every constraint learns, and those that prove a cap keep it at every step") {
  auto const text = make_corpus(pattern(4000), 20);
  sigmax::cpu::native const on;
  for (auto const& optimizer : optimizer_names()) {
    for (auto const& name : constraint_names()) {
      CAPTURE(optimizer);
      CAPTURE(name);
      auto settings = small_settings();
      settings.optimizer = optimizer;
      settings.constraint = name;
      settings.sigma_max = 1.5;
      settings.weight_decay = name.find("decay") != std::string::npos ? 0.1 : 0;
      settings.learning_rate = optimizer == "muon" ? 0.2 : 0.02;
      settings.embedding_learning_rate = settings.learning_rate;
      auto const made = make_trainer(on, settings, text);
      auto& model = *made;
      double const before = model.validate().mean();
      CHECK(before == doctest::Approx(std::log(12.0)).epsilon(1e-5));
      for (int i = 0; i < 60; ++i) {
        auto const done = model.step();
        REQUIRE(done.caps.violations == 0);
        // An oracle of the same: singular values, and rows of the embedding.
        if (i % 20 != 19) continue;
        for_each_weight(model.weights(), [&](auto const&, weight_role role, sigmax::matrix<float> const& w) {
          if (!(proven_cap(settings, role) < sigmax::infinity)) return;
          auto const ratio = static_cast<long double>(w.cols()) / static_cast<long double>(w.rows());
          CHECK(sigmax::test::spectral_norm(sigmax::test::in_long_double(w)) * std::sqrt(ratio) <= 1.5L * (1 + 1e-17L));
        });
      }
      double const after = model.validate().mean();
      CHECK(after < 2.0);
    }
  }
}

TEST_CASE("a warmed step of training allocates nothing") {
  auto const text = make_corpus(pattern(4000), 20);
  sigmax::cpu::native const on;
  for (std::string const& optimizer : optimizer_names()) {
    CAPTURE(optimizer);
    auto settings = small_settings();
    settings.optimizer = optimizer;
    auto const made = make_trainer(on, settings, text);
    auto& model = *made;
    for (int i = 0; i < 4; ++i) model.step();
    long const before = test::allocations_so_far();
    for (int i = 0; i < 3; ++i) model.step();
    CHECK(test::allocations_so_far() == before);
  }
}

TEST_CASE("a run that is stored and taken up again has the bits of one that was not, on other threads too") {
  auto const text = make_corpus(pattern(4000), 20);
  auto const path = std::filesystem::temp_directory_path() / "sigmax-transformer-trainer-test.safetensors";
  for (std::string const& optimizer : optimizer_names()) {
    CAPTURE(optimizer);
    auto settings = small_settings();
    settings.optimizer = optimizer;
    settings.warmup_steps = 5;
    auto const made = make_trainer(sigmax::cpu::native(), settings, text);
    auto& whole = *made;
    for (int i = 0; i < 20; ++i) whole.step();
    {
      auto const first = make_trainer(sigmax::cpu::native(), settings, text);
      for (int i = 0; i < 9; ++i) first->step();
      save_checkpoint(path, *first, "text");
    }
    auto const file = sigmax::io::load_safetensors(path);
    auto const stored = run_of(file);
    CHECK(stored.settings == settings);
    CHECK(stored.step == 9);
    CHECK(stored.text == "text");
    CHECK(stored.digest == text.digest);
    CHECK(stored.vocabulary == text.vocabulary.bytes());
    auto const made_again =
        make_trainer(sigmax::cpu::native(sigmax::executor(2, sigmax::test::run_backwards)), stored.settings, text);
    auto& second = *made_again;
    second.restore(file, stored.step, stored.caps);
    for (int i = 9; i < 20; ++i) second.step();
    CHECK(same_bits(whole.weights(), second.weights()));
    CHECK(whole.caps() == second.caps());
    CHECK(whole.caps().checks == 20 * 8);  // seven weights and the embedding
    second.step();
    CHECK_FALSE(same_bits(whole.weights(), second.weights()));
  }
  std::filesystem::remove(path);
}
