// SPDX-License-Identifier: MIT
/// @file
/// The options of Muon.
#pragma once

#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/optimizer/adjustment.hpp>
#include <sigmax/optimizer/rate_and_decay.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>
#include <sigmax/spectral/plan.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// How gradients are averaged.
enum class momentum_form : unsigned char {
  /// M <- mu M + (1 - mu) G, Nesterov's G' = mu M + (1 - mu) G: torch, optax, NanoGPT, and without Nesterov the paper.
  moving_average,
  /// M <- mu M + G, Nesterov's G' = G + mu M: the first Muon, dion, Moonshot. The same steps but for rounding, as what is
  /// orthogonalized differs by the factor 1 - mu; where columns or rows are normalised, too, but for their inflation.
  heavy_ball
};

/// What the direction of a step is the steepest descent for.
enum class duality : unsigned char {
  /// The spectral norm: U V^T of the momentum U S V^T. For linear layers.
  spectral,
  /// The norm from l1 to RMS: every column divided by its RMS. For an embedding whose columns are the vectors.
  columns,
  /// The same of rows: for an embedding stored as one row a token, and for row-wise output layers.
  rows
};

/// Options of `muon`. Names and defaults that torch.optim.Muon has mean what they mean there.
struct muon_options {
  /// Of the next step; `muon::set_learning_rate` changes it.
  double learning_rate = 1e-3;
  /// mu, in [0, 1).
  double momentum = 0.95;
  bool nesterov = true;
  momentum_form form_of_momentum = momentum_form::moving_average;
  /// Decoupled, before the update: W <- (1 - learning_rate weight_decay) W, with the learning rate as it is.
  double weight_decay = 0.1;
  /// The factor of the learning rate by shape, and one more.
  adjustment adjust = adjustment::original;
  double update_scale = 1;
  /// What orthogonalizes, and how singular values are brought into its domain (torch: frobenius). Empty: the polar factor
  /// to working precision.
  polynomial_schedule schedule = schedules::muon;
  normalization normalize_by = normalization::gram;
  polynomial_form form = polynomial_form::automatic;
  double gram_error = 0.05;
  duality dual_to = duality::spectral;
  /// For columns and rows: none is multiplied by more than this.
  double max_inflation = 16;
  /// Heights of row blocks that are matrices of their own: fused projections ({d, d, d}) or heads. They are orthogonalized,
  /// adjusted and constrained one by one. Empty: the whole.
  std::vector<index_t> row_blocks = {};
  /// End the orthogonalization with `scale_to`, so that `update_norm` bounds the direction as computed, rounding included.
  bool certified = false;
  /// Scratch memory to share between optimizers; each has its own where none is given.
  workspace* scratch = nullptr;
};

namespace detail {

/// @throws domain_error for options out of range.
template <class = void>
void check_muon_options(muon_options const& o) {
  check_rate_and_decay("muon", o.learning_rate, o.weight_decay);
  if (!(o.momentum >= 0) || !(o.momentum < 1)) {
    raise<domain_error>({"muon: momentum is ", o.momentum, "; it must be at least 0 and below 1"});
  }
  if (!(o.update_scale > 0) || !is_finite(o.update_scale)) {
    raise<domain_error>({"muon: update_scale is ", o.update_scale, "; it must be finite and above 0"});
  }
  if (!(o.max_inflation > 0) || !is_finite(o.max_inflation)) {
    raise<domain_error>({"muon: max_inflation is ", o.max_inflation, "; it must be finite and above 0"});
  }
  if (!(o.gram_error > 0)) raise<domain_error>({"muon: gram_error is ", o.gram_error, "; it must be above 0"});
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
