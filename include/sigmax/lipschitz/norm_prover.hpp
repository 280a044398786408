// SPDX-License-Identifier: MIT
/// @file
/// The spectral norm of a stored weight, proved on the backend a certificate was asked for on.
#pragma once

#include <concepts>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// A backend, whatever its type, and how it proves a spectral norm: rules do not know their backend's type.
struct norm_prover {
  void const* backend;
  log_upper_bound<op<norm::l2_t, norm::l2_t>> (*prove)(void const* backend, weight const& w, double relative_gap);
};

/// The prover that computes on `on`, which must outlive it.
template <certifying_backend<double> B>
norm_prover prover_on(B const& on) {
  return {&on, [](void const* backend, weight const& stored, double relative_gap) {
            return stored.visit([&](auto const& w) {
              return certified_operator_norm<norm::l2_t>(*static_cast<B const*>(backend), w,
                                                         certified_options{.relative_gap = relative_gap});
            });
          }};
}

/// `certified_operator_norm` of a stored weight: in l2 by the prover of the context.
template <norm_tag N>
log_upper_bound<op<N, N>> prove_operator_norm(weight const& stored, rule_context const& context) {
  if constexpr (std::same_as<N, norm::l2_t>) {
    if (context.prover != nullptr) return context.prover->prove(context.prover->backend, stored, context.relative_gap);
  }
  return stored.visit([&](auto const& w) { return certified_operator_norm<N>(w, context.relative_gap); });
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
