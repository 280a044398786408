// SPDX-License-Identifier: MIT
/// @file
/// A composition of odd polynomials with the interval it is made for.
#pragma once

#include <initializer_list>

#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/odd_polynomial.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// p = p_T o ... o p_1, applied to singular values in [0, upper()]. A value type that can be a constant expression.
///
/// What it states about itself: p([lower, upper]) lies in [least, greatest], and p([0, upper]) in [min(0, least),
/// greatest]. For presets both are proved by tests with interval arithmetic; `range` proves the same of any schedule
/// on any interval, at run time.
class polynomial_schedule {
 public:
  static constexpr int capacity = 32;

  /// No step: p(x) = x.
  constexpr polynomial_schedule() = default;

  /// @throws domain_error for more than 32 steps.
  constexpr polynomial_schedule(char const* name, std::initializer_list<odd_polynomial<>> steps) : name_(name) {
    for (auto const& step : steps) append(step);
  }

  constexpr char const* name() const { return name_; }
  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  /// Step t, 0 <= t < size().
  constexpr odd_polynomial<> const& operator[](int t) const { return steps_[t]; }
  constexpr odd_polynomial<> const* begin() const { return steps_; }
  constexpr odd_polynomial<> const* end() const { return steps_ + size_; }

  /// The singular values the schedule is made for: from `lower` on they reach the image, above `upper` nothing is said.
  constexpr double lower() const { return lower_; }
  constexpr double upper() const { return upper_; }
  /// p([lower, upper]) lies in [least, greatest].
  constexpr double least() const { return least_; }
  constexpr double greatest() const { return greatest_; }

  /// p(x).
  template <class X>
  constexpr X operator()(X x) const {
    for (int t = 0; t < size_; ++t) x = steps_[t](x);
    return x;
  }

  /// p'(0): how much the smallest singular values grow.
  constexpr double slope() const {
    double product = 1;
    for (int t = 0; t < size_; ++t) product *= steps_[t][0];
    return product;
  }

  /// @throws domain_error if there are 32 steps.
  constexpr void append(odd_polynomial<> const& step) {
    if (size_ == capacity) detail::raise<domain_error>({"polynomial_schedule: at most 32 steps are supported"});
    steps_[size_++] = step;
  }

  /// The same steps with another statement. The caller answers for it.
  constexpr polynomial_schedule stating(double lower, double upper, double least, double greatest) const {
    polynomial_schedule result = *this;
    result.lower_ = lower;
    result.upper_ = upper;
    result.least_ = least;
    result.greatest_ = greatest;
    return result;
  }

 private:
  odd_polynomial<> steps_[capacity] = {};
  int size_ = 0;
  char const* name_ = "identity";
  double lower_ = 0;
  double upper_ = 1;
  double least_ = 0;
  double greatest_ = 1;
};

}  // namespace sigmax::inline SIGMAX_ABI
