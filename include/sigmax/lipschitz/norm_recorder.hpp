// SPDX-License-Identifier: MIT
/// @file
/// Writes down the norms a certificate stands on, so that others can confirm them without a search.
#pragma once

#include <memory>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/certified/operator_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/lipschitz/check/norm_claims.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Proves spectral norms by search, and keeps for each the number that `check::claim_checker` confirms.
template <certifying_backend<double> B>
class norm_recorder {
 public:
  /// `on` must outlive this.
  explicit norm_recorder(B const& on) : on_(&on), prover_{this, ask, ask_largest, std::make_shared<int const>(0)} {}
  norm_recorder(norm_recorder const&) = delete;
  norm_recorder& operator=(norm_recorder const&) = delete;

  norm_prover const& prover() const { return prover_; }
  /// In the order in which the norms were asked for.
  std::vector<check::norm_claim> const& claims() const { return claims_; }

 private:
  using spectral = op<norm::l2_t, norm::l2_t>;

  static log_upper_bound<spectral> ask(void const* self, weight const& stored, double relative_gap) {
    auto& recorder = *static_cast<norm_recorder*>(const_cast<void*>(self));
    double const bound = stored.visit([&](auto const& w) {
      auto const searched =
          certified_operator_norm<norm::l2_t>(*recorder.on_, w, certified_options{.relative_gap = relative_gap});
      return confirmed(w.rows(), w.cols(), searched.value(),
                       [&](double claim) { return prove_norm_at_most(*recorder.on_, w, claim); });
    });
    recorder.claims_.push_back({stored.rows(), stored.cols(), 1, bound});
    // Proof: prove_norm_at_most(W, bound).
    return sigmax::detail::proof::log_upper<spectral>(extended(bound));
  }

  static double ask_largest(void const* self, matrix_family const& family, double relative_gap) {
    auto& recorder = *static_cast<norm_recorder*>(const_cast<void*>(self));
    workspace memory;
    double const searched = sigmax::detail::largest_norm_up(*recorder.on_, family, relative_gap, memory);
    // One rounding up, since the search ends on squares.
    double const bound = confirmed(family.rows, family.cols, multiply_up(searched, 1 + 0x1p-48), [&](double claim) {
      return sigmax::detail::proves_largest_norm_at_most(*recorder.on_, family, claim, memory);
    });
    recorder.claims_.push_back({family.rows, family.cols, family.count, bound});
    return bound;
  }

  /// The search ends on another level than the one factorisation of the check, and may be too close for it.
  static double confirmed(index_t rows, index_t cols, double claim, auto const& holds) {
    for (double more = 0x1p-50; more < 0x1p-8; more *= 2) {
      if (holds(claim)) return claim;
      claim = multiply_up(claim, 1 + more);
    }
    sigmax::detail::raise<numeric_error>(
        {"proof: the norm of a ", rows, " x ", cols, " matrix could not be confirmed in one factorisation"});
  }

  B const* on_;
  norm_prover prover_;
  std::vector<check::norm_claim> claims_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
