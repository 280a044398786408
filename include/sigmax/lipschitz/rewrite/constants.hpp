// SPDX-License-Identifier: MIT
/// @file
/// Finds factors that exporters compute from constants, such as the root of the width of attention, and writes them as
/// factors: as a product of computed values they would have no bound on all inputs, and would hide what they scale.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite/replace_nodes.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// How many nodes one behind the other are computed with: more than any exporter writes for a factor.
inline constexpr int most_constant_steps = 12;

/// The only value of a node of constants, enclosed: every element it has is the same number. Empty if it depends on the
/// input of the network, has another value or more than one.
template <class = void>
std::optional<interval> constant_value(network const& net, node_id node, int depth = 0) {
  auto const& at = net[node];
  if (node == network::input() || depth > most_constant_steps) return std::nullopt;
  if (auto const* moved = at.rule.as<rules::rearrange>()) {
    auto const map = moved->map();
    bool const padded = std::any_of(map.begin(), map.end(), [](index_t from) { return from < 0; });
    return padded ? std::nullopt : constant_value<>(net, at.inputs[0], depth + 1);
  }
  std::vector<std::vector<interval>> values;
  std::vector<tensor_shape> shapes;
  for (node_id const from : at.inputs) {
    auto const known = constant_value<>(net, from, depth + 1);
    if (!known) return std::nullopt;
    values.emplace_back(static_cast<std::size_t>(element_count(net[from].shape)), *known);
    shapes.push_back(net[from].shape);
  }
  std::vector<interval> result(static_cast<std::size_t>(element_count(at.shape)));
  if (result.empty() || result.size() > 4096) return std::nullopt;
  std::vector<std::span<interval const>> const inputs(values.begin(), values.end());
  at.rule.evaluate(std::span<std::span<interval const> const>(inputs), shapes, std::span<interval>(result));
  for (interval const x : result) {
    if (!x.is_bounded() || !(x == result.front())) return std::nullopt;
  }
  return result.front();
}

/// y * c or c * y with a number c computed from constants, as a factor.
template <class = void>
std::optional<replacement> as_factor(network const& net, node_id node) {
  if (net[node].rule.as<rules::hadamard>() == nullptr) return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    node_id const other = net[node].inputs[1 - k];
    if (net[other].shape != net[node].shape) continue;
    auto const factor = constant_value<>(net, net[node].inputs[k]);
    if (factor) return replacement{rules::weighted_sum({*factor}, "rescale"), {other}};
  }
  return std::nullopt;
}

template <std::same_as<network> Network>
network with_factors(Network const& net) {
  return replace_nodes(net, as_factor<>);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
