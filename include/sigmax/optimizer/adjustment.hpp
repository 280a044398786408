// SPDX-License-Identifier: MIT
/// @file
/// How Muon's learning rate depends on the shape of a weight.
#pragma once

#include <cmath>

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// The factor of the learning rate for a weight of `rows` outputs and `cols` inputs, as the peers name it.
enum class adjustment : unsigned char {
  /// 1
  none,
  /// sqrt(max(1, rows / cols)): Jordan's, torch's "original" and default, optax, "shape_scaling" of Emerging-Optimizers.
  original,
  /// 0.2 sqrt(max(rows, cols)), which gives the update about AdamW's root mean square: Moonshot's, torch's
  /// "match_rms_adamw", "rms_norm" of dion.
  match_rms_adamw,
  /// sqrt(rows / cols), by which an update of l2 norm 1 has norm 1 from RMS to RMS: arXiv 2507.13338, "spectral_norm" of
  /// dion, "unit_rms_norm" of Emerging-Optimizers.
  spectral_norm,
  /// sqrt(max(rows, cols)): "spectral" of Emerging-Optimizers.
  longest_side
};

/// The factor. 1 for a matrix without elements.
inline double adjustment_factor(adjustment by, index_t rows, index_t cols) {
  if (rows == 0 || cols == 0) return 1;
  auto const out = static_cast<double>(rows);
  auto const in = static_cast<double>(cols);
  switch (by) {
    case adjustment::original:
      return rows > cols ? std::sqrt(out / in) : 1.0;
    case adjustment::match_rms_adamw:
      return 0.2 * std::sqrt(rows > cols ? out : in);
    case adjustment::spectral_norm:
      return std::sqrt(out / in);
    case adjustment::longest_side:
      return std::sqrt(rows > cols ? out : in);
    default:
      return 1;
  }
}

}  // namespace sigmax::inline SIGMAX_ABI
