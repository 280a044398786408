// SPDX-License-Identifier: MIT
/// @file
/// A certificate together with what lets others check it without a search.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/segment_methods.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// What `propose` returns.
struct proposal {
  certificate proved;
  check::proof proof;
};

namespace detail {

/// Runs methods and keeps the multipliers of the best bound of each segment.
template <certifying_backend<double> B>
struct recorded_methods {
  methods_on<B> inner;
  std::vector<check::segment_proof>& segments;

  template <norm_tag N>
  std::vector<segment_result<N>> results(network const& net, check::segment const& piece,
                                         check::segment_ranges const& ranges, method_options const& options) const {
    auto found = inner.template results<N>(net, piece, ranges, options);
    segment_result<N> const* best = nullptr;
    for (auto const& result : found) {
      bool const less = best == nullptr || result.upper.extended_value() < best->upper.extended_value();
      if (less) best = &result;
    }
    if (best != nullptr && !best->multipliers.empty()) {
      segments.push_back({net.nodes()[piece.end].name, best->multipliers, best->squared_bound});
    }
    return found;
  }
};

}  // namespace detail

/// `certify`, with the multipliers that its bound rests on kept for `verify`.
template <certifying_backend<double> B, std::same_as<network> Network>
proposal propose(B const& on, Network const& net, certify_options const& options = {}) {
  std::vector<check::segment_proof> segments;
  detail::recorded_methods<B> const methods{{on}, segments};
  norm_prover const prover = prover_on(on);
  auto proved = detail::certify_with(&prover, method_runner(methods), net, options);
  check::proof proof{.norm = options.norm,
                     .domain = options.domain,
                     .upper = proved.upper_extended(),
                     .segments = std::move(segments)};
  return {std::move(proved), std::move(proof)};
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
proposal propose(Network const& net, certify_options const& options = {}) {
  return propose(B{}, net, options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
