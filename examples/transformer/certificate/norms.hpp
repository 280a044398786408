// SPDX-License-Identifier: MIT
/// @file
/// The norms of a model that closed-form certificates are made of.
#pragma once

#include <vector>

#include <sigmax/kernels.hpp>

#include "../model.hpp"
#include "../settings.hpp"

namespace transformer {

/// Proven upper bounds of spectral norms; infinity where nothing is known.
struct head_norms {
  double query, key, value, output;
  /// Of W_O,h W_V,h.
  double output_value;
  /// Of W_Q,h^T R_i^T R_j W_K,h for all positions j <= i.
  double query_key;
};

struct block_norms {
  /// Of all heads together.
  double query, key, value, output;
  std::vector<head_norms> heads;
  double mlp_in, mlp_out;
};

struct model_norms {
  /// >= RMS(E_v) of every token v.
  double embedding;
  /// >= RMS(E_v - E_w) / 2 of all tokens v and w.
  double half_diameter;
  std::vector<block_norms> blocks;
  double head;
};

/// Of the stored weights. `products`: those of two matrices as well; else they are infinite.
/// Cost: a proof of each norm, and with `products` one of a d_k x d_k matrix for each head and position.
template <class T>
model_norms norms_of(sigmax::cpu::native const& on, model<T> const& of, parameters<T> const& w, bool products);

/// What follows from the caps that a constraint proves after every step, whatever the weights are: bounds for the whole
/// run. Infinite where the settings prove no cap.
model_norms norms_of_caps(run_settings const& settings);

}  // namespace transformer
