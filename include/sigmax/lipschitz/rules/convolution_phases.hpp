// SPDX-License-Identifier: MIT
/// @file
/// The polyphase form of strided convolutions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// Position o stride + tap dilation = (o + shift) stride + phase. With the positions of the large side sorted by phase,
/// the convolution has stride 1, and tap joins position o of the small side with o + shift of one phase.
struct axis_phases {
  /// One entry a tap.
  std::vector<index_t> shift;
  std::vector<index_t> phase;
  /// Distinct phases that occur, and the most taps of one.
  index_t phases = 0;
  index_t most_taps = 0;
  /// The shifts less the least of their phase, divided by what all of these have in common, and the largest of them.
  std::vector<index_t> reduced;
  index_t degree = 0;

  template <class = void>
  explicit axis_phases(convolution_axis const& axis) {
    std::vector<index_t> found;
    std::vector<index_t> least;
    std::vector<index_t> taps;
    for (index_t tap = 0; tap < axis.kernel; ++tap) {
      index_t const remainder = tap * axis.dilation % axis.stride;
      auto at = static_cast<std::size_t>(std::find(found.begin(), found.end(), remainder) - found.begin());
      shift.push_back(tap * axis.dilation / axis.stride);
      phase.push_back(static_cast<index_t>(at));
      if (at == found.size()) {
        found.push_back(remainder);
        least.push_back(shift.back());
        taps.push_back(0);
      }
      ++taps[at];
    }
    phases = static_cast<index_t>(found.size());
    most_taps = *std::max_element(taps.begin(), taps.end());
    index_t common = 0;
    for (std::size_t tap = 0; tap < shift.size(); ++tap) {
      reduced.push_back(shift[tap] - least[static_cast<std::size_t>(phase[tap])]);
      common = std::gcd(common, reduced.back());
    }
    for (index_t& r : reduced) {
      if (common > 0) r /= common;
      degree = std::max(degree, r);
    }
  }
};

/// The same for all axes: taps are numbered row-major, phases likewise.
struct convolution_phases {
  std::vector<axis_phases> axes;
  index_t phases = 1;
  index_t most_taps = 1;
  /// One entry a tap: the number of its phase.
  std::vector<index_t> phase;
  /// Tap `tap` has position tap_position(tap, axis) on an axis.
  std::vector<index_t> kernel;

  template <class = void>
  explicit convolution_phases(convolution_geometry const& geometry) {
    for (auto const& axis : geometry.axes) {
      axes.emplace_back(axis);
      kernel.push_back(axis.kernel);
      phases *= axes.back().phases;
      most_taps *= axes.back().most_taps;
    }
    index_t const taps = geometry.taps();
    for (index_t tap = 0; tap < taps; ++tap) {
      index_t number = 0;
      for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        number = number * axes[axis].phases + axes[axis].phase[static_cast<std::size_t>(position(tap, axis))];
      }
      phase.push_back(number);
    }
  }

  index_t position(index_t tap, std::size_t axis) const {
    for (std::size_t later = axes.size() - 1; later > axis; --later) tap /= kernel[later];
    return tap % kernel[axis];
  }

  /// No phase has two taps: the symbol is the same at all frequencies but for the phases of its columns.
  bool is_constant() const {
    return std::all_of(axes.begin(), axes.end(), [](axis_phases const& a) { return a.degree == 0; });
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
