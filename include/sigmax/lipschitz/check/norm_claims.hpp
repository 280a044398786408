// SPDX-License-Identifier: MIT
/// @file
/// Claimed norms of stored matrices: written down while a certificate is made, and checked later without any search.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// "||W||_2 <= bound" of a stored matrix of this shape. Anybody may write one: a claim is not believed, it is proved by
/// `prove_norm_at_most`.
struct norm_claim {
  index_t rows = 0;
  index_t cols = 0;
  double bound = infinity;
};

/// Proves spectral norms by search, and keeps for each the number that `prove_norm_at_most` confirms.
template <certifying_backend<double> B>
class claim_recorder {
 public:
  /// `on` must outlive this.
  explicit claim_recorder(B const& on) : on_(&on), prover_{this, ask} {}
  claim_recorder(claim_recorder const&) = delete;
  claim_recorder& operator=(claim_recorder const&) = delete;

  norm_prover const& prover() const { return prover_; }
  /// In the order in which the norms were asked for.
  std::vector<norm_claim> const& claims() const { return claims_; }

 private:
  using spectral = op<norm::l2_t, norm::l2_t>;

  static log_upper_bound<spectral> ask(void const* self, weight const& stored, double relative_gap) {
    auto& recorder = *static_cast<claim_recorder*>(const_cast<void*>(self));
    double const bound = stored.visit([&](auto const& w) {
      auto const searched =
          certified_operator_norm<norm::l2_t>(*recorder.on_, w, certified_options{.relative_gap = relative_gap});
      double claim = searched.value();
      // The search ends on another level than the one factorisation of the check, and may be too close for it.
      for (double more = 0x1p-50; more < 0x1p-8; more *= 2) {
        if (prove_norm_at_most(*recorder.on_, w, claim)) return claim;
        claim = multiply_up(claim, 1 + more);
      }
      sigmax::detail::raise<numeric_error>(
          {"proof: the norm of a ", w.rows(), " x ", w.cols(), " matrix could not be confirmed in one factorisation"});
    });
    recorder.claims_.push_back({stored.rows(), stored.cols(), bound});
    // Proof: prove_norm_at_most(W, bound).
    return sigmax::detail::proof::log_upper<spectral>(extended(bound));
  }

  B const* on_;
  norm_prover prover_;
  std::vector<norm_claim> claims_;
};

/// Proves spectral norms by confirming claims, one Gram matrix and one Cholesky factorisation each. What is not
/// confirmed is +infinity, and `problem()` says which it was.
template <certifying_backend<double> B>
class claim_checker {
 public:
  /// `on` and the claims must outlive this.
  claim_checker(B const& on, std::span<norm_claim const> claims) : on_(&on), claims_(claims), prover_{this, ask} {}
  claim_checker(claim_checker const&) = delete;
  claim_checker& operator=(claim_checker const&) = delete;

  norm_prover const& prover() const { return prover_; }
  /// The first thing that was wrong; empty if every norm asked for had a claim that holds, and no claim is left.
  std::string problem() const {
    if (!problem_.empty() || next_ == claims_.size()) return problem_;
    return "it claims " + std::to_string(claims_.size()) + " norms of weights, the network asks for " +
           std::to_string(next_);
  }

 private:
  using spectral = op<norm::l2_t, norm::l2_t>;

  static log_upper_bound<spectral> ask(void const* self, weight const& stored, double) {
    auto& checker = *static_cast<claim_checker*>(const_cast<void*>(self));
    std::string const problem = checker.look(stored);
    if (!problem.empty()) {
      if (checker.problem_.empty()) checker.problem_ = problem;
      return sigmax::detail::proof::log_upper<spectral>(extended(infinity));
    }
    // Proof: `look` found prove_norm_at_most(W, bound).
    return sigmax::detail::proof::log_upper<spectral>(extended(checker.claims_[checker.next_++].bound));
  }

  std::string look(weight const& stored) const {
    if (next_ == claims_.size()) {
      return "it claims " + std::to_string(claims_.size()) + " norms of weights, the network asks for more";
    }
    auto const& claim = claims_[next_];
    std::string const which = "claim " + std::to_string(next_);
    if (claim.rows != stored.rows() || claim.cols != stored.cols()) {
      return which + " is of a " + std::to_string(claim.rows) + " x " + std::to_string(claim.cols) +
             " matrix, the network has one of " + std::to_string(stored.rows()) + " x " + std::to_string(stored.cols());
    }
    bool const holds =
        is_finite(claim.bound) && stored.visit([&](auto const& w) { return prove_norm_at_most(*on_, w, claim.bound); });
    return holds ? std::string()
                 : which + ", the norm of a " + std::to_string(claim.rows) + " x " + std::to_string(claim.cols) +
                       " matrix, could not be confirmed";
  }

  B const* on_;
  std::span<norm_claim const> claims_;
  std::size_t next_ = 0;
  norm_prover prover_;
  std::string problem_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
