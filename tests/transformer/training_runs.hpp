// SPDX-License-Identifier: MIT
/// @file
/// Small runs that learn something.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <sigmax/core/random.hpp>

#include "transformer/parameters.hpp"
#include "transformer/settings.hpp"

namespace transformer::test {

/// Something to learn: after a letter comes the next one or the one after it.
inline std::string pattern(std::size_t size) {
  std::string text;
  sigmax::random_sequence const random(3);
  char at = 0;
  for (std::size_t i = 0; i < size; ++i) {
    at = static_cast<char>((at + 1 + static_cast<char>(random.bits(i) % 2)) % 12);
    text += static_cast<char>('a' + at);
  }
  return text;
}

inline run_settings small_settings() {
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

inline bool same_bits(parameters<float> const& a, parameters<float> const& b) {
  std::vector<sigmax::matrix<float> const*> all;
  for_each_weight(a, [&](auto const&, weight_role, auto const& each) { all.push_back(&each); });
  std::size_t i = 0;
  bool same = true;
  for_each_weight(b, [&](auto const&, weight_role, auto const& each) {
    same = same && std::memcmp(each.data(), all[i++]->data(), static_cast<std::size_t>(each.size()) * 4) == 0;
  });
  return same;
}

}  // namespace transformer::test
