// SPDX-License-Identifier: MIT
/// @file
/// The loss on a whole text.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "model.hpp"

namespace transformer {

/// Every token of the text but the first is predicted once, from those before it in its window: windows of `length`
/// tokens one after the other, the last moved back to end with the text. As many at once as the activations are for.
/// Requires more tokens than `length`.
template <class Backend, class T, class Space>
batch_loss evaluate(Backend const& on, model<T, Space> const& of, parameters<T, Space> const& w,
                    std::span<token const> text, activations<T, Space>& kept) {
  auto const length = static_cast<std::size_t>(kept.length());
  auto const sequences = static_cast<std::size_t>(kept.tokens()) / length;
  std::size_t const predictions = text.size() - 1;
  std::size_t const windows = (predictions + length - 1) / length;
  std::vector<token> inputs(sequences * length);
  std::vector<token> targets(sequences * length);
  batch_loss result;
  for (std::size_t first = 0; first < windows; first += sequences) {
    std::size_t const here = std::min(sequences, windows - first);
    // The last window is repeated where a batch is not full; what is repeated is not counted.
    auto const start_of = [&](std::size_t i) {
      return std::min((first + std::min(i, here - 1)) * length, predictions - length);
    };
    for (std::size_t i = 0; i < sequences; ++i) {
      auto const from = text.begin() + static_cast<std::ptrdiff_t>(start_of(i));
      auto const to = static_cast<std::ptrdiff_t>(i * length);
      std::copy_n(from, length, inputs.begin() + to);
      std::copy_n(from + 1, length, targets.begin() + to);
    }
    forward(on, of, w, inputs, kept);
    cross_entropy_loss(on, targets, T(1), kept);
    for (std::size_t i = 0; i < here; ++i) {
      std::size_t const counted_before = (first + i) * length - start_of(i);
      for (std::size_t t = counted_before; t < length; ++t) {
        auto const n = static_cast<index_t>(i * length + t);
        result.loss += static_cast<double>(kept.losses[n]);
        result.correct += kept.correct[n] == T(1) ? 1 : 0;
        ++result.tokens;
      }
    }
  }
  return result;
}

}  // namespace transformer
