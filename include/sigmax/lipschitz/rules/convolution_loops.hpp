// SPDX-License-Identifier: MIT
/// @file
/// The sums of convolutions over the scalars in which networks are evaluated.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/convolution_geometry.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// One group of one image: which channels and positions are summed. Kernel element (small channel, large channel, tap)
/// is `kernel[(s * large_channels + l) * taps + tap]`.
struct convolution_block {
  double const* kernel = nullptr;
  std::span<convolution_segment const> segments;
  std::size_t small_channels;
  std::size_t large_channels;
  std::size_t taps;
  std::size_t small_plane;
  std::size_t large_plane;
  std::size_t step;
};

/// y_s += sum over large channels and taps of K x. Four small channels share each row of x.
template <class T>
void gather_convolution(convolution_block const& b, T const* x, T* y) {
  std::size_t const row = b.large_channels * b.taps;
  std::size_t s = 0;
  for (; s + 4 <= b.small_channels; s += 4) {
    for (std::size_t l = 0; l < b.large_channels; ++l) {
      T const* const plane = x + l * b.large_plane;
      double const* const k = b.kernel + s * row + l * b.taps;
      T* const to = y + s * b.small_plane;
      for (auto const& segment : b.segments) {
        double const k0 = k[segment.tap];
        double const k1 = k[segment.tap + row];
        double const k2 = k[segment.tap + 2 * row];
        double const k3 = k[segment.tap + 3 * row];
        T const* const from = plane + segment.large_first;
        T* const y0 = to + segment.small_first;
        T* const y1 = y0 + b.small_plane;
        T* const y2 = y1 + b.small_plane;
        T* const y3 = y2 + b.small_plane;
        for (std::size_t i = 0; i < segment.count; ++i) {
          T const value = from[i * b.step];
          y0[i] += k0 * value;
          y1[i] += k1 * value;
          y2[i] += k2 * value;
          y3[i] += k3 * value;
        }
      }
    }
  }
  for (; s < b.small_channels; ++s) {
    for (std::size_t l = 0; l < b.large_channels; ++l) {
      double const* const k = b.kernel + s * row + l * b.taps;
      for (auto const& segment : b.segments) {
        double const factor = k[segment.tap];
        T const* const from = x + l * b.large_plane + segment.large_first;
        T* const to = y + s * b.small_plane + segment.small_first;
        for (std::size_t i = 0; i < segment.count; ++i) to[i] += factor * from[i * b.step];
      }
    }
  }
}

/// y_l += sum over small channels and taps of K x: the adjoint.
template <class T>
void scatter_convolution(convolution_block const& b, T const* x, T* y) {
  std::size_t const row = b.large_channels * b.taps;
  std::size_t s = 0;
  for (; s + 4 <= b.small_channels; s += 4) {
    T const* const from = x + s * b.small_plane;
    for (std::size_t l = 0; l < b.large_channels; ++l) {
      double const* const k = b.kernel + s * row + l * b.taps;
      for (auto const& segment : b.segments) {
        double const k0 = k[segment.tap];
        double const k1 = k[segment.tap + row];
        double const k2 = k[segment.tap + 2 * row];
        double const k3 = k[segment.tap + 3 * row];
        T const* const x0 = from + segment.small_first;
        T const* const x1 = x0 + b.small_plane;
        T const* const x2 = x1 + b.small_plane;
        T const* const x3 = x2 + b.small_plane;
        T* const to = y + l * b.large_plane + segment.large_first;
        for (std::size_t i = 0; i < segment.count; ++i) {
          to[i * b.step] += (k0 * x0[i] + k1 * x1[i]) + (k2 * x2[i] + k3 * x3[i]);
        }
      }
    }
  }
  for (; s < b.small_channels; ++s) {
    for (std::size_t l = 0; l < b.large_channels; ++l) {
      double const* const k = b.kernel + s * row + l * b.taps;
      for (auto const& segment : b.segments) {
        double const factor = k[segment.tap];
        T const* const from = x + s * b.small_plane + segment.small_first;
        T* const to = y + l * b.large_plane + segment.large_first;
        for (std::size_t i = 0; i < segment.count; ++i) to[i * b.step] += factor * from[i];
      }
    }
  }
}

/// Middles and reaches of intervals, for a linear map applied to both: with gamma = gamma_(n + 2), x_j within r_j of
/// m_j and q_j >= gamma |m_j| + r_j, the sum of n terms w_j x_j lies within `error_of(e)` of fl(sum w_j m_j) for
/// e = fl(sum |w_j| q_j). The proof is that of matrix_times for intervals.
struct middle_and_reach {
  std::vector<double> middle;
  std::vector<double> reach;
  double gamma;
  double underflow;

  template <class = void>
  middle_and_reach(std::span<interval const> x, double terms)
      : middle(x.size()),
        reach(x.size()),
        gamma(gamma_up(terms + 2)),
        underflow(multiply_up(terms + 1, double_underflow)) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      double const m = x[j].middle();
      double const radius = max_up(subtract_up(x[j].upper, m), subtract_up(m, x[j].lower));
      middle[j] = m;
      reach[j] = add_up(multiply_up(gamma, std::fabs(m)), radius);
    }
  }

  interval around(double sum, double error) const {
    double const e = add_up(divide_up(add_up(error, underflow), subtract_down(1.0, gamma)), underflow);
    bool const known = is_finite(sum) && is_finite(e);
    return known ? interval(subtract_down(sum, e), add_up(sum, e)) : interval::whole();
  }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
