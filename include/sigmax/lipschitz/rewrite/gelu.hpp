// SPDX-License-Identifier: MIT
/// @file
/// Recognises GELU written in elementary operators. As a product of computed values it has no bound on all inputs.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite/reductions.hpp>
#include <sigmax/lipschitz/rewrite/replace_nodes.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// factor times the value of a node.
struct multiple {
  node_id node = 0;
  interval factor = 1.0;
};

/// The factor of a node that multiplies or divides all elements by one number; empty if it does something else.
template <class = void>
std::optional<interval> common_factor(network const& net, node_id node) {
  auto const* const sum = net[node].rule.as<rules::weighted_sum>();
  if (sum != nullptr && sum->coefficients().size() == 1) return sum->coefficients()[0];
  auto const* const scaled = net[node].rule.as<rules::scale>();
  if (scaled == nullptr || scaled->factors().size() != 1) return std::nullopt;
  interval const factor = scaled->factors()[0];
  return scaled->how() == rules::scale::operation::multiply ? factor : interval(1.0) / factor;
}

/// How many factors or rearrangements one behind the other are looked through: more than any exporter writes, and few
/// enough that a long chain of them does not take the square of its length.
inline constexpr int most_steps = 16;

/// A node seen through common factors.
template <class = void>
multiple behind_factors(network const& net, node_id node) {
  multiple result{node, 1.0};
  for (int step = 0; step < most_steps; ++step) {
    auto const factor = common_factor(net, result.node);
    if (!factor) break;
    result.factor = result.factor == interval(1.0) ? *factor : *factor * result.factor;
    result.node = net[result.node].inputs[0];
  }
  return result;
}

/// f where the node is factor (1 + f(..)); f is an activation of this name.
template <class = void>
std::optional<multiple> one_more_than(network const& net, node_id node, std::string_view name) {
  multiple result = behind_factors(net, node);
  auto const* const added = net[result.node].rule.as<rules::add_constant>();
  if (added == nullptr || added->coefficient() != 1 || added->values() != std::vector<double>{1.0}) return std::nullopt;
  result.node = net[result.node].inputs[0];
  return as_activation(net, result.node, name) != nullptr ? std::optional(result) : std::nullopt;
}

/// The node whose third power this is.
template <class = void>
std::optional<node_id> as_cube(network const& net, node_id node) {
  auto const& inputs = net[node].inputs;
  if (is_power(net, node, 3)) return inputs[0];
  if (net[node].rule.as<rules::hadamard>() == nullptr) return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    if (as_square(net, inputs[k]) == inputs[1 - k]) return inputs[1 - k];
  }
  return std::nullopt;
}

/// y = coefficient x.
template <class = void>
any_rule rescaled(interval coefficient) {
  return rules::weighted_sum({coefficient}, "rescale");
}

/// c x (1 + erf(s x)) = c sqrt(2) / s gelu(sqrt(2) s x) for s > 0. What exporters write for sqrt(2) is a float or a double
/// next to it: the factors are intervals around 1 that hold the quotient, and the function is the stored one.
template <class = void>
std::optional<replacement> as_gelu(network const& net, node_id node) {
  if (net[node].rule.as<rules::hadamard>() == nullptr) return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    multiple const x = behind_factors(net, net[node].inputs[k]);
    auto const inner = one_more_than(net, net[node].inputs[1 - k], "erf");
    if (!inner) continue;
    multiple const argument = behind_factors(net, net[inner->node].inputs[0]);
    if (argument.node != x.node || !(argument.factor.lower > 0)) continue;
    interval const root = sqrt(interval(2.0));
    interval const outside = x.factor * inner->factor * (root / argument.factor);
    interval const inside = root * argument.factor;
    if (!outside.is_bounded() || !inside.is_bounded()) continue;
    return replacement{rules::named_activation("gelu"), {x.node}, {{rescaled(inside)}}, {rescaled(outside)}};
  }
  return std::nullopt;
}

/// c x (1 + tanh(a (x + b x^3))), a and b doubles near sqrt(2 / pi) and 0.044715.
template <class = void>
std::optional<replacement> as_gelu_tanh(network const& net, node_id node) {
  if (net[node].rule.as<rules::hadamard>() == nullptr) return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    multiple const x = behind_factors(net, net[node].inputs[k]);
    auto const inner = one_more_than(net, net[node].inputs[1 - k], "tanh");
    if (!inner) continue;
    multiple const argument = behind_factors(net, net[inner->node].inputs[0]);
    auto const* const sum = net[argument.node].rule.as<rules::weighted_sum>();
    if (sum == nullptr || sum->coefficients() != std::vector<interval>{1.0, 1.0}) continue;
    for (std::size_t cubic = 0; cubic < 2; ++cubic) {
      multiple const third = behind_factors(net, net[argument.node].inputs[cubic]);
      if (net[argument.node].inputs[1 - cubic] != x.node || as_cube(net, third.node) != x.node) continue;
      if (!argument.factor.is_point() || !third.factor.is_point()) continue;
      double const slope = argument.factor.lower;
      double const share = third.factor.lower;
      interval const outside = 2.0 * (x.factor * inner->factor);
      rules::activation rule = rules::named_activation("gelu_cubic", {{"slope", slope}, {"cubic", share}});
      if (!is_finite(rule.constant()) || !outside.is_bounded()) continue;
      return replacement{std::move(rule), {x.node}, {}, {rescaled(outside)}};
    }
  }
  return std::nullopt;
}

template <std::same_as<network> Network>
network with_gelu(Network const& net) {
  return replace_nodes(replace_nodes(net, as_gelu<>), as_gelu_tanh<>);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
