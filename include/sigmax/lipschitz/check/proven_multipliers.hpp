// SPDX-License-Identifier: MIT
/// @file
/// The least bound near an expected one that multipliers prove.
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// A squared bound that multipliers were tested with, and what that proves.
struct tested_multipliers {
  double squared_bound = infinity;
  upper_bound<norm::spectral> bound;
};

/// ||y||_2 <= L ||x_0||_2 for the differences of a slope system, L the root of `squared_bound`, if `multipliers_prove`
/// says so; else +infinity.
template <certifying_backend<double> B>
upper_bound<norm::spectral> multiplier_bound(B const& on, slope_system const& system,
                                             slope_multipliers const& multipliers, double squared_bound) {
  bool const proved = multipliers_prove(on, system, multipliers, squared_bound);
  return sigmax::detail::proof::upper<norm::spectral>(proved ? sqrt_up(squared_bound) : infinity);
}

/// The same for `expected`, which anybody may have computed, or the first number up to one percent above it that is
/// proved. Cost: as a rule one or two proofs, 24 at the most.
template <certifying_backend<double> B>
tested_multipliers multiplier_bound_near(B const& on, slope_system const& system, slope_multipliers const& multipliers,
                                         double expected) {
  for (double excess = 1e-9; excess < 1e-2; excess *= 2) {
    double const squared = expected * (1 + excess);
    auto const bound = multiplier_bound(on, system, multipliers, squared);
    if (bound.is_finite()) return {squared, bound};
  }
  return {infinity, multiplier_bound(on, system, multipliers, infinity)};
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
