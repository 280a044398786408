// SPDX-License-Identifier: MIT
/// @file
/// How a certificate asks for the bounds of a segment.
#pragma once

#include <concepts>
#include <vector>

#include <sigmax/bound/log_upper_bound.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/search_report.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// What methods may cost.
struct method_options {
  method which = method::automatic;
  /// Multiply-adds of the search of multipliers, all segments together, about: a count, so that the same network has the
  /// same certificate on every machine. The default is about ten seconds.
  double search_work = 1.5e11;
  /// Elements of one dense matrix; segments that need larger ones keep the bound of the product.
  double matrix_elements = 0x1p24;
  /// Multiply-adds of one method without a search, about; dearer ones abstain.
  double multiply_adds = 3e11;
  /// Hears of searches, and makes them restart: two to three times the cost.
  search_listener searches = {};
};

/// The bound of a segment that a method proved; +infinity where it abstained.
template <norm_tag N>
struct segment_result {
  method how = method::product;
  log_upper_bound<op<N, N>> upper;
  /// What proves a bound by multipliers; empty for other methods.
  check::slope_multipliers multipliers{};
  double squared_bound = infinity;
};

/// Something that runs methods, whatever its type and its backend's: the walk through a network does not know them.
class method_runner {
 public:
  /// `runner` has `results<N>(net, piece, ranges, options) -> std::vector<segment_result<N>>` and must outlive this.
  template <class R>
    requires(!std::same_as<R, method_runner>)
  explicit method_runner(R const& runner)
      : runner_(&runner), in_l2_(call<norm::l2_t, R>), in_linf_(call<norm::linf_t, R>), in_rms_(call<norm::rms_t, R>) {}

  template <norm_tag N>
  std::vector<segment_result<N>> run(network const& net, check::segment const& piece,
                                     check::segment_ranges const& ranges, method_options const& options) const {
    if constexpr (std::same_as<N, norm::l2_t>) {
      return in_l2_(runner_, net, piece, ranges, options);
    } else if constexpr (std::same_as<N, norm::linf_t>) {
      return in_linf_(runner_, net, piece, ranges, options);
    } else {
      return in_rms_(runner_, net, piece, ranges, options);
    }
  }

 private:
  template <norm_tag N>
  using function = std::vector<segment_result<N>> (*)(void const*, network const&, check::segment const&,
                                                      check::segment_ranges const&, method_options const&);

  template <norm_tag N, class R>
  static std::vector<segment_result<N>> call(void const* runner, network const& net, check::segment const& piece,
                                             check::segment_ranges const& ranges, method_options const& options) {
    return static_cast<R const*>(runner)->template results<N>(net, piece, ranges, options);
  }

  void const* runner_;
  function<norm::l2_t> in_l2_;
  function<norm::linf_t> in_linf_;
  function<norm::rms_t> in_rms_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
