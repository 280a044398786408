// SPDX-License-Identifier: MIT
/// @file
/// The Lipschitz bound of the transformer in closed form.
#pragma once

#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>

#include "../model_shape.hpp"
#include "forward_constants.hpp"
#include "norms.hpp"

namespace transformer {

/// A bound and how it came about, residual by residual.
struct closed_form_bound {
  struct residual {
    /// >= RMS of every token that enters.
    double radius;
    /// Of the branch, and of (1 - alpha) x + the branch.
    double branch, lipschitz;
  };
  std::vector<residual> residuals;
  /// >= RMS of every token that leaves the last residual.
  double radius;
  /// From one-hot rows in l1, the largest over tokens, to logits in RMS, the largest over tokens.
  sigmax::extended upper;
};

/// ||f(X) - f(Y)|| <= L ||X - Y|| for all X, Y whose rows are probability vectors over the vocabulary, one-hot rows among
/// them; ||X|| = max_t ||x_t||_1, ||f|| = max_t RMS(f_t), f the logits as softmax takes them. Any length up to the context
/// the norms are for.
///
/// Proof. Rows of an l1 ball: E^T (x - y) is at most ||x - y||_1 max_v RMS(E_v) long. Since both rows add up to 1,
/// x - y = s (p - q) with probability vectors p, q and s = ||x - y||_1 / 2, and E^T (p - q) = sum_vw p_v q_w (E_v - E_w):
/// hence also at most ||x - y||_1 max_vw RMS(E_v - E_w) / 2. L_0 is the smaller of both, a_0 = max_v RMS(E_v).
///
/// Attention, on tokens of RMS at most a, X^2 = d a^2 their squared length (any mask or bias of scores;
/// rotations keep lengths):
///   dy_h,i = sum_j p_ij W_V,h dx_j + W_V,h Cov_{p_i}(x, tau (dx_i . B_ij x + x_i . B_ij dx)),  B_ij = W_Q,h^T R_i^T R_j W_K,h,
/// and by Cauchy-Schwarz the covariance is at most X sd of a number that is at most tau ||B|| X (||dx_i|| + max ||dx_j||), so
///   ||dy_h|| <= ||W_V,h|| f_h max ||dx||,   f_h = 1 + 2 tau ||B_h|| X^2,   ||B_h|| <= ||W_Q,h|| ||W_K,h||;
///   L_att = gain min( ||W_O|| sqrt(sum_h (||W_V,h|| f_h)^2), sum_h ||W_O,h W_V,h|| f_h ),
/// because rows of the concatenation are sqrt(sum_h ||dy_h||^2) long and W_O sums over heads. Head by head: the stacked
/// norms say nothing of concatenated heads, which may attend to different tokens (Newhouse et al. 2025 overlook it).
/// Derivatives integrate to differences along segments, as the ball of tokens is convex. Weighted means are no longer than
/// the longest value: a_att = gain a min( ||W_O|| sqrt(sum_h ||W_V,h||^2), sum_h ||W_O,h W_V,h|| ).
///
/// MLP: ||W_out|| ||W_in|| G / 1.129, G = 1.1289041451852 >= GELU' (the form with erf); and as |GELU(x)| <= |x|, its output
/// is at most a ||W_out|| ||W_in|| / 1.129 long. Residuals: (1 - alpha) + alpha L, the triangle inequality; the projection on
/// the ball of radius r is 1-Lipschitz and leaves RMS <= min(a, r). Head: logit_scale sqrt(d / V) ||W_head||.
/// Every operation is rounded upwards.
closed_form_bound closed_form(model_shape const& shape, forward_constants const& constants, model_norms const& norms);

/// The formula of Newhouse et al. ("Training Transformers with Enforced Lipschitz Bounds", arXiv 2507.13338, section 5 and
/// their code) with the factors of this model in place of 1/3 and 1/residuals, and the scale of the logits, which they leave
/// out: the same units. **Not a bound**; a plain number that enters no certificate.
double published_formula(model_shape const& shape, forward_constants const& constants, model_norms const& norms);

/// What is wrong about it, a sentence each.
std::vector<std::string> faults_of_published_formula();

}  // namespace transformer
