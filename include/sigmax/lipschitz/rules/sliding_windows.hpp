// SPDX-License-Identifier: MIT
/// @file
/// The windows of pools along one axis.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// Window o of an axis holds the positions o stride + tap dilation - pad_begin for tap < kernel that exist.
struct sliding_window {
  index_t kernel = 1;
  index_t stride = 1;
  index_t dilation = 1;
  index_t pad_begin = 0;
  index_t pad_end = 0;
  /// Round the number of windows up instead of down; a window that would begin behind the image and its leading
  /// padding is left out (ONNX, PyTorch).
  bool ceiling = false;

  /// All of an axis.
  static sliding_window whole(index_t extent) { return {.kernel = extent}; }

  /// The number of windows on an axis of this extent, 0 if none fits.
  index_t count(index_t extent) const {
    index_t const room = extent + pad_begin + pad_end - dilation * (kernel - 1) - 1;
    if (room < 0) return 0;
    index_t result = (ceiling ? (room + stride - 1) / stride : room / stride) + 1;
    if (ceiling && (result - 1) * stride >= extent + pad_begin) --result;
    return result;
  }

  /// The positions of window `number`, in order.
  template <class = void>
  std::vector<index_t> positions(index_t number, index_t extent) const {
    std::vector<index_t> result;
    for (index_t tap = 0; tap < kernel; ++tap) {
      index_t const at = number * stride + tap * dilation - pad_begin;
      if (at >= 0 && at < extent) result.push_back(at);
    }
    return result;
  }

  /// @throws domain_error unless all is in range.
  template <class = void>
  void check(char const* name) const {
    static constexpr index_t most = index_t{1} << 31;
    bool const right = kernel >= 1 && stride >= 1 && dilation >= 1 && pad_begin >= 0 && pad_end >= 0 &&
                       kernel <= most && stride <= most && dilation <= most && pad_begin <= most && pad_end <= most;
    if (!right) {
      sigmax::detail::raise<domain_error>(
          {name, ": a window has kernel ", kernel, ", stride ", stride, ", dilation ", dilation, ", paddings ",
           pad_begin, " and ", pad_end, "; the first three must be at least 1, the last at least 0, all at most 2^31"});
    }
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
