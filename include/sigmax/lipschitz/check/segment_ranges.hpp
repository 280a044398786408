// SPDX-License-Identifier: MIT
/// @file
/// Where the values of a segment lie.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::check {

/// What is known of the values of a segment on the domain, all of it proven; by default nothing.
struct segment_ranges {
  using lookup = std::function<std::span<interval const>(std::size_t)>;

  /// One enclosure an element of the value of a node; empty where nothing is known.
  lookup box = [](std::size_t) { return std::span<interval const>(); };
  /// The value of a node at the centre of the domain, enclosed; empty where there is none.
  lookup centre = [](std::size_t) { return std::span<interval const>(); };
  /// >= the Euclidean distance of the value of the source, as one vector, from its value at the centre.
  double source_distance = infinity;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::check
