// SPDX-License-Identifier: MIT
/// @file
/// Recognises normalisations that exporters wrote in elementary operators. Node by node they are products of computed
/// values, without any bound on all inputs; as one rule they have the bounds of normalization.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rewrite/reductions.hpp>
#include <sigmax/lipschitz/rewrite/replace_nodes.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/centering.hpp>
#include <sigmax/lipschitz/rules/constant.hpp>
#include <sigmax/lipschitz/rules/extremum.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/hadamard.hpp>
#include <sigmax/lipschitz/rules/normalization.hpp>
#include <sigmax/lipschitz/rules/radial_divisor.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/rules/weighted_sum.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite {

/// x - mean(x), the mean repeated over what it is of.
template <class = void>
std::optional<replacement> as_centering(network const& net, node_id node) {
  auto const* const sum = net[node].rule.as<rules::weighted_sum>();
  if (sum == nullptr || sum->coefficients() != std::vector<interval>{1.0, -1.0}) return std::nullopt;
  node_id const x = net[node].inputs[0];
  seen_through mean{net[node].inputs[1], {}};
  if (!mean.step_behind(net)) return std::nullopt;
  auto const found = as_reduction(net, mean.node);
  if (!found || found->what != reduction::kind::mean || found->of != x) return std::nullopt;
  tensor_shape const& shape = net[x].shape;
  auto const all = rules::fibers::of("centering", shape, found->axes);
  if (!mean.repeats(all, static_cast<std::size_t>(element_count(shape)))) return std::nullopt;
  return replacement{rules::centering(found->axes), {x}};
}

/// What a normalisation divides by, as it was found.
struct found_divisor {
  rules::radial_divisor divisor;
  bool root_mean_square = true;
  reduction size;
};

/// The number that a node adds to all elements of its input; empty if it does something else.
template <class = void>
std::optional<double> added_number(network const& net, node_id node) {
  auto const* const added = net[node].rule.as<rules::add_constant>();
  if (added == nullptr || added->coefficient() != 1 || added->values().size() != 1) return std::nullopt;
  return added->values()[0];
}

/// The number below which a node lets no element of its input fall; empty if it does something else. `input` becomes
/// the input.
template <class = void>
std::optional<double> least_number(network const& net, node_id node, node_id& input) {
  if (auto const* clip = as_activation(net, node, "clip")) {
    if (clip->parameters()[1] != infinity) return std::nullopt;
    input = net[node].inputs[0];
    return clip->parameters()[0];
  }
  auto const* const larger = net[node].rule.as<rules::extremum>();
  auto const& inputs = net[node].inputs;
  if (larger == nullptr || larger->how() != rules::extremum::operation::maximum || inputs.size() != 2) {
    return std::nullopt;
  }
  for (std::size_t k = 0; k < 2; ++k) {
    seen_through number{inputs[k], {}};
    if (!number.step_behind(net)) continue;
    auto const* const stored = net[number.node].rule.as<rules::constant>();
    if (stored == nullptr || stored->values().size() != 1) continue;
    input = inputs[1 - k];
    return stored->values()[0];
  }
  return std::nullopt;
}

