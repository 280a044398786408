// SPDX-License-Identifier: MIT
/// @file
/// Pools as layers written in C++.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/layer.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/average_matrix.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// The largest element of each window, one window for each of the last axes. See rules::window_pool.
inline rules::window_pool max_pool(std::vector<rules::sliding_window> windows) {
  return rules::window_pool(std::move(windows));
}

/// The mean of each window; see rules::average_matrix for what padding counts.
class average_pool_layer {
 public:
  explicit average_pool_layer(std::vector<rules::sliding_window> windows, bool count_padding)
      : windows_(std::move(windows)), count_padding_(count_padding) {}

  /// @throws shape_error if the input has fewer axes than there are windows, or a window holds no element.
  template <std::same_as<network> Network>
  node_id append(Network& net, node_id input) const {
    auto const& shape = net[input].shape;
    if (shape.size() < windows_.size()) {
      sigmax::detail::raise<shape_error>(
          {"average_pool: input has shape ", shape_text(shape), " for windows over ", windows_.size(), " axes"});
    }
    std::vector<rules::along_axes::step> steps;
    for (std::size_t k = 0; k < windows_.size(); ++k) {
      std::size_t const from_last = windows_.size() - 1 - k;
      steps.push_back(
          {from_last, rules::average_matrix(windows_[k], shape[shape.size() - 1 - from_last], count_padding_)});
    }
    return net.add(rules::along_axes(std::move(steps), "average_pool"), {input});
  }

 private:
  std::vector<rules::sliding_window> windows_;
  bool count_padding_;
};

/// The mean of each window, one window for each of the last axes.
inline average_pool_layer average_pool(std::vector<rules::sliding_window> windows, bool count_padding = true) {
  return average_pool_layer(std::move(windows), count_padding);
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
