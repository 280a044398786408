// SPDX-License-Identifier: MIT
/// @file
/// The least bound near an expected one that multipliers prove.
#pragma once

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// L with ||y||_2 <= L ||x_0||_2, proved by `multipliers_prove` for `expected` (a squared bound that anybody may have
/// computed) or a number up to one percent above it; +infinity where nothing was proved.
/// Cost: as a rule one or two proofs, 24 at the most.
template <certifying_backend<double> B>
double multiplier_bound(B const& on, slope_system const& system, slope_multipliers const& multipliers,
                        double expected) {
  for (double excess = 1e-9; excess < 1e-2; excess *= 2) {
    double const squared = expected * (1 + excess);
    if (multipliers_prove(on, system, multipliers, squared)) return sqrt_up(squared);
  }
  return infinity;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
