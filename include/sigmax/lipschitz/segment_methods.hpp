// SPDX-License-Identifier: MIT
/// @file
/// All methods applied to one segment of a network: searches propose, the checker proves.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
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
#include <sigmax/lipschitz/search_report.hpp>
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

/// Why a system is not searched for multipliers; empty if it is.
inline std::string_view no_search(check::slope_system const& system, method_options const& options) {
  if (system.blocks() == 0) return "nothing in it has a slope that varies";
  if (!system.is_known()) return "numbers in it are beyond the range of double";
  if (!(25 * factor_work(system) < options.search_work)) return "too large for the work a search may take";
  return {};
}

/// Searches for multipliers and proves what they are good for, in closed form and by the best that are found.
template <norm_tag N, certifying_backend<double> B>
void searched_results(B const& on, check::slope_system const& system, std::string const& end, bool row_wise,
                      tensor_shape const& in, tensor_shape const& out, method_options const& options,
                      std::vector<segment_result<N>>& results) {
  search_report report{.end = end, .reason = no_search(system, options)};
  for (std::size_t k = 1; k <= system.blocks(); ++k) report.multipliers += system.slopes(k).size();
  auto const start = report.reason.empty() ? search::closed_form(on, system) : search::found_multipliers{};
  if (start.multipliers.empty()) {
    if (report.reason.empty()) report.reason = "no feasible multipliers to start from";
    if (includes(options.which, method::lipsdp) && system.blocks() > 0) options.searches.tell(report);
    return;
  }
  auto const prove = [&](method how, search::found_multipliers found) {
    auto const tested = check::multiplier_bound_near(on, system, found.multipliers, found.squared_bound);
    results.push_back({how, check::segment_bound<N>(tested.bound, row_wise, in, out), std::move(found.multipliers),
                       tested.squared_bound});
    return tested.bound.value();
  };
  if (includes(options.which, method::eclipse)) prove(method::eclipse, start);
  if (!includes(options.which, method::lipsdp)) return;
  double const confirming = options.searches.is_there() ? 2 * options.search_work : 0.0;
  auto found = search::best_multipliers(on, system, start, {.work = options.search_work, .confirming_work = confirming},
                                        report.how);
  report.ends = found.ends;
  report.converged = found.converged;
  report.optimum = std::sqrt(found.squared_bound);
  report.proved = prove(method::lipsdp, std::move(found));
  options.searches.tell(report);
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
    std::vector<segment_result<N>> results;
    auto const& end = net.nodes()[piece.end];
    auto const& in = net.nodes()[piece.source].shape;
    bool const searched = includes(options.which, method::eclipse) || includes(options.which, method::lipsdp);
    if (!system) {
      if (includes(options.which, method::lipsdp))
        options.searches.tell({.end = end.name, .reason = "too large to be written as matrices"});
      return results;
    }
    detail::plain_results<N>(on, system->system, system->row_wise, in, end.shape, options, results);
    if constexpr (!std::same_as<N, norm::linf_t>) {
      if (searched) {
        detail::searched_results<N>(on, system->system, end.name, system->row_wise, in, end.shape, options, results);
      }
    }
    return results;
  }
};

template <class B>
methods_on(B const&) -> methods_on<B>;

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
