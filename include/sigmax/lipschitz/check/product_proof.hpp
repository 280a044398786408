// SPDX-License-Identifier: MIT
/// @file
/// The proof behind a product of layer bounds, as data: proposed by search, verified without it.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/certificate_maker.hpp>
#include <sigmax/lipschitz/certificate_text.hpp>
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// A certificate, and the norms of weights it stands on.
struct proposed_product {
  certificate proof;
  std::vector<norm_claim> claims;
};

/// Certifies a network by the product of its layers as `certify` does, from norms that can be confirmed in one factorisation each. @throws as certify.
template <certifying_backend<double> B, std::same_as<network> Network>
proposed_product propose_product(B const& on, Network const& net, certify_options options) {
  options.methods.which = method::product;
  claim_recorder<B> recorder(on);
  auto proof = detail::certify_with(&recorder.prover(), method_runner(no_methods{}), net, options);
  return {std::move(proof), recorder.claims()};
}

/// What became of a claimed bound.
struct verified_product {
  /// Why it is not proved; empty if it is.
  std::string problem;
  /// The certificate the claims give; nothing where one of them does not hold.
  std::optional<certificate> proof;

  bool holds() const { return problem.empty(); }
};

/// Proves `upper` for a network from claimed norms: the rules of all layers are applied again, and every norm of a
/// weight they ask for is a claim that must hold. Nothing is searched for: one Gram matrix and one Cholesky
/// factorisation a weight. Fails closed: a claim that is missing, left over, of another shape or too small, or an upper
/// bound below what the claims give. `options` are those the claims were made with. @throws as certify.
template <certifying_backend<double> B, std::same_as<network> Network>
verified_product verify_product(B const& on, Network const& net, std::span<norm_claim const> claims,
                                extended const& upper, certify_options options) {
  options.attack = false;
  options.methods.which = method::product;
  claim_checker<B> checker(on, claims);
  auto proof = detail::certify_with(&checker.prover(), method_runner(no_methods{}), net, options);
  verified_product result;
  result.problem = checker.problem();
  if (!result.holds()) return result;
  if (!proof.is_finite()) {
    result.problem = "the network has no finite bound";
  } else if (upper < proof.upper_extended()) {
    result.problem = "it claims L <= " + detail::short_upper(upper) +
                     ", its norms prove L <= " + detail::short_upper(proof.upper_extended());
  }
  if (result.holds()) result.proof = std::move(proof);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
