// SPDX-License-Identifier: MIT
/// @file
/// How fast the difference of two logits can change.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/certificate.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

struct pair_maker;

}  // namespace detail

/// Proven constants L_ij with |(f_i - f_j)(x) - (f_i - f_j)(y)| <= L_ij ||x - y|| for all x, y in the domain, f_i the
/// logits of a network. Made once a network, by `pairwise_constants::of_logits` or the functions of prove_pairs.hpp.
class pairwise_constants {
 public:
  /// From one constant L of all logits together: in l2 L_ij = sqrt(2) L, in linf 2 L, in rms sqrt(2 K) L for K logits
  /// in one row.
  /// Proof: |d_i - d_j| <= sqrt(2) ||d||_2 (Cauchy-Schwarz with e_i - e_j) and <= 2 ||d||_inf; a row of w elements has
  /// ||d||_2 <= sqrt(w) ||d||_rms and |d_i| <= sqrt(w) ||d||_rms.
  /// @throws domain_error if the certificate has different norms at input and output, or no logits.
  template <std::same_as<certificate> Certificate>
  static pairwise_constants of_logits(Certificate const& of) {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Certificate);
    if (!(of.norm_in() == of.norm_out())) {
      sigmax::detail::raise<domain_error>({"pairwise_constants: the certificate is of the norms ", of.norm_in().name(),
                                           ", ", of.norm_out().name(), "; they must be equal"});
    }
    auto const classes = element_count(of.output_shape());
    auto const width = static_cast<double>(row_norm::row_width(of.output_shape()));
    double factor = 2;
    if (of.norm_in() == norm::any(norm::l2)) factor = sqrt_up(2.0);
    if (of.norm_in() == norm::any(norm::rms)) {
      bool const one_row = static_cast<double>(classes) == width;
      factor = one_row ? sqrt_up(2 * width) : multiply_up(2.0, sqrt_up(width));
    }
    return {classes,       std::vector<extended>(pairs_of(classes), extended(factor) * of.upper_extended()),
            of.norm_in(),  of.domain(),
            of.rests_on(), "one constant of all logits"};
  }

  /// The smaller of two proofs, pair by pair. @throws domain_error if they are of other norms or numbers of classes.
  /// Both must be of the same network on the same domain.
  template <std::same_as<pairwise_constants> Pairs>
  friend Pairs tighter(Pairs const& a, Pairs const& b) {
    if (!(a.norm_ == b.norm_) || a.classes_ != b.classes_) {
      sigmax::detail::raise<domain_error>({"tighter: ", a.classes_, " classes in ", a.norm_.name(), " and ", b.classes_,
                                           " in ", b.norm_.name(), "; both must be the same"});
    }
    Pairs result = a;
    result.rests_on_ = merged(a.rests_on_, b.rests_on_);
    bool mine = false;
    bool other = false;
    for (std::size_t k = 0; k < result.constants_.size(); ++k) {
      bool const better = b.constants_[k] < a.constants_[k];
      if (better) result.constants_[k] = b.constants_[k];
      (better ? other : mine) = true;
    }
    if (other) result.method_ = mine ? a.method_ + "; " + b.method_ : b.method_;
    return result;
  }

  /// L_ij; i != j, both from 0 to classes() - 1. The same for (j, i).
  extended const& operator()(index_t i, index_t j) const { return constants_[position(i, j)]; }
  index_t classes() const { return classes_; }
  norm::any norm() const { return norm_; }
  /// Both points must lie in it.
  input_domain const& domain() const { return domain_; }
  assumptions const& rests_on() const { return rests_on_; }
  /// How the constants were found.
  std::string const& method() const { return method_; }

  /// The largest of the constants.
  extended largest() const {
    extended result;
    for (auto const& each : constants_) result = result < each ? each : result;
    return result;
  }

 private:
  friend struct detail::pair_maker;
  pairwise_constants(index_t classes, std::vector<extended> constants, norm::any norm, input_domain domain,
                     assumptions rests_on, std::string method)
      : classes_(classes),
        constants_(std::move(constants)),
        norm_(norm),
        domain_(std::move(domain)),
        rests_on_(std::move(rests_on)),
        method_(std::move(method)) {}

  static std::size_t pairs_of(index_t classes) {
    return classes < 2 ? 0 : static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes - 1) / 2;
  }
  static std::size_t position(index_t i, index_t j) {
    auto const large = static_cast<std::size_t>(i > j ? i : j);
    return large * (large - 1) / 2 + static_cast<std::size_t>(i > j ? j : i);
  }

  index_t classes_;
  std::vector<extended> constants_;  // of the pairs i > j, row by row
  norm::any norm_;
  input_domain domain_;
  assumptions rests_on_;
  std::string method_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
