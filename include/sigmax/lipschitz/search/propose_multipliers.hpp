// SPDX-License-Identifier: MIT
/// @file
/// The searches for multipliers put together. Nothing here proves anything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/search/barrier_search.hpp>
#include <sigmax/lipschitz/search/eclipse.hpp>
#include <sigmax/lipschitz/search/interior_point.hpp>
#include <sigmax/lipschitz/search/multiplier_search.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

/// The better of the two closed forms.
template <class B>
found_multipliers closed_form(B const& on, check::slope_system const& system) {
  auto const forwards = evaluated(on, system, eclipse_forwards(on, system));
  auto const backwards = evaluated(on, system, eclipse_backwards(on, system));
  return forwards.squared_bound < backwards.squared_bound ? forwards : backwards;
}

/// What `best_multipliers` does.
inline constexpr std::string_view by_newton = "Newton's method on a barrier";
inline constexpr std::string_view by_descents = "quasi-Newton descents";

/// The best multipliers found for about `options.work` multiply-adds from a feasible start: by Newton's method on the
/// barrier where some forty of its steps fit, else by descents. `how` becomes which.
template <class B>
found_multipliers best_multipliers(B const& on, check::slope_system const& system, found_multipliers const& start,
                                   multiplier_options const& options, std::string_view& how) {
  if (start.multipliers.empty()) return start;
  double neurons = 0;
  double stacked = 0;
  for (std::size_t k = 1; k <= system.blocks() + 1; ++k) {
    bool const last = k > system.blocks();
    if (!last) neurons += static_cast<double>(system.width(k));
    if (system.map(0, k) != nullptr) {
      stacked += static_cast<double>(last ? system.outputs() : system.width(k));
    }
  }
  double const inputs = std::min(stacked, static_cast<double>(system.inputs()));
  double const step = interior_point_work(inputs, neurons, static_cast<double>(system.outputs()));
  bool const affordable = 40 * step < options.work;
  how = affordable ? by_newton : by_descents;
  auto found = affordable ? find_multipliers_by_newton(on, system, start, options)
                          : find_multipliers(on, system, start.multipliers, options);
  if (found.squared_bound < start.squared_bound) return found;
  found.multipliers = start.multipliers;
  found.squared_bound = start.squared_bound;
  return found;
}

template <class B>
found_multipliers best_multipliers(B const& on, check::slope_system const& system, found_multipliers const& start,
                                   double work) {
  std::string_view how;
  return best_multipliers(on, system, start, {.work = work}, how);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
