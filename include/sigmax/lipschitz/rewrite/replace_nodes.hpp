// SPDX-License-Identifier: MIT
/// @file
/// A network with some of its nodes replaced by rules that compute the same from earlier nodes.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/any_rule.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// What a node may as well be: a rule applied to earlier nodes of the same network, each of them after rules of one input
/// (`before[k]` for input k, first to last; none where it is missing), and rules of one input applied to the result.
struct replacement {
  any_rule rule;
  std::vector<node_id> inputs;
  std::vector<std::vector<any_rule>> before = {};
  std::vector<any_rule> after = {};
};

/// The network with every node i replaced by find(net, i) where that is not empty, and without the nodes that the output
/// then no longer needs. Names stay. `find` owes that the replacement computes the same function as the node.
/// @complexity one call of `find` a node.
template <std::same_as<network> Network, class Find>
network replace_nodes(Network const& net, Find const& find) {
  auto const count = static_cast<std::size_t>(net.size());
  std::vector<std::optional<replacement>> found(count);
  std::vector<char> needed(count, 0);
  needed[0] = 1;
  needed[static_cast<std::size_t>(net.output())] = 1;
  auto const inputs_of = [&](std::size_t i) -> std::vector<node_id> const& {
    return found[i] ? found[i]->inputs : net.nodes()[i].inputs;
  };
  bool any = false;
  for (std::size_t i = count; i-- > 1;) {
    if (needed[i] == 0) continue;
    found[i] = find(net, static_cast<node_id>(i));
    any = any || found[i].has_value();
    for (node_id const from : inputs_of(i)) needed[static_cast<std::size_t>(from)] = 1;
  }
  if (!any) return net;
  network result(net.input_shape(), net.nodes()[0].name);
  std::vector<node_id> at(count, 0);
  for (std::size_t i = 1; i < count; ++i) {
    if (needed[i] == 0) continue;
    std::vector<node_id> inputs;
    for (node_id const from : inputs_of(i)) inputs.push_back(at[static_cast<std::size_t>(from)]);
    auto const& name = net.nodes()[i].name;
    if (!found[i]) {
      at[i] = result.add(net.nodes()[i].rule, std::move(inputs), name);
      continue;
    }
    for (std::size_t k = 0; k < inputs.size() && k < found[i]->before.size(); ++k) {
      for (auto const& rule : found[i]->before[k]) {
        inputs[k] = result.add(rule, {inputs[k]}, name + "/input_" + std::to_string(k));
      }
    }
    bool const more = !found[i]->after.empty();
    at[i] = result.add(found[i]->rule, std::move(inputs), more ? name + "/core" : name);
    for (auto const& rule : found[i]->after) at[i] = result.add(rule, {at[i]}, name);
  }
  result.set_output(at[static_cast<std::size_t>(net.output())]);
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
