// SPDX-License-Identifier: MIT
/// @file
/// A certificate together with what lets others check it without a search.
#pragma once

#include <concepts>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/check/proof.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/norm_recorder.hpp>
#include <sigmax/lipschitz/segment_methods.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// What `propose` returns.
struct proposal {
  certificate proved;
  check::proof proof;
};

namespace detail {

/// Runs methods and keeps what proves the best bound of each segment.
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
    if (best != nullptr && best->upper.is_finite()) {
      segments.push_back({static_cast<node_id>(piece.end), net.nodes()[piece.end].name, best->how, best->multipliers,
                          best->squared_bound});
    }
    return found;
  }
};

}  // namespace detail

/// `certify`, and what its bound rests on, for `verify`: the norms of weights, and of each segment the method that
/// bounds it best, with its multipliers. The proof claims 1e-9 more than was proved here, since other processors round
/// otherwise.
/// `options.methods.matrix_elements` and `multiply_adds` must be the defaults: a checker does not ask the proof how much it
/// may cost. @throws as certify; numeric_error besides where a norm is too large for a double.
template <certifying_backend<double> B, std::same_as<network> Network>
proposal propose(B const& on, Network const& net, certify_options const& options = {}) {
  std::vector<check::segment_proof> segments;
  detail::recorded_methods<B> const methods{{on}, segments};
  norm_recorder<B> norms(on);
  auto proved = detail::certify_with(&norms.prover(), method_runner(methods), net, options);
  if (proved.method() == name_of(method::product)) segments.clear();
  check::proof proof{.norm = options.norm,
                     .domain = options.domain,
                     .relative_gap = options.relative_gap,
                     .upper = proved.upper_extended() * extended(1 + 0x1p-30),
                     .norms = norms.claims(),
                     .segments = std::move(segments)};
  return {std::move(proved), std::move(proof)};
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
proposal propose(Network const& net, certify_options const& options = {}) {
  return propose(B{}, net, options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
