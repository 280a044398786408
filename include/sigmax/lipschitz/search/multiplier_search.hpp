// SPDX-License-Identifier: MIT
/// @file
/// Looks for the multipliers that prove the least bound. Nothing here proves anything: check::multipliers_prove does.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/check/multiplier_proof.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>
#include <sigmax/lipschitz/search/multiplier_objective.hpp>
#include <sigmax/lipschitz/search/quasi_newton.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

/// Options of `find_multipliers`.
struct multiplier_options {
  /// Multiply-adds, about. The first descent is given all it needs within them, restarts what is left.
  double work = 1.5e11;
  /// Descents from perturbed multipliers after the first.
  int restarts = 3;
  std::uint64_t seed = 0;
  /// Multiply-adds besides, for restarts that only tell whether a search converged that needs none.
  double confirming_work = 0;
};

/// Multipliers and the squared bound they are expected to prove; empty if none were found.
struct found_multipliers {
  check::slope_multipliers multipliers{};
  double squared_bound = infinity;
  /// Where the search and each restart ended, as far as they came to an end: bounds, not squared.
  std::vector<double> ends{};
  /// True if there were three restarts and the last three ended within 1e-4 of each other.
  bool converged = false;
};

namespace detail {

inline std::vector<double> flat_logarithms(check::slope_multipliers const& multipliers) {
  std::vector<double> result;
  for (auto const& block : multipliers) {
    for (double const m : block) result.push_back(std::log(m));
  }
  return result;
}

inline check::slope_multipliers unflattened(std::vector<double> const& theta, check::slope_system const& system) {
  check::slope_multipliers result(system.blocks());
  std::size_t at = 0;
  for (std::size_t k = 1; k <= system.blocks(); ++k) {
    for (index_t n = 0; n < system.width(k); ++n) result[k - 1].push_back(std::exp(theta[at++]));
  }
  return result;
}

/// True if the last three restarts ended within 1e-4 of each other.
inline bool ends_agree(std::vector<double> const& ends) {
  if (ends.size() < 4) return false;
  double least = infinity;
  double most = 0;
  for (std::size_t k = ends.size() - 3; k < ends.size(); ++k) {
    least = std::fmin(least, ends[k]);
    most = std::fmax(most, ends[k]);
  }
  return most <= least * (1 + 1e-4);
}

/// Log-multipliers around `first` that are feasible, the further away the better.
template <class B>
std::vector<double> perturbed(std::vector<double> const& first, multiplier_objective<B>& objective,
                              std::uint64_t seed) {
  random_sequence const numbers(seed);
  auto theta = first;
  for (double spread = 0.4; spread > 1e-3; spread *= 0.5) {
    for (std::size_t n = 0; n < theta.size(); ++n) theta[n] = first[n] + spread * numbers.normal(n);
    if (is_finite(objective.value(theta))) return theta;
  }
  return first;
}

}  // namespace detail

/// The squared bound that multipliers are expected to prove, after the common factor that makes it least.
template <class B>
found_multipliers evaluated(B const& on, check::slope_system const& system, check::slope_multipliers const& start) {
  found_multipliers result;
  if (start.size() != system.blocks()) return result;
  auto const theta = detail::flat_logarithms(start);
  multiplier_objective<B> objective(on, system);
  double best = infinity;
  auto best_theta = theta;
  // The value is convex in the multipliers, so along a common factor too.
  double middle = 0;
  for (double width = 1.0; width > 0.01; width *= 0.5) {
    for (double const shift : {middle, middle - width, middle + width}) {
      auto moved = theta;
      for (double& t : moved) t += shift;
      double const value = objective.value(moved);
      if (!(value < best)) continue;
      best = value;
      best_theta = moved;
      middle = shift;
    }
  }
  if (!is_finite(best)) return result;
  result.multipliers = detail::unflattened(best_theta, system);
  result.squared_bound = std::exp(best);
  return result;
}

/// Minimises log F over the logarithms of the multipliers, in stages: the largest eigenvalue is replaced by p-norms of the
/// largest ones with growing p, since at the minimum several of them are equal.
/// Cost: each evaluation is one factorisation of the size of the hidden part and some tens of solves with it.
template <class B>
found_multipliers find_multipliers(B const& on, check::slope_system const& system,
                                   check::slope_multipliers const& start, multiplier_options const& options = {}) {
  found_multipliers result;
  if (start.size() != system.blocks() || system.blocks() == 0) return result;
  auto const first = detail::flat_logarithms(start);
  multiplier_objective<B> objective(on, system);
  minimize_options minimizing;
  minimizing.stopped = [&] { return objective.work() > options.work; };
  std::vector<double> best_theta = first;
  double best = objective.value(first);
  for (int descent = 0; descent <= options.restarts && !minimizing.stopped(); ++descent) {
    auto theta = first;
    if (descent > 0) {
      theta = detail::perturbed(first, objective, options.seed + static_cast<std::uint64_t>(descent));
    }
    double const before = objective.work();
    double value = infinity;
    for (double const sharpness : {30.0, 300.0, 3000.0, 30000.0}) {
      minimizing.least_gain = sharpness < 1000 ? 1e-4 : sharpness < 10000 ? 1e-6 : 1e-7;
      minimizing.iterations = 300;
      minimize([&](auto const& x, auto& gradient) { return objective(x, gradient, sharpness); }, theta, minimizing);
      double const now = objective.value(theta);
      if (now < value) value = now;
      if (now < best) {
        best = now;
        best_theta = theta;
      }
      if (minimizing.stopped()) break;
    }
    if (!minimizing.stopped()) result.ends.push_back(std::exp(0.5 * value));
    if (objective.work() + 0.5 * (objective.work() - before) > options.work) break;
  }
  if (!is_finite(best)) return result;
  result.converged = detail::ends_agree(result.ends);
  result.multipliers = detail::unflattened(best_theta, system);
  result.squared_bound = std::exp(best);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
