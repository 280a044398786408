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
#include <sigmax/lipschitz/attack/inside.hpp>
#include <sigmax/lipschitz/attack/pair_search.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/lower_bound.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Looks for points x, y with a large ||f(x) - f(y)|| / ||x - y||: power iteration on Jacobians at many points, then
/// ascent on pairs at several distances. The best pairs are evaluated again in interval arithmetic, which proves a
/// lower bound of the Lipschitz constant. Deterministic; no guarantee that the bound is good. A network that cannot be
/// evaluated (a `bounded` layer, overflow) gives nothing: value 0, proven false. Both points lie in the domain.
///
/// Cost: about `options.work` multiply-adds, more for networks of which 80 evaluations exceed that; memory for about
/// ten numbers an element of all values of the network.
/// @throws domain_error if the domain was given for another number of elements.
template <std::same_as<network> Network>
lower_bound falsify(Network const& net, norm::any norm, attack_options const& options = {},
                    input_domain const& domain = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Network);
  attack::evaluation_plan const plan(net);
  auto const in = row_norm::of(norm, net.input_shape());
  auto const out = row_norm::of(norm, net.output_shape());
  attack::evaluation<interval> at_x(plan);
  attack::evaluation<interval> at_y(plan);
  attack::inside const inside(domain, at_x.input().size(), in);
  attack::pair_search<Network> search(plan, inside, norm, options);
  lower_bound result;
  bool const sound = arithmetic_environment_is_sound();
  std::vector<double> x(at_x.input().size());
  std::vector<double> y(x.size());
  for (auto const& pair : search.run()) {
    if (!(pair.quotient > 0)) continue;
    result.estimate = pair.quotient > result.estimate ? pair.quotient : result.estimate;
    attack::place(inside, pair, x, y);
    if (!sound || !inside.contains(x) || !inside.contains(y)) continue;
    for (std::size_t i = 0; i < x.size(); ++i) {
      at_x.input()[i] = x[i];
      at_y.input()[i] = y[i];
    }
    double const quotient = attack::proven_quotient(x, y, at_x.run(), at_y.run(), in, out);
    if (!(quotient > result.value)) continue;
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
