// SPDX-License-Identifier: MIT
/// @file
/// Rewrites networks into ones that compute the same function and are bounded better.
#pragma once

#include <concepts>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite/attention.hpp>
#include <sigmax/lipschitz/rewrite/constants.hpp>
#include <sigmax/lipschitz/rewrite/gelu.hpp>
#include <sigmax/lipschitz/rewrite/normalization.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// The network with groups of elementary nodes that together are an operator with a rule of its own replaced by it, and
/// without nodes the output does not need. The function is the same in real arithmetic, with the same stored numbers.
/// All passes are called here, in an order in which later ones see what earlier ones made; importers call this once.
/// @complexity linear in the number of nodes and of the elements of the values that are matched.
template <std::same_as<network> Network>
network rewritten(Network const& net) {
  return rewrite::with_attention(rewrite::with_normalizations(rewrite::with_gelu(rewrite::with_factors(net))));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
