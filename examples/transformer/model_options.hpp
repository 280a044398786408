// SPDX-License-Identifier: MIT
/// @file
/// The numbers of the forward pass that are chosen and not learnt.
#pragma once

#include "model_shape.hpp"

namespace transformer {

/// What GELU is divided by: above its largest slope, 1.12890415 of the form with erf and 1.12899307 of that with tanh, so
/// that the quotient is 1-Lipschitz.
inline constexpr double gelu_divisor = 1.1290;

/// The Lipschitz bound depends on every one of these. Paper: Newhouse et al., arXiv 2507.13338, section 3 and appendix C.
struct model_options {
  /// tau of softmax(tau q k^T); 0 is 1 / d_k.
  double attention_scale = 0;
  /// Factor of the attention's output.
  double attention_gain = 1.0 / 3;
  /// alpha = residual_scale / residuals in x <- (1 - alpha) x + alpha f(x).
  double residual_scale = 1;
  /// r of x <- x min(1, r / RMS(x)) after each residual, token by token; 0 leaves it out.
  double ball_radius = 0;
  /// logits = logit_scale W_head x.
  double logit_scale = 1;

  bool operator==(model_options const&) const = default;

  double scale_of_attention(model_shape const& shape) const {
    return attention_scale > 0 ? attention_scale : 1 / static_cast<double>(shape.key_width);
  }
  double alpha(model_shape const& shape) const { return residual_scale / static_cast<double>(shape.residuals()); }
};

/// @throws domain_error for a number outside of its domain.
inline void check(model_options const& options, model_shape const& shape) {
  auto const require = [](bool holds, char const* name, double value, char const* rule) {
    if (!holds) sigmax::detail::raise<sigmax::domain_error>({"model_options: ", name, " is ", value, "; ", rule});
  };
  constexpr double largest = 1e30;
  auto const usable = [](double value) { return value >= 0 && value <= largest; };
  require(usable(options.attention_scale), "attention_scale", options.attention_scale, "it must be positive, or 0");
  require(usable(options.attention_gain), "attention_gain", options.attention_gain, "it must not be negative");
  require(usable(options.ball_radius), "ball_radius", options.ball_radius, "it must be positive, or 0 for none");
  require(options.logit_scale > 0 && usable(options.logit_scale), "logit_scale", options.logit_scale,
          "it must be positive");
  double const alpha = options.alpha(shape);
  require(alpha > 0 && alpha <= 1, "residual_scale", options.residual_scale,
          "divided by the number of residuals it must be above 0 and at most 1");
}

}  // namespace transformer
