// SPDX-License-Identifier: MIT
/// @file
/// Recognises means, sums and lengths along axes, and values that are repeated over the elements they came from.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/rearrange.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// A value with one element for each fibre of another.
struct reduction {
  enum class kind : unsigned char { mean, sum, length };
  kind what;
  rules::axis_range axes;
  node_id of;
};

/// Neighbouring axes that hold all marked ones and no other of more than one element; empty if there are none.
template <class = void>
std::optional<rules::axis_range> neighbouring(std::vector<bool> const& marked, tensor_shape const& shape) {
  index_t first = -1;
  index_t last = -1;
  for (std::size_t axis = 0; axis < marked.size(); ++axis) {
    if (!marked[axis]) continue;
    if (first < 0) first = static_cast<index_t>(axis);
    last = static_cast<index_t>(axis);
  }
  if (first < 0) return std::nullopt;
  for (index_t axis = first; axis <= last; ++axis) {
    auto const at = static_cast<std::size_t>(axis);
    if (!marked[at] && shape[at] != 1) return std::nullopt;
  }
  return rules::axis_range{first, last};
}

/// The node as a reduction, if it is one: average or sum matrices along axes, or pools of lengths over whole axes.
template <class = void>
std::optional<reduction> as_reduction(network const& net, node_id node) {
  auto const& n = net[node];
  if (n.inputs.size() != 1) return std::nullopt;
  tensor_shape const& shape = net[n.inputs[0]].shape;
  std::vector<bool> marked(shape.size(), false);
  auto what = reduction::kind::length;
  if (auto const* along = n.rule.as<rules::along_axes>()) {
    bool mean = true;
    bool sum = true;
    for (auto const& step : along->steps()) {
      if (step.matrix.rows() != 1 || static_cast<index_t>(step.matrix.size()) != step.matrix.cols())
        return std::nullopt;
      interval const share = interval(1.0) / static_cast<double>(step.matrix.cols());
      for (std::size_t i = 0; i < step.matrix.size(); ++i) {
        if (step.matrix[i].col != static_cast<index_t>(i)) return std::nullopt;
        mean = mean && step.matrix[i].value == share;
        sum = sum && step.matrix[i].value == interval(1.0);
      }
      marked[shape.size() - 1 - step.axis_from_last] = true;
    }
    if (!mean && !sum) return std::nullopt;
    what = mean ? reduction::kind::mean : reduction::kind::sum;
  } else if (auto const* pool = n.rule.as<rules::window_pool>()) {
    if (pool->what() != rules::window_pool::operation::length) return std::nullopt;
    std::size_t const skipped = shape.size() - pool->windows().size();
    for (std::size_t k = 0; k < pool->windows().size(); ++k) {
      auto const& window = pool->windows()[k];
      index_t const extent = shape[skipped + k];
      if (window.pad_begin != 0 || window.pad_end != 0) return std::nullopt;
      if (window.kernel != extent && (window.kernel != 1 || window.stride != 1)) return std::nullopt;
      marked[skipped + k] = window.kernel == extent && extent > 1;
    }
  } else {
    return std::nullopt;
  }
  auto const axes = neighbouring(marked, shape);
  if (!axes) return std::nullopt;
  return reduction{what, *axes, n.inputs[0]};
}

/// A node seen through rearrangements: element i of the value is element map[i] of `node`, i itself where the map is
/// empty; no map where an element is 0 instead (padding).
struct seen_through {
  node_id node = 0;
  std::vector<index_t> map;

  /// Steps behind all rearrangements in front of the node. @return false at padding.
  template <class = void>
  bool step_behind(network const& net) {
    while (auto const* moved = net[node].rule.as<rules::rearrange>()) {
      auto const own = moved->map();
      if (!own.empty()) {
        if (map.empty()) {
          map.assign(own.begin(), own.end());
        } else {
          for (index_t& from : map) from = own[static_cast<std::size_t>(from)];
        }
        for (index_t const from : map) {
          if (from < 0) return false;
        }
      }
      node = net[node].inputs[0];
    }
    return true;
  }

  /// True if element start(f) + k stride of the value is element f of the node, for all fibres.
  template <class = void>
  bool repeats(rules::fibers const& all, std::size_t elements) const {
    if (all.count * all.length != elements) return false;
    if (!map.empty() && map.size() != elements) return false;
    for (std::size_t f = 0; f < all.count; ++f) {
      for (std::size_t k = 0; k < all.length; ++k) {
        std::size_t const at = all.start(f) + k * all.stride;
        if ((map.empty() ? at : static_cast<std::size_t>(map[at])) != f) return false;
      }
    }
    return true;
  }
};

/// The activation of this node, null if it is something else.
template <class = void>
rules::activation const* as_activation(network const& net, node_id node, std::string_view name) {
  auto const* const found = net[node].rule.as<rules::activation>();
  return found != nullptr && found->entry().name == name && found->each().empty() ? found : nullptr;
}

/// True for x^exponent, also by the names square, sqrt and reciprocal.
template <class = void>
bool is_power(network const& net, node_id node, double exponent) {
  if (auto const* power = as_activation(net, node, "pow")) return power->parameters()[0] == exponent;
  return (exponent == 2 && as_activation(net, node, "square") != nullptr) ||
         (exponent == 0.5 && as_activation(net, node, "sqrt") != nullptr) ||
         (exponent == -1 && as_activation(net, node, "reciprocal") != nullptr);
}

/// The node whose square this is, if it is one.
template <class = void>
std::optional<node_id> as_square(network const& net, node_id node) {
  auto const& inputs = net[node].inputs;
  if (is_power(net, node, 2)) return inputs[0];
  if (net[node].rule.as<rules::hadamard>() != nullptr && inputs[0] == inputs[1]) return inputs[0];
  return std::nullopt;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
