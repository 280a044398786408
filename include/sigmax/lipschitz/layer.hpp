// SPDX-License-Identifier: MIT
/// @file
/// What `sequential` and `residual` are built from.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rule.hpp>
#include <sigmax/lipschitz/rules/activation_rule.hpp>
#include <sigmax/lipschitz/rules/add_constant.hpp>
#include <sigmax/lipschitz/rules/identity.hpp>
#include <sigmax/lipschitz/rules/scale.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// A value that can add itself to a network: a rule of one input, or a type with
///  - `append(network&, node_id input) -> node_id`, which adds its nodes behind `input` and returns the last one;
///  - optionally `input_width() -> std::optional<index_t>`, the length of the last axis of its input where it knows it;
///  - optionally `keeps_width() -> bool`, true if its output is as wide as its input whatever that is.
template <class L>
concept layer = std::copyable<L> &&(rule<L> || requires(L const& l, network& net, node_id input) {
  { l.append(net, input) } -> std::same_as<node_id>;
});

/// Adds a layer to a network behind `input`; returns its last node. Throws as network::add.
template <layer L>
node_id append(L const& l, network& net, node_id input) {
  if constexpr (requires { l.append(net, input); }) {
    return l.append(net, input);
  } else {
    return net.add(l, {input});
  }
}

/// The width a layer wants of its input, where it says so.
template <layer L>
std::optional<index_t> input_width(L const& l) {
  if constexpr (requires { l.input_width(); }) {
    return l.input_width();
  } else {
    return std::nullopt;
  }
}

/// True for layers whose output is as wide as their input, so that the next layer tells the width of both.
template <layer L>
bool keeps_width(L const& l) {
  if constexpr (requires { l.keeps_width(); }) {
    return l.keeps_width();
  } else {
    return std::same_as<L, rules::activation> || std::same_as<L, rules::scale> ||
           std::same_as<L, rules::add_constant> || std::same_as<L, rules::identity>;
  }
}

/// The network of a layer applied to an input of the given shape. Throws as network::add.
template <layer L>
network network_of(L const& l, tensor_shape input) {
  network net(std::move(input));
  net.set_output(append(l, net, network::input()));
  return net;
}

/// The same for a vector of the width the layer asks for. @throws domain_error if it does not say.
template <layer L>
network network_of(L const& l) {
  auto const width = input_width(l);
  if (!width) {
    sigmax::detail::raise<domain_error>(
        {"network_of: the width of the input is unknown, no first linear map tells it; "
         "give the shape: network_of(layer, {width})"});
  }
  return network_of(l, {*width});
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
