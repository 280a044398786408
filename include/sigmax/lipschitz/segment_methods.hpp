// SPDX-License-Identifier: MIT
/// @file
/// All methods applied to one segment of a network: searches propose, the checker proves.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/backend/concept.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/folded_system.hpp>
#include <sigmax/lipschitz/check/proven_multipliers.hpp>
#include <sigmax/lipschitz/check/segment.hpp>
#include <sigmax/lipschitz/check/segment_bound.hpp>
#include <sigmax/lipschitz/check/segment_ranges.hpp>
#include <sigmax/lipschitz/method.hpp>
#include <sigmax/lipschitz/method_runner.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/plain_methods.hpp>
#include <sigmax/lipschitz/search/propose_multipliers.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

namespace detail {

/// Multiply-adds of one factorisation of the form of multipliers, about.
inline double factor_work(check::slope_system const& system) {
  double work = 0;
  double order = static_cast<double>(system.outputs());
  double below = 0;
  for (std::size_t k = 0; k <= system.blocks(); ++k) {
    auto const own = static_cast<double>(system.width(k));
    // The block of the input is diagonal, and searches reduce it.
    if (k > 1) work += own * (own * own / 3 + own * below + below * below);
    if (k == 1) work += own * (own * own / 3 + own * below / 2);
    below = own;
    order += own;
  }
  return system.is_chain() ? work : order * order * order / 6;
}

/// What `segment_results` says, for a segment that is a system already.
template <norm_tag N, certifying_backend<double> B>
std::vector<segment_result<N>> system_results(B const& on, check::slope_system const& system, bool row_wise,
                                              tensor_shape const& in, tensor_shape const& out,
                                              method_options const& options) {
  std::vector<segment_result<N>> results;
  constexpr bool in_l2 = !std::same_as<N, norm::linf_t>;
  plain_results<N>(on, system, row_wise, in, out, options, results);
  if constexpr (in_l2) {
    bool const affordable = system.is_known() && 25 * factor_work(system) < options.search_work;
    bool const wanted = includes(options.which, method::eclipse) || includes(options.which, method::lipsdp);
    if (!affordable || !wanted || system.blocks() == 0) return results;
    auto const start = search::closed_form(on, system);
    if (start.multipliers.empty()) return results;
    auto const prove = [&](method how, search::found_multipliers found) {
      auto const tested = check::multiplier_bound_near(on, system, found.multipliers, found.squared_bound);
      results.push_back({how, check::segment_bound<N>(tested.bound, row_wise, in, out), std::move(found.multipliers),
                         tested.squared_bound});
    };
    if (includes(options.which, method::eclipse)) prove(method::eclipse, start);
    if (includes(options.which, method::lipsdp)) {
      prove(method::lipsdp, search::best_multipliers(on, system, start, options.search_work));
    }
  }
  return results;
}

}  // namespace detail

/// Runs methods on a backend, which must outlive it.
template <certifying_backend<double> B>
struct methods_on {
  B const& on;

  /// The bounds of a segment in the norm N that the methods asked for prove, none where it is too large.
  /// Numbers beyond double and unbounded slopes make methods abstain.
  template <norm_tag N>
  std::vector<segment_result<N>> results(network const& net, check::segment const& piece,
                                         check::segment_ranges const& ranges, method_options const& options) const {
    auto const system = check::folded_system(on, net, piece, ranges, options.matrix_elements);
    if (!system) return {};
    return detail::system_results<N>(on, system->system, system->row_wise, net.nodes()[piece.source].shape,
                                     net.nodes()[piece.end].shape, options);
  }
};

template <class B>
methods_on(B const&) -> methods_on<B>;

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
