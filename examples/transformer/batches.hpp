// SPDX-License-Identifier: MIT
/// @file
/// Which pieces of the text a step sees: a pure function of seed and step, so that a resumed run sees the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <sigmax/core/random.hpp>

#include "embedding.hpp"

namespace transformer {

/// `sequences` windows of `length` tokens, and as targets the tokens one further.
class batch_sampler {
 public:
  batch_sampler(std::span<token const> text, index_t sequences, index_t length, std::uint64_t seed)
      : text_(text), length_(static_cast<std::size_t>(length)), random_(seed) {
    inputs_.resize(static_cast<std::size_t>(sequences) * length_);
    targets_.resize(inputs_.size());
  }

  /// Starts are uniform over the text. Allocates nothing.
  void draw(std::int64_t step) {
    std::size_t const sequences = inputs_.size() / length_;
    std::size_t const starts = text_.size() - length_;
    for (std::size_t i = 0; i < sequences; ++i) {
      std::uint64_t const draw = static_cast<std::uint64_t>(step) * sequences + i;
      auto const start = static_cast<std::size_t>(random_.bits(draw) % starts);
      std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(start), length_, at(inputs_, i));
      std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(start + 1), length_, at(targets_, i));
    }
  }

  std::span<token const> inputs() const { return inputs_; }
  std::span<token const> targets() const { return targets_; }

 private:
  std::vector<token>::iterator at(std::vector<token>& tokens, std::size_t sequence) const {
    return tokens.begin() + static_cast<std::ptrdiff_t>(sequence * length_);
  }

  std::span<token const> text_;
  std::size_t length_;
  sigmax::random_sequence random_;
  std::vector<token> inputs_, targets_;
};

}  // namespace transformer
