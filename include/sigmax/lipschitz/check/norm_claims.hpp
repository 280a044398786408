// SPDX-License-Identifier: MIT
/// @file
/// Claimed norms of stored matrices: written down while a certificate is made, and checked later without any search.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/lipschitz/norm_prover.hpp>
#include <sigmax/lipschitz/weight.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// "||W||_2 <= bound" of a stored matrix of this shape, or of every member of a family of `count` complex matrices, the
/// symbol of a convolution. Anybody may write one: a claim is not believed, it is proved by `prove_norm_at_most`.
struct norm_claim {
  index_t rows = 0;
  index_t cols = 0;
  index_t count = 1;
  double bound = infinity;
};

/// Proves spectral norms by confirming claims in the order in which they are asked for: a Gram matrix and a Cholesky
/// factorisation for each matrix. What is not confirmed is +infinity, and `problem()` says which it was.
template <certifying_backend<double> B>
class claim_checker {
 public:
  /// `on` and the claims must outlive this.
  claim_checker(B const& on, std::span<norm_claim const> claims)
      : on_(&on), claims_(claims), prover_{this, ask, ask_largest, std::make_shared<int const>(0)} {}
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
    double const bound = checker.confirmed(stored.rows(), stored.cols(), 1, [&](double claim) {
      return stored.visit([&](auto const& w) { return prove_norm_at_most(*checker.on_, w, claim); });
    });
    // Proof: `confirmed` returns what prove_norm_at_most(W, bound) proved, or +infinity.
    return sigmax::detail::proof::log_upper<spectral>(extended(bound));
  }

  static double ask_largest(void const* self, matrix_family const& family, double) {
    auto& checker = *static_cast<claim_checker*>(const_cast<void*>(self));
    return checker.confirmed(family.rows, family.cols, family.count, [&](double claim) {
      workspace memory;
      return sigmax::detail::proves_largest_norm_at_most(*checker.on_, family, claim, memory);
    });
  }

  /// The bound of the next claim if it is of this shape and holds, else +infinity.
  double confirmed(index_t rows, index_t cols, index_t count, auto const& holds) {
    std::string problem;
    if (next_ == claims_.size()) {
      problem = "it claims " + std::to_string(claims_.size()) + " norms of weights, the network asks for more";
    } else {
      auto const& claim = claims_[next_];
      std::string const which = "claim " + std::to_string(next_);
      if (claim.rows != rows || claim.cols != cols || claim.count != count) {
        problem = which + " is of " + text(claim.rows, claim.cols, claim.count) + ", the network has " +
                  text(rows, cols, count);
      } else if (!is_finite(claim.bound) || !holds(claim.bound)) {
        problem = which + ", the norm of " + text(rows, cols, count) + ", could not be confirmed";
      }
    }
    if (problem.empty()) return claims_[next_++].bound;
    if (problem_.empty()) problem_ = problem;
    return infinity;
  }

  static std::string text(index_t rows, index_t cols, index_t count) {
    std::string const size = std::to_string(rows) + " x " + std::to_string(cols);
    return count == 1 ? "a " + size + " matrix" : std::to_string(count) + " matrices of " + size;
  }

  B const* on_;
  std::span<norm_claim const> claims_;
  std::size_t next_ = 0;
  norm_prover prover_;
  std::string problem_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
