// SPDX-License-Identifier: MIT
/// @file
/// How small the fibres that a normalisation divides by can be on known ranges.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The size of a vector: its length, or its root mean square, after its mean is subtracted where `centred`.
struct fiber_size {
  bool centred = false;
  bool root_mean_square = true;

  /// <= the size of every vector in the intervals.
  template <class = void>
  double below(std::span<interval const> x) const {
    auto const length = static_cast<double>(x.size());
    interval mean = 0.0;
    if (centred) {
      for (interval const each : x) mean += each;
      mean = mean / length;
    }
    double sum = 0;
    for (interval const each : x) {
      double const least = (centred ? each - mean : each).mignitude();
      sum = add_down(sum, multiply_down(least, least));
    }
    if (!(sum > 0)) return 0;
    return sqrt_down(root_mean_square ? divide_down(sum, length) : sum);
  }

  /// >= how far the sizes of two vectors differ whose difference has this length: the size is a seminorm, at most the
  /// length (over sqrt(d)), because subtracting the mean is an orthogonal projection.
  double change(double distance, std::size_t length) const {
    return root_mean_square ? divide_up(distance, sqrt_down(static_cast<double>(length))) : distance;
  }

  /// <= the size of every fibre on the range; 0 where nothing better is known. The best of three, all by the reverse
  /// triangle inequality: the intervals themselves, the middle of the box less its half diagonal, the centre of the
  /// domain less the distance from it.
  template <class = void>
  double below(fibers const& all, value_range const* range) const {
    if (range == nullptr || all.count == 0) return 0;
    double smallest = infinity;
    std::vector<interval> fiber(all.length);
    for (std::size_t f = 0; f < all.count; ++f) {
      double own = 0;
      auto const gather = [&](std::vector<interval> const& values) {
        for (std::size_t k = 0; k < all.length; ++k) fiber[k] = values[all.start(f) + k * all.stride];
      };
      if (range->box.size() == all.count * all.length) {
        gather(range->box);
        own = below(fiber);
        double sum = 0;
        for (interval& x : fiber) {
          double const middle = x.middle();
          double const radius = max_up(subtract_up(x.upper, middle), subtract_up(middle, x.lower));
          sum = add_up(sum, multiply_up(radius, radius));
          x = middle;
        }
        own = larger(own, subtract_down(below(fiber), change(sqrt_up(sum), all.length)));
      }
      if (range->centre.size() == all.count * all.length && all.stride == 1 && is_finite(range->row_distance)) {
        gather(range->centre);
        double const distance = multiply_up(sqrt_up(static_cast<double>(all.rows_met)), range->row_distance);
        own = larger(own, subtract_down(below(fiber), change(distance, all.length)));
      }
      smallest = own < smallest ? own : smallest;
      if (smallest == 0) break;
    }
    return smallest;
  }

 private:
  static double larger(double a, double b) { return b > a ? b : a; }
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
