// SPDX-License-Identifier: MIT
/// @file
/// The pieces of a network that methods see through: linear maps, translations and elementwise functions between two
/// values, all of whose paths begin at the first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/rules/linear.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// Every path from the input of the network to `end` passes through `source`; `nodes` are the nodes behind `end` and in
/// front of `source`, `end` included, in order of evaluation. Inputs of theirs that are not in the segment are constant.
struct segment {
  std::size_t source = 0;
  std::size_t end = 0;
  std::vector<std::size_t> nodes{};
};

/// True if the node does the same to every row (last axis) of its inputs, each by itself.
template <class = void>
bool acts_on_rows(network_node const& node) {
  auto const width = row_norm::row_width(node.shape);
  if (auto const* const a = node.rule.as<rules::activation>()) return a->each().size() <= width;
  if (auto const* const s = node.rule.as<rules::scale>()) return s->factors().size() <= width;
  return node.rule.as<rules::linear>() != nullptr || node.rule.as<rules::weighted_sum>() != nullptr ||
         node.rule.as<rules::identity>() != nullptr || node.rule.difference() == linearity::translation;
}

/// The segments of a network with more than one node that is not a translation. `varies[i]` is 0 for constants, `used[i]`
/// 0 for what the output does not depend on. Values of more than `largest_value` elements begin a segment and are
/// never inside one; of segments that act on rows it is the rows that count.
///
/// The source of a node is itself if no method sees through it, else the common source of its inputs, else itself: so
/// every path to it passes through its source, by induction. Segments end at the output and at values that a node of
/// another source reads. Cost: linear in the nodes, times the segments that overlap.
template <class = void>
std::vector<segment> find_segments(network const& net, std::vector<char> const& used, std::vector<char> const& varies,
                                   index_t largest_value) {
  auto const count = static_cast<std::size_t>(net.size());
  std::vector<std::size_t> source(count);
  std::vector<char> ends(count, 0);
  // All nodes from its source to a value act on rows.
  std::vector<char> by_rows(count, 1);
  auto const is_small = [&](std::size_t i, bool rows_count) {
    auto const& shape = net.nodes()[i].shape;
    return (rows_count ? static_cast<index_t>(row_norm::row_width(shape)) : element_count(shape)) <= largest_value;
  };
  for (std::size_t i = 0; i < count; ++i) {
    source[i] = i;
    if (i == 0 || used[i] == 0 || varies[i] == 0) continue;
    auto const& node = net.nodes()[i];
    bool const elementwise = node.rule.as<rules::activation>() != nullptr;
    bool through = elementwise || node.rule.difference() != linearity::none;
    by_rows[i] = acts_on_rows(node) ? 1 : 0;
    std::size_t common = count;
    for (node_id const input : node.inputs) {
      auto const from = static_cast<std::size_t>(input);
      if (varies[from] == 0) continue;
      through = through && (common == count || common == source[from]);
      common = source[from];
      if (common != from && by_rows[from] == 0) by_rows[i] = 0;
    }
    through = through && common < count && is_small(i, by_rows[i] != 0) && is_small(common, by_rows[i] != 0);
    if (through) source[i] = common;
    for (node_id const input : node.inputs) {
      auto const from = static_cast<std::size_t>(input);
      if (varies[from] != 0 && source[from] != source[i]) ends[from] = 1;
    }
  }
  ends[static_cast<std::size_t>(net.output())] = 1;

  std::vector<segment> result;
  std::vector<char> inside(count);
  for (std::size_t end = 1; end < count; ++end) {
    if (ends[end] == 0 || source[end] == end || used[end] == 0 || varies[end] == 0) continue;
    segment found{source[end], end};
    std::fill(inside.begin(), inside.end(), char{0});
    inside[end] = 1;
    std::size_t moving = 0;
    for (std::size_t i = end; i > found.source; --i) {
      if (inside[i] == 0) continue;
      found.nodes.push_back(i);
      if (net.nodes()[i].rule.difference() != linearity::translation) ++moving;
      for (node_id const input : net.nodes()[i].inputs) {
        auto const from = static_cast<std::size_t>(input);
        if (varies[from] != 0 && from != found.source) inside[from] = 1;
      }
    }
    std::reverse(found.nodes.begin(), found.nodes.end());
    if (moving > 1) result.push_back(std::move(found));
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
