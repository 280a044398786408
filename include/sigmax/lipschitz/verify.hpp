// SPDX-License-Identifier: MIT
/// @file
/// Checks a proof of a Lipschitz bound that somebody else found. Nothing this includes searches for multipliers.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/certificate_numbers.hpp>
#include <sigmax/lipschitz/check/folded_system.hpp>
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/check/proven_multipliers.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_bound.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/plain_methods.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// Proves what a proof claims of the segments of a network, and nothing else.
template <certifying_backend<double> B>
class segment_checker {
 public:
  segment_checker(B const& on, check::proof const& claimed) : on_(on), claimed_(claimed) {}

  /// The first thing that was wrong; empty if every segment of the proof is one of the network and its method holds.
  std::string problem() const {
    if (!problem_.empty() || used_ == claimed_.segments.size()) return problem_;
    return "it bounds " + std::to_string(claimed_.segments.size()) + " segments, of which the network has " +
           std::to_string(used_);
  }

  template <norm_tag N>
  std::vector<segment_result<N>> results(network const& net, check::segment const& piece,
                                         check::segment_ranges const& ranges, method_options options) const {
    std::vector<segment_result<N>> found;
    // Segments come in the order of their ends.
    if (used_ == claimed_.segments.size() || claimed_.segments[used_].end != static_cast<node_id>(piece.end)) {
      return found;
    }
    auto const& part = claimed_.segments[used_++];
    auto const system = check::folded_system(on_, net, piece, ranges, options.matrix_elements);
    if (system) {
      auto const& in = net.nodes()[piece.source].shape;
      auto const& out = net.nodes()[piece.end].shape;
      if (part.how == method::dynamic_program || part.how == method::absolute) {
        options.which = part.how;
        plain_results<N>(on_, system->system, system->row_wise, in, out, options, found);
      } else if constexpr (!std::same_as<N, norm::linf_t>) {
        auto const proved = check::multiplier_bound(on_, system->system, part.multipliers, part.squared_bound);
        if (proved.is_finite()) {
          found.push_back({part.how, check::segment_bound<N>(proved, system->row_wise, in, out), part.multipliers,
                           part.squared_bound});
        }
      }
    }
    if (found.empty() && problem_.empty()) {
      problem_ = std::string("the ") + (part.multipliers.empty() ? std::string(name_of(part.how)) : "multipliers") +
                 " of the segment that ends at '" + net.nodes()[piece.end].name + "' could not be confirmed";
    }
    return found;
  }

 private:
  B const& on_;
  check::proof const& claimed_;
  // A runner of methods is asked through a pointer to const.
  mutable std::size_t used_ = 0;
  mutable std::string problem_;
};

}  // namespace detail

/// The certificate that a proof gives for a network. The rules of all layers are applied again; every norm of a weight
/// they ask for is a claim that must hold, and of each segment the proof names, the method or the multipliers. Nothing is
/// searched for: one Gram matrix and one Cholesky factorisation a weight, one factorisation a set of multipliers.
/// The attack is not run.
///
/// Fails closed: a claim that is missing, left over, of another shape or too small, multipliers that do not prove their
/// bound, or an upper bound below what all of them give.
///
/// Trusted: this file, lipschitz/check, the rules and what they stand on; not who made the proof.
/// @throws domain_error that says which of these it is; otherwise as certify.
template <certifying_backend<double> B, std::same_as<network> Network>
certificate verify(B const& on, Network const& net, check::proof const& claimed, progress_listener progress = {}) {
  detail::segment_checker<B> const segments(on, claimed);
  check::claim_checker<B> norms(on, claimed.norms);
  certify_options const options{.norm = claimed.norm,
                                .domain = claimed.domain,
                                .relative_gap = claimed.relative_gap,
                                .attack = false,
                                .progress = progress,
                                .methods = {.which = claimed.segments.empty() ? method::product : method::automatic}};
  auto result = detail::certify_with(&norms.prover(), method_runner(segments), net, options);
  std::string problem = norms.problem();
  if (problem.empty()) problem = segments.problem();
  if (problem.empty() && !result.is_finite()) problem = "the network has no finite bound";
  if (problem.empty() && claimed.upper < result.upper_extended()) {
    problem = "it claims L <= " + detail::short_upper(claimed.upper) +
              ", what it holds proves L <= " + detail::short_upper(result.upper_extended());
  }
  if (!problem.empty()) sigmax::detail::raise<domain_error>({"verify: ", problem});
  return result;
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
certificate verify(Network const& net, check::proof const& claimed) {
  return verify(B{}, net, claimed);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
