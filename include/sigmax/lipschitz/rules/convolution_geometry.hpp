// SPDX-License-Identifier: MIT
/// @file
/// Which elements a convolution joins.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// How a convolution slides its kernel; one entry a spatial axis, and an empty list stands for ones (strides,
/// dilations) or zeros (paddings). Padding is with zeros.
struct convolution_options {
  std::vector<index_t> strides = {};
  std::vector<index_t> dilations = {};
  std::vector<index_t> pads_begin = {};
  std::vector<index_t> pads_end = {};
  index_t groups = 1;
  /// Of a transposed convolution only: what is added to the end of the output.
  std::vector<index_t> output_padding = {};
};

namespace detail {

/// Position o of the small side and position o * stride + tap * dilation - pad of the large side are joined by a tap of
/// the kernel: a convolution maps the large side to the small one, a transposed convolution the small to the large.
struct convolution_axis {
  index_t kernel = 1;
  index_t stride = 1;
  index_t dilation = 1;
  index_t pad_begin = 0;
  index_t pad_end = 0;
  index_t output_padding = 0;

  /// Positions of the small side for `large` ones of the other; at most 0 if the kernel does not fit.
  index_t small_extent(index_t large) const {
    index_t const room = large + pad_begin + pad_end - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  }
  /// Positions of the large side a transposed convolution makes of `small` ones.
  index_t large_extent(index_t small) const {
    return (small - 1) * stride + output_padding + dilation * (kernel - 1) + 1 - pad_begin - pad_end;
  }
  /// The o in [first, last) with 0 <= o stride + tap dilation - pad_begin < large, 0 <= o < small.
  std::pair<index_t, index_t> reached(index_t tap, index_t small, index_t large) const {
    index_t const shift = tap * dilation - pad_begin;
    index_t const first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    index_t const last = large - shift <= 0 ? 0 : (large - shift - 1) / stride + 1;
    return {first < small ? first : small, last < small ? last : small};
  }
};

/// The axes of a convolution and its groups.
struct convolution_geometry {
  std::vector<convolution_axis> axes;
  index_t groups = 1;

  /// @throws domain_error if an extent is out of range or a list has another length than the kernel has axes.
  template <class = void>
  static convolution_geometry of(tensor_shape const& kernel, convolution_options const& options, char const* name) {
    static constexpr index_t most = index_t{1} << 31;
    convolution_geometry result;
    result.groups = options.groups;
    auto const entry = [&](std::vector<index_t> const& list, std::size_t axis, index_t otherwise, index_t least,
                           char const* what) {
      if (!list.empty() && list.size() != kernel.size()) {
        sigmax::detail::raise<domain_error>(
            {name, ": ", list.size(), " ", what, " for ", kernel.size(), " spatial axes; one an axis is needed"});
      }
      index_t const value = list.empty() ? otherwise : list[axis];
      if (value < least || value > most) {
        sigmax::detail::raise<domain_error>(
            {name, ": one of the ", what, " is ", value, "; it must be at least ", least, " and at most 2^31"});
      }
      return value;
    };
    for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
      result.axes.push_back({entry(kernel, axis, 1, 1, "kernel extents"), entry(options.strides, axis, 1, 1, "strides"),
                             entry(options.dilations, axis, 1, 1, "dilations"),
                             entry(options.pads_begin, axis, 0, 0, "paddings"),
                             entry(options.pads_end, axis, 0, 0, "paddings"),
                             entry(options.output_padding, axis, 0, 0, "output paddings")});
    }
    if (options.groups < 1) {
      sigmax::detail::raise<domain_error>({name, ": groups is ", options.groups, "; it must be at least 1"});
    }
    return result;
  }

  index_t taps() const {
    index_t count = 1;
    for (auto const& axis : axes) count *= axis.kernel;
    return count;
  }
};

/// A row of positions that one tap joins: small[small_first + i] and large[large_first + i * step], i < count.
struct convolution_segment {
  std::size_t tap;
  std::size_t small_first;
  std::size_t large_first;
  std::size_t count;
};

/// All segments of one pair of channels, tap by tap; neighbouring rows that are contiguous on both sides are one.
/// `step` of the large side is the last stride.
template <class = void>
std::vector<convolution_segment> convolution_segments(convolution_geometry const& geometry, tensor_shape const& small,
                                                      tensor_shape const& large) {
  std::vector<convolution_segment> result;
  std::size_t const rank = geometry.axes.size();
  if (rank == 0) return {{0, 0, 0, 1}};
  std::vector<index_t> tap(rank, 0);
  std::vector<index_t> at(rank, 0);
  std::vector<std::pair<index_t, index_t>> range(rank);
  for (std::size_t number = 0;; ++number) {
    bool empty = false;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      range[axis] = geometry.axes[axis].reached(tap[axis], small[axis], large[axis]);
      at[axis] = range[axis].first;
      empty = empty || range[axis].first >= range[axis].second;
    }
    std::size_t const first_of_tap = result.size();
    while (!empty) {
      index_t small_first = 0;
      index_t large_first = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        auto const& a = geometry.axes[axis];
        small_first = small_first * small[axis] + at[axis];
        large_first = large_first * large[axis] + at[axis] * a.stride + tap[axis] * a.dilation - a.pad_begin;
      }
      auto const count = static_cast<std::size_t>(range[rank - 1].second - range[rank - 1].first);
      convolution_segment const row{number, static_cast<std::size_t>(small_first),
                                    static_cast<std::size_t>(large_first), count};
      bool const continues = result.size() > first_of_tap && geometry.axes[rank - 1].stride == 1 &&
                             result.back().small_first + result.back().count == row.small_first &&
                             result.back().large_first + result.back().count == row.large_first;
      if (continues) {
        result.back().count += row.count;
      } else {
        result.push_back(row);
      }
      std::size_t axis = rank - 1;
      while (axis > 0) {
        --axis;
        if (++at[axis] < range[axis].second) break;
        at[axis] = range[axis].first;
        if (axis == 0) empty = true;
      }
      if (rank == 1) empty = true;
    }
    std::size_t axis = rank;
    while (axis > 0) {
      --axis;
      if (++tap[axis] < geometry.axes[axis].kernel) break;
      tap[axis] = 0;
      if (axis == 0) return result;
    }
  }
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
