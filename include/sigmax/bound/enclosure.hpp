// SPDX-License-Identifier: MIT
/// @file
/// A proven interval that holds an operator norm.
#pragma once

#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// lower() <= ||f||_Op <= upper(), both ends proven with outward rounding. Made only by proofs.
template <class Op>
class enclosure {
 public:
  using op = Op;

  double lower() const { return lower_; }
  double upper() const { return upper_; }
  /// upper() - lower(), rounded upwards.
  double width() const { return subtract_up(upper_, lower_); }
  /// The upper end as a bound that composes with others.
  upper_bound<Op> bound() const { return detail::proof::upper<Op>(upper_); }

 private:
  friend struct detail::proof;
  enclosure(double lower, double upper)
      : lower_(is_nan(lower) || lower < 0 ? 0.0 : lower), upper_(is_nan(upper) || upper < 0 ? infinity : upper) {}

  double lower_;
  double upper_;
};

}  // namespace sigmax::inline SIGMAX_ABI
