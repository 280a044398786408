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

/// `certify`, with the multipliers that its bound rests on kept for `verify`.
template <certifying_backend<double> B, std::same_as<network> Network>
proposal propose(B const& on, Network const& net, certify_options const& options = {}) {
  struct recorder {
    method_runner inner;
    std::vector<check::segment_proof> segments{};
  } memory{methods_on(on)};
  method_runner const runner{
      &memory, [](void const* self, norm::any norm, network const& of, check::segment const& piece,
                  check::segment_ranges const& ranges, method_options const& how) {
        auto& kept = *static_cast<recorder*>(const_cast<void*>(self));
        auto results = kept.inner.run(kept.inner.backend, norm, of, piece, ranges, how);
        segment_result const* best = nullptr;
        for (auto const& result : results) {
          if (best == nullptr || result.upper < best->upper) best = &result;
        }
        if (best != nullptr && !best->multipliers.empty()) {
          kept.segments.push_back({of.nodes()[piece.end].name, best->multipliers, best->squared_bound});
        }
        return results;
      }};
  norm_prover const prover = prover_on(on);
  auto proved = detail::certify_with(&prover, runner, net, options);
  check::proof proof{.norm = options.norm,
                     .domain = options.domain,
                     // A hair above: the checker takes other paths to the same numbers, rounding each its own way.
                     .upper = proved.upper_extended() * extended(1 + 0x1p-40),
                     .segments = std::move(memory.segments)};
  return {std::move(proved), std::move(proof)};
}

/// The same on the default backend.
template <std::same_as<network> Network, class B = default_backend<double>>
proposal propose(Network const& net, certify_options const& options = {}) {
  return propose(B{}, net, options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
