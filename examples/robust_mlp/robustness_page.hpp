// SPDX-License-Identifier: MIT
/// @file
/// Classifiers compared, as a page and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "assess.hpp"
#include "train_classifier.hpp"

namespace robust_mlp {

struct assessed_recipe {
  recipe how;
  std::int64_t checks = 0, violations = 0;
  assessment result;
};

std::string page_of(std::vector<assessed_recipe> const& all, index_t train_images, index_t test_images);
nlohmann::ordered_json json_of(std::vector<assessed_recipe> const& all, index_t train_images, index_t test_images);

}  // namespace robust_mlp
