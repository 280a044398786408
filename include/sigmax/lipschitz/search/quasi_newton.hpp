// SPDX-License-Identifier: MIT
/// @file
/// Limited-memory BFGS for functions that may be infinite somewhere. Nothing here proves anything.
#pragma once

#include <cmath>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::search {

/// Options of `minimize`.
struct minimize_options {
  int iterations = 500;
  int memory = 20;
  /// Stop where ten iterations together gain less than this.
  double least_gain = 1e-7;
  /// Asked before every evaluation; true ends the search.
  std::function<bool()> stopped = [] { return false; };
};

namespace detail {

inline double dot(std::vector<double> const& a, std::vector<double> const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// -H g by the two loops of Nocedal (1980).
struct curvature_memory {
  struct pair {
    std::vector<double> step;
    std::vector<double> change;
    double curvature;
  };
  std::deque<pair> pairs;

  std::vector<double> direction(std::vector<double> const& gradient) const {
    std::vector<double> q = gradient;
    std::vector<double> alpha(pairs.size());
    for (std::size_t i = pairs.size(); i-- > 0;) {
      alpha[i] = dot(pairs[i].step, q) / pairs[i].curvature;
      for (std::size_t k = 0; k < q.size(); ++k) q[k] -= alpha[i] * pairs[i].change[k];
    }
    double scale = 1;
    if (!pairs.empty()) scale = pairs.back().curvature / dot(pairs.back().change, pairs.back().change);
    for (double& v : q) v *= scale;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      double const beta = dot(pairs[i].change, q) / pairs[i].curvature;
      for (std::size_t k = 0; k < q.size(); ++k) q[k] += (alpha[i] - beta) * pairs[i].step[k];
    }
    for (double& v : q) v = -v;
    return q;
  }
};

}  // namespace detail

/// Decreases f from x, in place; f(x, gradient) may be +infinity, which ends steps, not the search.
/// A line search for the weak conditions of Wolfe by bisection, which also suits functions with kinks (Lewis and Overton
/// 2013). @return the least value found, which is f(x).
template <class F>
double minimize(F&& f, std::vector<double>& x, minimize_options const& options) {
  std::vector<double> gradient(x.size());
  double value = f(x, gradient);
  if (!is_finite(value)) return value;
  detail::curvature_memory memory;
  std::vector<double> history{value};
  std::vector<double> next(x.size());
  std::vector<double> next_gradient(x.size());
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    auto direction = memory.direction(gradient);
    double slope = detail::dot(direction, gradient);
    if (!(slope < 0)) {
      memory.pairs.clear();
      direction = memory.direction(gradient);
      slope = detail::dot(direction, gradient);
      if (!(slope < 0)) break;
    }
    double longest = 0;
    for (double const d : direction) longest = std::fmax(longest, std::fabs(d));
    double low = 0;
    double high = infinity;
    double step = memory.pairs.empty() ? std::fmin(1.0, 0.1 / longest) : std::fmin(1.0, 3.0 / longest);
    double found = infinity;
    for (int trial = 0; trial < 30 && !options.stopped(); ++trial) {
      for (std::size_t k = 0; k < x.size(); ++k) next[k] = x[k] + step * direction[k];
      double const at_step = f(next, next_gradient);
      if (!(at_step <= value + 1e-4 * step * slope)) {
        high = step;
      } else {
        found = at_step;
        if (detail::dot(next_gradient, direction) >= 0.9 * slope) break;
        low = step;
        if (trial >= 8) break;
      }
      step = is_finite(high) ? 0.5 * (low + high) : 2 * step;
    }
    if (!(found < value) || !is_finite(found)) {
      if (memory.pairs.empty() || options.stopped()) break;
      memory.pairs.clear();  // once more along the gradient
      continue;
    }
    // The last trial may have failed after an earlier one succeeded.
    if (!(f(next, next_gradient) <= value)) {
      for (std::size_t k = 0; k < x.size(); ++k) next[k] = x[k] + low * direction[k];
      found = f(next, next_gradient);
      if (!(found < value)) break;
    }
    typename detail::curvature_memory::pair latest{std::vector<double>(x.size()), std::vector<double>(x.size()), 0};
    for (std::size_t k = 0; k < x.size(); ++k) {
      latest.step[k] = next[k] - x[k];
      latest.change[k] = next_gradient[k] - gradient[k];
    }
    latest.curvature = detail::dot(latest.step, latest.change);
    if (latest.curvature > 1e-14 * detail::dot(latest.change, latest.change)) {
      memory.pairs.push_back(std::move(latest));
      if (memory.pairs.size() > static_cast<std::size_t>(options.memory)) memory.pairs.pop_front();
    }
    x = next;
    gradient = next_gradient;
    value = found;
    history.push_back(value);
    if (history.size() > 10 && history[history.size() - 11] - value < options.least_gain) break;
    if (options.stopped()) break;
  }
  return value;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::search
