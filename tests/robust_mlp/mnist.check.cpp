// SPDX-License-Identifier: MIT
// What the classifier owes on MNIST: the first 8,000 images of its test set to learn from, the last 2,000 to be judged by.
#include <filesystem>

#include <doctest/doctest.h>

#include "robust_mlp/assess.hpp"
#include "robust_mlp/train_classifier.hpp"

using namespace robust_mlp;

TEST_CASE("a classifier under a soft cap is accurate, and provably robust") {
  std::filesystem::path const folder = std::filesystem::path(SIGMAX_DATA_DIR) / "mnist";
  if (!has_digits(folder)) {
    MESSAGE("skipped: no MNIST in " << folder.string());
    return;
  }
  sigmax::cpu::native const on;
  recipe how;
  how.name = "Muon, soft cap";
  auto const trained = train(on, how, read_digits(folder, 0, 8000), {});
  CHECK(trained.violations == 0);
  auto const result = assess(on, how.name, trained.model, read_digits(folder, 8000, 2000), {0, 0.5, 1}, {}, false);
  MESSAGE("clean " << result.clean << ", certified " << result.certified[1] << " and " << result.certified[2]
                   << ", attacked " << result.attacked[2]);
  CHECK(result.contradictions == 0);
  CHECK(result.clean >= 0.97);
  CHECK(result.certified[1] >= 0.86);
  CHECK(result.certified[2] >= 0.52);
  CHECK(result.attacked[2] >= 0.80);
  for (std::size_t k = 0; k < 3; ++k) CHECK(result.attacked[k] >= result.certified[k]);
}
