// SPDX-License-Identifier: MIT
/// @file
/// Two inputs between which the logits move far: what every upper bound is to be compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <sigmax/kernels.hpp>

#include "../model.hpp"

namespace transformer {

/// X has the one-hot rows of `from`, Y the rows (1 - share) e_from + share e_to: ||X - Y|| = 2 share, the largest l1 distance
/// of two rows, where any token differs.
struct token_pair {
  std::vector<token> from, to;
  double share = 1;
  /// max_t RMS(f(X)_t - f(Y)_t) / ||X - Y|| in double, as found; wrong on either side by rounding.
  double quotient = 0;
};

struct pair_attack_options {
  /// Pairs that climb at once, and how often they do.
  index_t sequences = 4;
  int rounds = 40;
  std::uint64_t seed = 1;
  /// Where half of the pairs begin, if it is longer than a sequence; the others begin with tokens drawn at random.
  std::span<token const> text = {};
  /// Hears the quotient of every pair that is evaluated.
  std::function<void(double)> seen = {};
};

/// Ascent on pairs of sequences as long as the model's, in the domain of tokens: derivatives by the vectors of tokens say
/// which token to move to, and which to move away from. The best pair that was found; deterministic.
/// Cost: two forward and two backward passes of `sequences` a round.
token_pair attack_pairs(sigmax::cpu::native const& on, model<double> const& of, parameters<double> const& w,
                        pair_attack_options const& options);

/// The same weights in double.
parameters<double> in_double(model_shape const& shape, parameters<float> const& w);

}  // namespace transformer
