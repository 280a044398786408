// SPDX-License-Identifier: MIT
/// @file
/// The certificate of a transformer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/kernels.hpp>

#include "../parameters.hpp"
#include "../settings.hpp"
#include "closed_form.hpp"
#include "pair_attack.hpp"

namespace transformer {

/// A proven upper bound, and what it rests on.
struct proven_bound {
  /// "caps", "norms", "products", "network".
  std::string method;
  /// A sentence.
  std::string from;
  sigmax::extended upper;
  double seconds = 0;
};

/// ||f(X) - f(Y)|| <= L ||X - Y|| for all X, Y of T rows that are probability vectors over the vocabulary, one-hot rows
/// among them; norms as in closed_form.hpp; f in real arithmetic with the stored weights and GELU in the form with erf.
struct model_certificate {
  run_settings settings;
  index_t length = 0;
  /// Those that were asked for and are finite for these settings; each holds by itself.
  std::vector<proven_bound> bounds;
  /// What the closed form says residual by residual, with the best norms there are.
  closed_form_bound residuals;
  /// Not a bound.
  double published = 0;
  /// The pair an attack found; `lower` is proven by interval arithmetic, 0 where there is none.
  token_pair pair;
  double lower = 0;
  double seconds = 0;

  /// L: the least of them.
  proven_bound const& best() const;
};

struct certify_model_options {
  /// Walk the graph too (seconds), not only formulas of norms.
  bool walk_network = true;
  /// Multiply-adds of its search of multipliers; 0 searches nothing.
  double search_work = 3e10;
  bool attack = true;
  pair_attack_options attack_settings = {};
};

/// Proves bounds of a model by each method, looks for a pair, and compares.
///  - caps: closed_form of norms_of_caps: holds of all weights the constraint allows, so of every step of the run;
///  - norms: of the proven norms of these weights;
///  - products: of the norms of W_O,h W_V,h and W_Q,h^T R W_K,h as well;
///  - network: `certify` of network_of_model in rms, on the ball that holds the vectors of all tokens, times the norm of the
///    embedding: attention as rules::self_attention bounds it, the residuals of MLPs by multipliers.
/// @throws numeric_error if a weight is not finite, or the attack proves more than a bound.
model_certificate certify_model(sigmax::cpu::native const& on, run_settings const& settings, parameters<float> const& w,
                                certify_model_options const& options = {});

}  // namespace transformer
