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
#include "transformer/checkpoint.hpp"
#include "transformer/trainer.hpp"

using namespace transformer;

namespace {

/// Something to learn: after a letter comes the next one or the one after it.
std::string pattern(std::size_t size) {
  std::string text;
  sigmax::random_sequence const random(3);
  char at = 0;
  for (std::size_t i = 0; i < size; ++i) {
    at = static_cast<char>((at + 1 + static_cast<char>(random.bits(i) % 2)) % 12);
    text += static_cast<char>('a' + at);
  }
  return text;
}

run_settings small_settings() {
  run_settings result;
  result.shape = {.vocabulary = 12,
                  .width = 24,
                  .blocks = 1,
                  .heads = 2,
                  .key_width = 8,
                  .mlp_width = 48,
                  .context = 20,
                  .position_bias = true};
  result.model = {.logit_scale = 6};
  result.steps = 60;
  result.batch = 8;
  result.micro_batch = 4;
  return result;
}

bool same_bits(parameters<float> const& a, parameters<float> const& b) {
  std::vector<sigmax::matrix<float> const*> all;
  for_each_weight(a, [&](auto const&, weight_role, auto const& each) { all.push_back(&each); });
  std::size_t i = 0;
  bool same = true;
  for_each_weight(b, [&](auto const&, weight_role, auto const& each) {
    same = same && std::memcmp(each.data(), all[i++]->data(), static_cast<std::size_t>(each.size()) * 4) == 0;
  });
  return same;
}

}  // namespace

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
      trainer model(on, settings, text);
      double const before = model.validate().mean();
      CHECK(before == doctest::Approx(std::log(12.0)).epsilon(1e-5));
      for (int i = 0; i < 60; ++i) {
        auto const done = model.step();
        REQUIRE(done.caps.violations == 0);
        // An oracle of the same: singular values, and rows of the embedding.
        if (i % 20 != 19) continue;
        for (auto const& each : model.optimizers()) {
          if (!each.has_cap()) continue;
          auto const& w = each.weight();
          auto const ratio = static_cast<long double>(w.cols()) / static_cast<long double>(w.rows());
          CHECK(sigmax::test::spectral_norm(sigmax::test::in_long_double(w)) * std::sqrt(ratio) <= 1.5L * (1 + 1e-17L));
        }
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
    trainer model(on, settings, text);
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
    trainer whole(sigmax::cpu::native(), settings, text);
    for (int i = 0; i < 20; ++i) whole.step();
    {
      trainer first(sigmax::cpu::native(), settings, text);
      for (int i = 0; i < 9; ++i) first.step();
      save_checkpoint(path, first, "text");
    }
    auto const file = sigmax::io::load_safetensors(path);
    auto const stored = run_of(file);
    CHECK(stored.settings == settings);
    CHECK(stored.step == 9);
    CHECK(stored.text == "text");
    CHECK(stored.digest == text.digest);
    CHECK(stored.vocabulary == text.vocabulary.bytes());
    trainer second(sigmax::cpu::native(sigmax::executor(2, sigmax::test::run_backwards)), stored.settings, text);
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
