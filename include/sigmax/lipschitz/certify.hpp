// SPDX-License-Identifier: MIT
/// @file
/// From a network to its certificate.
#pragma once

#include <concepts>
#include <type_traits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/segment_methods.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Proves an upper bound of the Lipschitz constant of a network: L_out = sum_i b_i L_i over the inputs of each node,
/// b_i from the node's rule, with exponents of their own (10^264 and 10^-300 are ordinary). Layers without a finite
/// bound are named in `refused()` and the bound is +infinity. On a bounded domain the rules see where their inputs lie
/// (value_range), so that operators that are Lipschitz only on bounded sets have a bound too.
///
/// Pieces of linear maps and elementwise functions are bounded as a whole besides (see `method`); the least bound of each
/// counts, and `tried` says what each method gives by itself.
///
/// Unless switched off, the network is attacked as well (`falsify`).
/// Cost: one certified spectral norm per weight in l2 and rms, one pass over the weights in linf, on a bounded domain
/// two evaluations in interval arithmetic, the methods (about ten seconds for a large network unless
/// `options.methods` says otherwise), and the attack.
/// @throws domain_error if the domain was given for another number of elements, numeric_error if a weight holds NaN or infinity, or if this thread's
///         arithmetic is not sound (rounding mode, flush-to-zero); contradiction, with its witness, if the attack
///         proves more than the upper bound.
template <certifying_backend<double> B, std::same_as<network> Network>
certificate certify(B const& on, Network const& net, certify_options const& options = {}) {
  norm_prover const prover = prover_on(on);
  methods_on const methods{on};
  return detail::certify_with(&prover, method_runner(methods), net, options);
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
certificate certify(Network const& net, certify_options const& options = {}) {
  B const on{};
  methods_on const methods{on};
  return detail::certify_with(nullptr, method_runner(methods), net, options);
}

/// The same for a layer whose input is a vector of the width its first linear map takes. For inputs of another shape:
/// certify(network_of(layer, shape), options). @throws domain_error also if no linear map tells the width.
template <certifying_backend<double> B, layer L>
certificate certify(B const& on, L const& l, certify_options const& options = {}) {
  return certify(on, network_of(l), options);
}
template <layer L>
certificate certify(L const& l, certify_options const& options = {}) {
  return certify(network_of(l), options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
