// SPDX-License-Identifier: MIT
/// @file
/// Propagates what is known of values through a network, node by node, in outward rounded arithmetic.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/domain.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::detail {

/// The ranges of all values on a domain. Three sources, each proven, are intersected at every node: the rule evaluated
/// over the boxes of its inputs; the value at the centre of the domain with the Lipschitz bound from there times the
/// radius; and what the rule itself knows (`refine`). Without a bounded domain only what feeds a rule that asks for
/// ranges is looked at.
class range_pass {
 public:
  /// `net` must outlive this. @throws domain_error if the domain was given for another number of elements.
  template <class = void>
  range_pass(network const& net, std::vector<char> const& used, input_domain const& domain, norm::any norm)
      : net_(&net), norm_(norm) {
    auto const count = static_cast<std::size_t>(net.size());
    ranges_.resize(count);
    varies_.assign(count, 0);
    wanted_.assign(count, 0);
    varies_[0] = 1;
    for (std::size_t i = 1; i < count; ++i) {
      for (node_id const from : net.nodes()[i].inputs) {
        if (varies_[static_cast<std::size_t>(from)] != 0) varies_[i] = 1;
      }
    }
    for (std::size_t i = count; i-- > 0;) {
      if (used[i] == 0) continue;
      if (domain.is_bounded()) wanted_[i] = 1;
      if (wanted_[i] == 0 && !net.nodes()[i].rule.uses_ranges()) continue;
      for (node_id const from : net.nodes()[i].inputs) wanted_[static_cast<std::size_t>(from)] = 1;
    }
    enter(domain);
  }

  bool varies(std::size_t node) const { return varies_[node] != 0; }
  value_range const& operator[](std::size_t node) const { return ranges_[node]; }

  /// >= the distance of every input of the domain from its centre, in the norm of the pass; +infinity without a bound.
  double radius() const { return radius_; }

  /// The ranges of the inputs of a node, until the next call.
  std::span<value_range const* const> of_inputs(std::size_t node) {
    inputs_.clear();
    for (node_id const from : net_->nodes()[node].inputs) inputs_.push_back(&ranges_[static_cast<std::size_t>(from)]);
    return inputs_;
  }

  /// Finds the range of a node from those of its inputs and its Lipschitz bound from the input of the network.
  template <class = void>
  void advance(std::size_t node, std::span<tensor_shape const> shapes, rule_context const& context,
               extended const& lipschitz) {
    if (wanted_[node] == 0) return;
    auto const& rule = net_->nodes()[node].rule;
    auto const& shape = net_->nodes()[node].shape;
    value_range& range = ranges_[node];
    bool known = true;
    bool centred = true;
    for (auto const* const input : inputs_) {
      known = known && input->knows_elements();
      centred = centred && !input->centre.empty();
    }
    if (known || rule.bounds_values()) range.box = evaluated(node, shapes, &value_range::box);
    if (centred) range.centre = evaluated(node, shapes, &value_range::centre);
    if (centred && is_finite(radius_)) {
      double const distance = multiply_up(lipschitz.to_double_up(), radius_);
      row_norm const norm = row_norm::of(norm_, shape);
      double const element = multiply_up(distance, norm.reach());
      if (is_finite(element) && range.box.empty()) range.box.assign(range.centre.size(), interval::whole());
      for (std::size_t i = 0; i < range.box.size() && is_finite(element); ++i) {
        range.box[i] = within(range.box[i], range.centre[i], element);
      }
      if (norm.width > 1) range.row_distance = element;
    }
    if (!varies(node)) range.row_distance = 0;
    rule.refine(shapes, context, range);
    sharpen(range, shape);
  }

  /// >= log10 of the norm of the value on the domain.
  double log10_radius(std::size_t node) const {
    auto const& box = ranges_[node].box;
    if (box.empty()) return infinity;
    return extended(attack::length_up(box, row_norm::of(norm_, net_->nodes()[node].shape))).log10_up();
  }

 private:
  template <class = void>
  void enter(input_domain const& domain) {
    auto const count = static_cast<std::size_t>(element_count(net_->input_shape()));
    domain.require_size(count);
    if (!domain.is_bounded()) return;
    value_range& range = ranges_[0];
    row_norm const norm = row_norm::of(norm_, net_->input_shape());
    for (double const c : domain.centre(count)) range.centre.push_back(c);
    range.box = domain.enclosure(count, norm.reach());
    if (domain.shape() == input_domain::kind::ball) {
      radius_ = domain.radius();
      if (norm.width > 1) range.row_distance = multiply_up(radius_, norm.reach());
    } else {
      std::vector<interval> difference(count);
      for (std::size_t i = 0; i < count; ++i) difference[i] = range.box[i] - range.centre[i];
      radius_ = attack::length_up(difference, norm);
    }
    sharpen(range, net_->input_shape());
  }

  template <class = void>
  std::vector<interval> evaluated(std::size_t node, std::span<tensor_shape const> shapes,
                                  std::vector<interval> value_range::*part) {
    std::vector<std::vector<interval>> unknown;
    unknown.reserve(shapes.size());
    std::vector<std::span<interval const>> arguments;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      auto const& known = inputs_[k]->*part;
      auto const count = static_cast<std::size_t>(element_count(shapes[k]));
      if (known.size() != count) unknown.emplace_back(count, interval::whole());
      arguments.push_back(known.size() == count ? std::span<interval const>(known) : unknown.back());
    }
    auto const& result = net_->nodes()[node];
    std::vector<interval> values(static_cast<std::size_t>(element_count(result.shape)));
    result.rule.evaluate(std::span<std::span<interval const> const>(arguments), shapes, std::span<interval>(values));
    return values;
  }

  network const* net_;
  norm::any norm_;
  std::vector<value_range> ranges_;
  std::vector<value_range const*> inputs_;
  std::vector<char> varies_;
  std::vector<char> wanted_;
  double radius_ = infinity;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::detail
