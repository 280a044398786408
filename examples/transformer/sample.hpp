// SPDX-License-Identifier: MIT
/// @file
/// Text from a model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sigmax/kernels.hpp>

#include "checkpoint.hpp"

namespace transformer {

struct sampling {
  std::string prompt = "\n";
  std::int64_t count = 500;
  /// Logits are divided by it; 0 takes the most probable token always.
  double temperature = 0.8;
  std::uint64_t seed = 1;
};

/// Hands on `count` bytes, one by one, each drawn from softmax(logits / temperature) of the text so far, at most a context
/// of it. The same arguments, the same text.
void sample(sigmax::cpu::native const& on, stored_model const& from, sampling const& how,
            std::function<void(char)> const& hand_on);

}  // namespace transformer