/// D in 1 / D: sqrt(mean(z^2) + e), max(||z||, e), sqrt(mean(z^2)) + e, with sums or lengths instead of means, where e
/// may be missing. `at` is the node of 1 / D and is led to the reduction.
template <class = void>
std::optional<found_divisor> as_divisor(network const& net, seen_through& at) {
  using form = rules::radial_divisor::form;
  found_divisor result{};
  auto const step = [&](node_id to) {
    at.node = to;
    return at.step_behind(net);
  };
  if (!at.step_behind(net)) return std::nullopt;
  bool rooted = is_power(net, at.node, -0.5);
  if (!rooted && !is_power(net, at.node, -1)) return std::nullopt;
  if (!step(net[at.node].inputs[0])) return std::nullopt;
  std::optional<double> epsilon;
  if (!rooted) {
    node_id behind = 0;
    if ((epsilon = least_number(net, at.node, behind))) {
      result.divisor.how = form::maximum;
      if (!step(behind)) return std::nullopt;
    } else if ((epsilon = added_number(net, at.node))) {
      result.divisor.how = form::sum;
      if (!step(net[at.node].inputs[0])) return std::nullopt;
    }
    if (auto const length = as_reduction(net, at.node); length && length->what == reduction::kind::length) {
      result.root_mean_square = false;
      result.size = *length;
      result.divisor.epsilon = epsilon.value_or(0.0);
      return result.divisor.epsilon >= 0 ? std::optional(result) : std::nullopt;
    }
    if (!is_power(net, at.node, 0.5) || !step(net[at.node].inputs[0])) return std::nullopt;
  }
  if (!epsilon && (epsilon = added_number(net, at.node)) && !step(net[at.node].inputs[0])) return std::nullopt;
  auto const size = as_reduction(net, at.node);
  if (!size || size->what == reduction::kind::length) return std::nullopt;
  auto const squared = as_square(net, size->of);
  if (!squared) return std::nullopt;
  result.root_mean_square = size->what == reduction::kind::mean;
  result.size = *size;
  result.size.of = *squared;
  result.divisor.epsilon = epsilon.value_or(0.0);
  return result.divisor.epsilon >= 0 ? std::optional(result) : std::nullopt;
}

inline bool fibers_agree(rules::fibers const& a, rules::fibers const& b) {
  return a.count == b.count && a.length == b.length && a.stride == b.stride;
}

/// z / D(z), z being x - mean(x) where it is a centering along the same axes.
template <class = void>
std::optional<replacement> as_normalization(network const& net, node_id node) {
  if (net[node].rule.as<rules::hadamard>() == nullptr) return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    node_id const z = net[node].inputs[k];
    seen_through inverse{net[node].inputs[1 - k], {}};
    auto const found = as_divisor(net, inverse);
    if (!found || found->size.of != z) continue;
    tensor_shape const& shape = net[z].shape;
    auto const all = rules::fibers::of("normalization", shape, found->size.axes);
    if (!inverse.repeats(all, static_cast<std::size_t>(element_count(shape)))) continue;
    rules::normalization_options options{
        .axes = found->size.axes,
        .root_mean_square = found->root_mean_square,
        .divisor = found->divisor,
        .operator_name = found->root_mean_square ? "rms_normalization" : "l2_normalization"};
    node_id x = z;
    auto const* const centred = net[z].rule.as<rules::centering>();
    if (centred != nullptr && centred->factor() == interval(1.0) &&
        fibers_agree(all, rules::fibers::of("normalization", shape, centred->axes()))) {
      options.centred = true;
      options.operator_name = "layer_normalization";
      x = net[z].inputs[0];
    }
    return replacement{rules::normalization(std::move(options)), {x}};
  }
  return std::nullopt;
}

/// gain * normalisation and normalisation + bias, which the normalisation may as well do itself.
template <class = void>
std::optional<replacement> as_affine_normalization(network const& net, node_id node) {
  if (net[node].inputs.size() != 1) return std::nullopt;
  node_id const from = net[node].inputs[0];
  auto const* const inner = net[from].rule.as<rules::normalization>();
  if (inner == nullptr || !inner->options().bias.empty()) return std::nullopt;
  auto options = inner->options();
  auto const* const gain = net[node].rule.as<rules::scale>();
  auto const* const bias = net[node].rule.as<rules::add_constant>();
  if (gain != nullptr && gain->how() == rules::scale::operation::multiply && options.gain.empty()) {
    options.gain = gain->factors();
  } else if (bias != nullptr && bias->coefficient() == 1 && !bias->values().empty()) {
    options.bias = bias->values();
  } else {
    return std::nullopt;
  }
  return replacement{rules::normalization(std::move(options)), net[from].inputs};
}

/// All of the above, from the inside out.
template <std::same_as<network> Network>
network with_normalizations(Network const& net) {
  auto const centred = replace_nodes(net, as_centering<>);
  auto const normalized = replace_nodes(centred, as_normalization<>);
  auto const scaled = replace_nodes(normalized, as_affine_normalization<>);
  return replace_nodes(scaled, as_affine_normalization<>);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rewrite
