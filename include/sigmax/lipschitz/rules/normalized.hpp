// SPDX-License-Identifier: MIT
/// @file
/// One fibre, normalised, over numbers and over intervals.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rules/fiber_size.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/radial_divisor.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// z / D(r(z)), z = x or x - mean(x), with the memory for fibres of one length.
template <class T>
class normalized {
 public:
  normalized(std::size_t length, bool centred, bool root_mean_square, radial_divisor divisor)
      : z_(length), ends_(intervals ? 4 * length : 0), size_{centred, root_mean_square}, divisor_(divisor) {}

  /// The fibre whose element k is x[start + k stride].
  std::span<T const> of(std::span<T const> x, std::size_t start, std::size_t stride) {
    for (std::size_t k = 0; k < z_.size(); ++k) z_[k] = x[start + k * stride];
    if constexpr (intervals) {
      double const least = least_size();
      if (size_.centred) subtract_mean();
      divide(least);
    } else {
      if (size_.centred) {
        T sum(0.0);
        for (T const& each : z_) sum += each;
        T const mean = sum / T(static_cast<double>(z_.size()));
        for (T& each : z_) each = each - mean;
      }
      T squares(0.0);
      for (T const& each : z_) squares += each * each;
      if (size_.root_mean_square) squares = squares / T(static_cast<double>(z_.size()));
      square_of_size_ = squares;
      divided_by_ = divisor_.of_square(squares);
      for (T& each : z_) each = each / divided_by_;
    }
    return z_;
  }

  /// r and D(r) of the fibre seen last.
  T size() const { return std::sqrt(square_of_size_); }
  T divided_by() const { return divided_by_; }

 private:
  static constexpr bool intervals = std::is_same_v<T, interval>;

  std::span<double> part(std::size_t i) { return std::span(ends_).subspan(i * z_.size(), z_.size()); }

  /// <= r on the box, from the middle of the box and its half diagonal (fiber_size).
  double least_size() {
    double sum = 0;
    std::vector<interval>& middles = scratch_;
    middles.assign(z_.begin(), z_.end());
    for (interval& x : middles) {
      double const middle = x.middle();
      double const radius = max_up(subtract_up(x.upper, middle), subtract_up(middle, x.lower));
      sum = add_up(sum, multiply_up(radius, radius));
      x = middle;
    }
    double const least = subtract_down(size_.below(middles), size_.change(sqrt_up(sum), z_.size()));
    return least > 0 ? least : 0.0;
  }

  /// z_k = x_k - mean = (1 - 1/d) x_k - (sum of the others) / d: every x once, so the ends are attained.
  void subtract_mean() {
    auto const d = static_cast<double>(z_.size());
    for (std::size_t k = 0; k < z_.size(); ++k) {
      part(0)[k] = z_[k].lower;
      part(1)[k] = z_[k].upper;
    }
    sums_without_one(part(0), false, part(2));
    sums_without_one(part(1), true, part(3));
    interval const rest = interval(d - 1) / d;
    for (std::size_t k = 0; k < z_.size(); ++k) z_[k] = rest * z_[k] - interval(part(2)[k], part(3)[k]) / d;
  }

  /// z_k / D increases in z_k and its absolute value decreases in the others' squares, so opposite ends bound it. The
  /// size is also at least `least`, and |z_k| / D at most sqrt(d) (of a vector of mean zero: sqrt(d - 1); over sqrt(d)
  /// for lengths), because D(r) >= r and |z_k| <= |z|, sqrt(1 - 1/d) |z| for mean zero.
  void divide(double least) {
    auto const d = static_cast<double>(z_.size());
    for (std::size_t k = 0; k < z_.size(); ++k) {
      part(0)[k] = multiply_down(z_[k].mignitude(), z_[k].mignitude());
      part(1)[k] = multiply_up(z_[k].magnitude(), z_[k].magnitude());
    }
    sums_without_one(part(0), false, part(2));
    sums_without_one(part(1), true, part(3));
    double const elements = size_.centred ? d - 1 : d;
    double const cap = sqrt_up(size_.root_mean_square ? elements : divide_up(elements, d));
    for (std::size_t k = 0; k < z_.size(); ++k) {
      double const fewest = part(2)[k];
      double const most = part(3)[k];
      interval const z = z_[k];
      // |quotient| is largest with the fewest squares beside it, smallest with the most.
      double const upper = z.upper > 0 ? largest(z.upper, fewest, least, cap) : -smallest(-z.upper, most);
      double const lower = z.lower < 0 ? -largest(-z.lower, fewest, least, cap) : smallest(z.lower, most);
      z_[k] = clamped(interval(lower, upper), -cap, cap);
    }
  }

  /// D where the element is z >= 0 and the squares of the others sum to `others`.
  interval divisor_at(double z, double others) const {
    interval squares = square(interval(z)) + interval(others);
    if (size_.root_mean_square) squares = squares / static_cast<double>(z_.size());
    return divisor_.of_square(interval(squares.lower > 0 ? squares.lower : 0.0, squares.upper));
  }
  double largest(double z, double others, double least, double cap) const {
    double by = divisor_at(z, others).lower;
    double const of_least = divisor_.of_square(square(interval(least))).lower;
    if (of_least > by) by = of_least;
    return min_up(cap, divide_up(z, by));
  }
  double smallest(double z, double others) const {
    double const quotient = divide_down(z, divisor_at(z, others).upper);
    return quotient > 0 ? quotient : 0.0;
  }

  std::vector<T> z_;
  std::vector<double> ends_;
  std::vector<interval> scratch_;
  fiber_size size_;
  radial_divisor divisor_;
  T square_of_size_{};
  T divided_by_{};
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
