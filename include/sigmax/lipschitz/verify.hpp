// SPDX-License-Identifier: MIT
/// @file
/// Checks a proof of a Lipschitz bound that somebody else found. Nothing this includes searches for multipliers.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/check/folded_system.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/check/proven_multipliers.hpp>
#include <sigmax/lipschitz/check/segment_bound.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/plain_methods.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// Runs the methods without a search, and proves what a proof claims of a segment.
template <certifying_backend<double> B>
struct proof_checker {
  B const& on;
  check::proof const& claimed;

  template <norm_tag N>
  std::vector<segment_result<N>> results(network const& net, check::segment const& piece,
                                         check::segment_ranges const& ranges, method_options const& options) const {
    std::vector<segment_result<N>> found;
    auto const system = check::folded_system(on, net, piece, ranges, options.matrix_elements);
    if (!system) return found;
    auto const& in = net.nodes()[piece.source].shape;
    auto const& out = net.nodes()[piece.end].shape;
    plain_results<N>(on, system->system, system->row_wise, in, out, options, found);
    if constexpr (!std::same_as<N, norm::linf_t>) {
      for (auto const& part : claimed.segments) {
        if (part.end != net.nodes()[piece.end].name) continue;
        auto const proved = check::multiplier_bound(on, system->system, part.multipliers, part.squared_bound);
        found.push_back({method::lipsdp, check::segment_bound<N>(proved, system->row_wise, in, out), part.multipliers,
                         part.squared_bound});
      }
    }
    return found;
  }
};

}  // namespace detail

/// The certificate that a proof gives for a network: what the rules and the methods without a search prove, and the
/// segments whose multipliers in `claimed` hold. The attack is not run.
///
/// Trusted: this file, lipschitz/check, the rules and what they stand on; not who made the proof.
/// @throws domain_error if that is more than `claimed.upper`: the proof does not prove its claim (or the network is
///         another one); otherwise as certify.
template <certifying_backend<double> B, std::same_as<network> Network>
certificate verify(B const& on, Network const& net, check::proof const& claimed) {
  detail::proof_checker<B> const checker{on, claimed};
  norm_prover const prover = prover_on(on);
  certify_options options{.norm = claimed.norm, .domain = claimed.domain, .attack = false};
  auto result = detail::certify_with(&prover, method_runner(checker), net, options);
  if (claimed.upper < result.upper_extended()) {
    sigmax::detail::raise<domain_error>({"verify: the proof claims a bound of ", claimed.upper.to_decimal_up(),
                                         "; what it proves of this network is ",
                                         result.upper_extended().to_decimal_up()});
  }
  return result;
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
certificate verify(Network const& net, check::proof const& claimed) {
  return verify(B{}, net, claimed);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
