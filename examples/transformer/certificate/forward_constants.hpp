// SPDX-License-Identifier: MIT
/// @file
/// The factors of the forward pass as certificates see them.
#pragma once

#include <concepts>

#include <sigmax/bound/interval.hpp>

#include "../model.hpp"

namespace transformer {

/// Exactly the numbers the program multiplies by, in its precision; an interval that holds the product of two of them.
struct forward_constants {
  /// 1 - alpha and alpha gain: of the residual and of attention.
  double skip, attention;
  /// alpha / gelu_divisor, of the MLP.
  sigmax::interval mlp;
  /// tau.
  double scale;
  double logits;
  /// 0: no ball.
  double ball_radius;
};

template <class T>
forward_constants constants_of(model<T> const& of) {
  // Floats are multiplied by the rounded reciprocal, other scalars divided (pointwise.hpp).
  sigmax::interval const divided = std::same_as<T, float>
                                       ? sigmax::interval(static_cast<double>(T(1) / T(gelu_divisor)))
                                       : sigmax::interval(1.0) / sigmax::interval(static_cast<double>(T(gelu_divisor)));
  auto const alpha = static_cast<double>(of.alpha());
  return {.skip = static_cast<double>(T(1 - of.alpha())),
          .attention = static_cast<double>(of.attention.gain),
          .mlp = sigmax::interval(alpha) * divided,
          .scale = static_cast<double>(of.attention.scale),
          .logits = static_cast<double>(T(of.options.logit_scale)),
          .ball_radius = static_cast<double>(T(of.options.ball_radius))};
}

}  // namespace transformer
