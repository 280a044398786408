// SPDX-License-Identifier: MIT
/// @file
/// Looks for the best multipliers by Newton's method on a barrier, and restarts to see whether that converged. Nothing
/// here proves anything.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/search/interior_point.hpp>
#include <sigmax/lipschitz/search/multiplier_objective.hpp>
#include <sigmax/lipschitz/search/multiplier_search.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

namespace detail {

/// Runs of interior_point on one system, which count their work together.
template <class B>
class barrier_runs {
 public:
  barrier_runs(B const& on, check::slope_system const& system)
      : objective_(on, system),
        path_(on, system, objective_.inputs(), [this](std::size_t i, std::size_t j) { return objective_.map(i, j); }),
        step_(interior_point_work(static_cast<double>(objective_.inputs()), static_cast<double>(objective_.size()),
                                  static_cast<double>(system.outputs()))) {}

  /// @return log F where the run ended; `followed` says whether it came to the end of its path.
  double run(std::vector<double>& theta, double above, double first_pressure, double least_gain, double work,
             bool& followed) {
    double log_bound = std::log(above) + objective_.value(theta);
    double const until = spent_ + work;
    followed = path_.run(
        log_bound, theta, least_gain, [&] { return (spent_ += step_) > until; }, first_pressure);
    return std::fmin(log_bound, objective_.value(theta));
  }
  double spent() const { return spent_; }
  multiplier_objective<B>& objective() { return objective_; }

 private:
  multiplier_objective<B> objective_;
  interior_point<B> path_;
  double step_;
  double spent_ = 0;
};

}  // namespace detail

/// The least bound by interior_point, from multipliers that are feasible.
///
/// Restarts begin between the optimum and perturbed multipliers (the feasible ones are convex), where F is far above its
/// minimum, and follow the path again. The problem is convex, so that they tell nothing of other minima, but whether the
/// path was followed to its end. They do not change what is found.
template <class B>
found_multipliers find_multipliers_by_newton(B const& on, check::slope_system const& system,
                                             found_multipliers const& start, multiplier_options const& options = {}) {
  found_multipliers result;
  if (start.multipliers.size() != system.blocks() || system.blocks() == 0) return result;
  detail::barrier_runs<B> runs(on, system);
  auto const first = detail::flat_logarithms(start.multipliers);
  auto theta = first;
  bool followed = false;
  double const least = runs.run(theta, 2, 1, 1e-6, options.work, followed);
  result.squared_bound = std::exp(least);
  result.multipliers = detail::unflattened(theta, system);
  if (!followed) return result;
  result.ends.push_back(std::exp(0.5 * least));
  double const until = runs.spent() + options.confirming_work;
  for (int restart = 1; restart <= options.restarts && runs.spent() < until; ++restart) {
    auto again = detail::perturbed(first, runs.objective(), options.seed + static_cast<std::uint64_t>(restart));
    for (std::size_t n = 0; n < again.size(); ++n) {
      again[n] = std::log(0.2 * std::exp(again[n]) + 0.8 * std::exp(theta[n]));
    }
    double const end = runs.run(again, 1.3, 3, 1e-4, until - runs.spent(), followed);
    if (!followed) break;
    result.ends.push_back(std::exp(0.5 * end));
  }
  result.converged = detail::ends_agree(result.ends);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
