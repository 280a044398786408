// SPDX-License-Identifier: MIT
/// @file
/// Averages over windows of one axis as a matrix.
#pragma once

#include <algorithm>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/rules/axis_matrix.hpp>
#include <sigmax/lipschitz/rules/sliding_windows.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// Row o averages window o: each of its elements divided by their number, or with `count_padding` by that of the
/// positions in the image and its padding. Of a window that reaches beyond these (`ceiling`) some programs count all
/// positions and some do not: its quotients are the intervals that hold both.
/// @throws shape_error if there is no window, or one without elements while padding is not counted.
template <class = void>
axis_matrix average_matrix(sliding_window const& window, index_t extent, bool count_padding) {
  window.check("average_pool");
  axis_matrix result(extent);
  index_t const windows = window.count(extent);
  if (windows < 1) {
    sigmax::detail::raise<shape_error>(
        {"average_pool: an axis of extent ", extent, " has no window of ", window.kernel, " elements"});
  }
  for (index_t o = 0; o < windows; ++o) {
    auto const positions = window.positions(o, extent);
    auto const inside = static_cast<index_t>(positions.size());
    index_t padded = 0;
    for (index_t tap = 0; tap < window.kernel; ++tap) {
      if (o * window.stride + tap * window.dilation - window.pad_begin < extent + window.pad_end) ++padded;
    }
    if (!count_padding && inside == 0) {
      sigmax::detail::raise<shape_error>({"average_pool: window ", o, " holds padding only, which is not counted"});
    }
    auto const share = [](index_t count) { return interval(1.0) / interval(static_cast<double>(count)); };
    interval const value = !count_padding                           ? share(inside)
                           : padded == window.kernel || padded == 0 ? share(window.kernel)
                                                                    : hull(share(padded), share(window.kernel));
    std::vector<axis_matrix::element> row;
    for (index_t const at : positions) row.push_back({at, value});
    result.add_row(row);
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
