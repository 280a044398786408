// SPDX-License-Identifier: MIT
/// @file
/// Softmax, log-softmax and log-sum-exp of one vector, over numbers and over intervals.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/interval_functions.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/rules/fibers.hpp>
#include <sigmax/lipschitz/rules/support.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The vectors softmax works with, allocated once for fibres of one length.
template <class T>
class softmax_values {
 public:
  explicit softmax_values(std::size_t length) : z_(length), e_(length), ends_(intervals ? 4 * length : 0) {}

  /// z = x / temperature, element k at x[start + k stride].
  void read(std::span<T const> x, std::size_t start, std::size_t stride, double temperature) {
    for (std::size_t k = 0; k < z_.size(); ++k) {
      T const value = x[start + k * stride];
      z_[k] = temperature == 1 ? value : value / T(temperature);
    }
  }

  /// e^(z_k) / sum_j e^(z_j).
  std::span<T const> probabilities() {
    exponentials();
    if constexpr (intervals) {
      // Increasing in z_k, decreasing in all others: e_k / (e_k + the others) at opposite ends.
      for (std::size_t k = 0; k < e_.size(); ++k) {
        double const high = upper_ends()[k];
        double const low = lower_ends()[k];
        double const most = is_finite(high) ? divide_up(high, add_down(high, others_low()[k])) : 1.0;
        double const least = divide_down(low, add_up(low, others_high()[k]));
        e_[k] = interval(least > 0 ? least : 0.0, min_up(most, 1.0));
      }
    } else {
      T sum(0.0);
      for (T const& e : e_) sum += e;
      for (T& e : e_) e = e / sum;
    }
    return e_;
  }

  /// z_k - log sum_j e^(z_j).
  std::span<T const> log_probabilities() {
    double const shift = exponentials();
    if constexpr (intervals) {
      for (std::size_t k = 0; k < e_.size(); ++k) {
        double const most = at_end(z_[k].upper, shift, others_low()[k]).upper;
        double const least = at_end(z_[k].lower, shift, others_high()[k]).lower;
        e_[k] = interval(least, min_up(most, 0.0));
      }
    } else {
      using std::log;
      T sum(0.0);
      for (T const& e : e_) sum += e;
      T const logarithm = log(sum);
      for (std::size_t k = 0; k < e_.size(); ++k) e_[k] = (z_[k] - T(shift)) - logarithm;
    }
    return e_;
  }

  /// log sum_j e^(z_j), increasing in every z_j.
  T log_sum() {
    using std::log;
    double const shift = exponentials();
    T sum(0.0);
    for (T const& e : e_) sum += e;
    return log(sum) + T(shift);
  }

 private:
  static constexpr bool intervals = std::is_same_v<T, interval>;

  std::span<double> lower_ends() { return std::span(ends_).subspan(0, z_.size()); }
  std::span<double> upper_ends() { return std::span(ends_).subspan(z_.size(), z_.size()); }
  std::span<double> others_low() { return std::span(ends_).subspan(2 * z_.size(), z_.size()); }
  std::span<double> others_high() { return std::span(ends_).subspan(3 * z_.size(), z_.size()); }

  /// e_k = e^(z_k - shift), where any shift is right; the largest z keeps them finite.
  double exponentials() {
    using std::exp;
    double shift = -infinity;
    for (T const& z : z_) shift = shift < largest(z) ? largest(z) : shift;
    if (!is_finite(shift)) shift = 0;
    for (std::size_t k = 0; k < z_.size(); ++k) e_[k] = exp(z_[k] - T(shift));
    if constexpr (intervals) {
      for (std::size_t k = 0; k < e_.size(); ++k) {
        lower_ends()[k] = e_[k].lower > 0 ? e_[k].lower : 0.0;
        upper_ends()[k] = e_[k].upper;
      }
      sums_without_one(lower_ends(), false, others_low());
      sums_without_one(upper_ends(), true, others_high());
    }
    return shift;
  }

  /// z - log(e^z + others e^shift) for a real number z: increasing in z, decreasing in `others`.
  static interval at_end(double z, double shift, double others) {
    if (!is_finite(z)) return interval::whole();
    if (!is_finite(others)) return {-infinity, 0.0};
    interval const above = interval(z) - shift;
    interval const sum = exp(above) + interval(others);
    return above - log(interval(sum.lower > 0 ? sum.lower : 0.0, sum.upper));
  }

  static double largest(double x) { return x; }
  static double largest(dual x) { return x.value; }
  static double largest(interval x) { return x.upper; }

  std::vector<T> z_;
  std::vector<T> e_;
  std::vector<double> ends_;
};

/// @throws domain_error unless the temperature is positive and finite.
template <class = void>
void require_temperature(std::string_view name, double temperature) {
  if (temperature > 0 && is_finite(temperature)) return;
  sigmax::detail::raise<domain_error>(
      {name, ": temperature is ", short_number(temperature), "; it must be positive and finite"});
}

/// The probabilities softmax(x / temperature) of every fibre, over the box of all x.
template <class = void>
std::vector<interval> probabilities_over(std::span<interval const> box, fibers const& all, double temperature) {
  std::vector<interval> result(box.size());
  softmax_values<interval> values(all.length);
  for (std::size_t f = 0; f < all.count; ++f) {
    values.read(box, all.start(f), all.stride, temperature);
    auto const p = values.probabilities();
    for (std::size_t k = 0; k < all.length; ++k) result[all.start(f) + k * all.stride] = p[k];
  }
  return result;
}

/// >= ||p||_2 for the probabilities p of every fibre, at most 1 = ||p||_1.
template <class = void>
double length_of_probabilities(std::span<interval const> p, fibers const& all) {
  double longest = 0;
  for (std::size_t f = 0; f < all.count; ++f) {
    double sum = 0;
    for (std::size_t k = 0; k < all.length; ++k) {
      double const own = p[all.start(f) + k * all.stride].upper;
      sum = add_up(sum, multiply_up(own, own));
    }
    longest = max_up(longest, sum);
  }
  return min_up(1.0, sqrt_up(longest));
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
