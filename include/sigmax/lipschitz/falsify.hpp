// SPDX-License-Identifier: MIT
/// @file
/// Lower bounds of Lipschitz constants by attack: the other side of every certificate, and its test.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/attack/pair_search.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/lower_bound.hpp>
#include <sigmax/lipschitz/network.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Looks for points x, y with a large ||f(x) - f(y)|| / ||x - y||: power iteration on Jacobians at many points, then
/// ascent on pairs at several distances. The best pairs are evaluated again in interval arithmetic, which proves a
/// lower bound of the Lipschitz constant. Deterministic; no guarantee that the bound is good. A network that cannot be
/// evaluated (a `bounded` layer, overflow) gives nothing: value 0, proven false.
///
/// Cost: about `options.work` multiply-adds, more for networks of which 80 evaluations exceed that; memory for about
/// ten numbers an element of all values of the network.
/// @throws unsupported_error for norm::rms.
template <std::same_as<network> Network>
lower_bound falsify(Network const& net, norm::any norm, attack_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Network);
  if (norm == norm::any(norm::rms_t{})) {
    sigmax::detail::raise<unsupported_error>({"falsify: norm is rms; available are l2 and linf"});
  }
  bool const euclidean = norm == norm::any(norm::l2_t{});
  attack::evaluation_plan const plan(net);
  attack::pair_search<Network> search(plan, euclidean, options);
  lower_bound result;
  bool const sound = arithmetic_environment_is_sound();
  attack::evaluation<interval> at_x(plan);
  attack::evaluation<interval> at_y(plan);
  std::vector<double> x(at_x.input().size());
  std::vector<double> y(x.size());
  for (auto const& pair : search.run()) {
    if (!(pair.quotient > 0)) continue;
    result.estimate = pair.quotient > result.estimate ? pair.quotient : result.estimate;
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = pair.centre[i] + 0.5 * pair.distance * pair.direction[i];
      y[i] = pair.centre[i] - 0.5 * pair.distance * pair.direction[i];
      at_x.input()[i] = x[i];
      at_y.input()[i] = y[i];
    }
    double const quotient = attack::proven_quotient(x, y, at_x.run(), at_y.run(), euclidean);
    if (!sound || !(quotient > result.value)) continue;
    result.value = quotient;
    result.proven = true;
    result.x = x;
    result.y = y;
  }
  return result;
}

/// The same for a layer whose input is a vector of the width its first linear map takes.
template <layer L>
lower_bound falsify(L const& l, norm::any norm, attack_options const& options = {}) {
  return falsify(network_of(l), norm, options);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
