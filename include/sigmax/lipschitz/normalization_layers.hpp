// SPDX-License-Identifier: MIT
/// @file
/// Normalisations and softmax as layers written in C++.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/centering.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/log_softmax.hpp>
#include <sigmax/lipschitz/rules/log_sum_exp.hpp>
#include <sigmax/lipschitz/rules/normalization.hpp>
#include <sigmax/lipschitz/rules/radial_divisor.hpp>
#include <sigmax/lipschitz/rules/softmax.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// gain * x / sqrt(mean(x^2) + epsilon) along the last axis. Bound: max |gain| / sqrt(epsilon), less on domains that
/// keep x away from 0.
template <class = void>
rules::normalization rms_normalization(std::vector<double> gain = {}, double epsilon = 1e-5) {
  return rules::normalization({.divisor = {.epsilon = epsilon}, .gain = std::move(gain)});
}

/// gain * (x - mean(x)) / sqrt(variance(x) + epsilon) + bias along the last `axes` axes.
template <class = void>
rules::normalization layer_normalization(std::vector<double> gain = {}, std::vector<double> bias = {},
                                         double epsilon = 1e-5, index_t axes = 1) {
  return rules::normalization({.axes = {-axes, -1},
                               .centred = true,
                               .divisor = {.epsilon = epsilon},
                               .gain = std::move(gain),
                               .bias = std::move(bias),
                               .operator_name = "layer_normalization"});
}

/// x / max(||x||, epsilon) along the last axis, or x / sqrt(||x||^2 + epsilon) with form::root.
template <class = void>
rules::normalization l2_normalization(double epsilon = 1e-12,
                                      rules::radial_divisor::form how = rules::radial_divisor::form::maximum) {
  return rules::normalization(
      {.root_mean_square = false, .divisor = {.how = how, .epsilon = epsilon}, .operator_name = "l2_normalization"});
}

/// d / (d - 1) (x - mean(x)) along a last axis of d >= 2 elements (CenterNorm). Bound: d / (d - 1).
/// @throws domain_error if d < 2.
template <class = void>
rules::centering center_normalization(index_t width) {
  if (width < 2) {
    sigmax::detail::raise<domain_error>({"center_normalization: width is ", width, "; it must be at least 2"});
  }
  return rules::centering({}, interval(static_cast<double>(width)) / static_cast<double>(width - 1));
}

/// Layer normalisation of `groups` equal parts of the axis of channels, together with the axes behind it, then a gain
/// and a bias a channel: input (..., channels, spatial ...).
class group_normalization_layer {
 public:
  group_normalization_layer(index_t groups, std::vector<double> gain, std::vector<double> bias, double epsilon,
                            index_t channel_axis)
      : groups_(groups), gain_(std::move(gain)), bias_(std::move(bias)), epsilon_(epsilon), axis_(channel_axis) {}

  // A template, so that a file that includes this and builds no network does not compile it.
  template <std::same_as<network> Network>
  node_id append(Network& net, node_id input) const {
    tensor_shape const& shape = net[input].shape;
    auto const rank = static_cast<index_t>(shape.size());
    index_t const axis = axis_ < 0 ? axis_ + rank : axis_;
    if (axis < 0 || axis >= rank) {
      sigmax::detail::raise<shape_error>({"group_normalization: channel axis is ", axis_, ", the input has shape ",
                                          shape_text(shape), "; the axis must exist"});
    }
    index_t const channels = shape[static_cast<std::size_t>(axis)];
    index_t const spatial = element_count({shape.begin() + axis + 1, shape.end()});
    index_t const groups = groups_ == 0 ? channels : groups_;
    return net.add(
        rules::normalization({.axes = {axis, rank - 1, groups},
                              .centred = true,
                              .divisor = {.epsilon = epsilon_},
                              .gain = per_element(gain_, channels, spatial),
                              .bias = per_element(bias_, channels, spatial),
                              .operator_name = groups_ == 0 ? "instance_normalization" : "group_normalization"}),
        {input});
  }

 private:
  template <class = void>
  static std::vector<double> per_element(std::vector<double> const& values, index_t channels, index_t spatial) {
    if (values.size() > 1 && static_cast<index_t>(values.size()) != channels) {
      sigmax::detail::raise<shape_error>(
          {"group_normalization: ", values.size(), " values for ", channels, " channels; there must be one for each"});
    }
    if (values.size() <= 1) return values;
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(channels * spatial));
    for (double const each : values) result.insert(result.end(), static_cast<std::size_t>(spatial), each);
    return result;
  }

  index_t groups_;
  std::vector<double> gain_;
  std::vector<double> bias_;
  double epsilon_;
  index_t axis_;
};
static_assert(layer<group_normalization_layer>);

inline group_normalization_layer group_normalization(index_t groups, std::vector<double> gain = {},
                                                     std::vector<double> bias = {}, double epsilon = 1e-5,
                                                     index_t channel_axis = 1) {
  return {groups, std::move(gain), std::move(bias), epsilon, channel_axis};
}
/// Every channel by itself.
inline group_normalization_layer instance_normalization(std::vector<double> gain = {}, std::vector<double> bias = {},
                                                        double epsilon = 1e-5, index_t channel_axis = 1) {
  return {0, std::move(gain), std::move(bias), epsilon, channel_axis};
}

/// softmax(x / temperature) along an axis. Bound: 1 / (2 temperature).
template <class = void>
rules::softmax softmax(double temperature = 1.0, index_t axis = -1) {
  return rules::softmax({axis, axis}, temperature);
}
/// log softmax(x / temperature) along an axis. Bound: sqrt(n) / temperature in l2, 2 / temperature in linf.
template <class = void>
rules::log_softmax log_softmax(double temperature = 1.0, index_t axis = -1) {
  return rules::log_softmax({axis, axis}, temperature);
}
/// log sum e^x along an axis, which goes. Bound: 1 in l2 and linf.
inline rules::log_sum_exp log_sum_exp(index_t axis = -1) { return rules::log_sum_exp({axis, axis}); }

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
