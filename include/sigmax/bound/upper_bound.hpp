// SPDX-License-Identifier: MIT
/// @file
/// A proven upper bound of an operator norm, as a type that only proofs can make.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>

namespace sigmax::inline SIGMAX_ABI {

template <class Op>
class upper_bound;
template <class Op>
class log_upper_bound;
template <class Op>
class enclosure;

namespace detail {

/// The only maker of bounds. A function that calls it states in its own comment why the number is a bound.
struct proof {
  template <class Op>
  static upper_bound<Op> upper(double value) {
    return upper_bound<Op>(value, {});
  }
  template <class Op>
  static upper_bound<Op> upper(double value, assumptions rests_on) {
    return upper_bound<Op>(value, std::move(rests_on));
  }
  template <class Op, class Extended>
  static log_upper_bound<Op> log_upper(Extended const& value, assumptions rests_on = {}) {
    return log_upper_bound<Op>(value, std::move(rests_on));
  }
  template <class Op>
  static enclosure<Op> between(double lower, double upper) {
    return enclosure<Op>(lower, upper);
  }
};

}  // namespace detail

/// ||f||_Op <= value(), proven, rounding included. There is no way from a double to this type: bounds come from
/// `certified_*` functions, from composition of bounds, or from `trust`, which leaves its mark.
template <class Op>
class upper_bound {
 public:
  using op = Op;

  /// The number; +infinity where nothing finite could be proved. Never NaN, never negative.
  double value() const { return value_; }
  bool is_finite() const { return sigmax::is_finite(value_); }
  /// Empty if the bound is proved outright, else the reasons given to `trust`.
  assumptions const& rests_on() const { return rests_on_; }

  /// ||f o g|| <= ||f|| ||g||, where g maps into the norm f maps from.
  template <class In>
  friend upper_bound<sigmax::op<In, typename Op::out>> operator*(
      upper_bound const& outer, upper_bound<sigmax::op<In, typename Op::in>> const& inner) {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(In);
    return detail::proof::upper<sigmax::op<In, typename Op::out>>(multiply_up(outer.value(), inner.value()),
                                                                  merged(outer.rests_on(), inner.rests_on()));
  }

  /// ||f + g|| <= ||f|| + ||g|| (triangle inequality).
  friend upper_bound operator+(upper_bound const& a, upper_bound const& b) {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Op);
    return detail::proof::upper<Op>(add_up(a.value_, b.value_), merged(a.rests_on_, b.rests_on_));
  }

  /// Two proofs of one quantity: the smaller number holds; of equal ones the one that rests on less.
  friend upper_bound tighter(upper_bound const& a, upper_bound const& b) {
    bool const tie = a.value_ == b.value_ && b.rests_on_.empty();
    return b.value_ < a.value_ || tie ? b : a;
  }

 private:
  friend struct detail::proof;
  upper_bound(double value, assumptions rests_on)
      : value_(is_nan(value) || value < 0 ? infinity : value), rests_on_(std::move(rests_on)) {}

  double value_;
  assumptions rests_on_;
};

/// Takes a number for a bound on the caller's word. Every certificate that uses it is marked conditional and prints
/// the reason. @throws domain_error if the value is negative or NaN, or the reason is empty.
template <class Op>
upper_bound<Op> trust(double value, std::string reason) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Op);
  if (is_nan(value) || value < 0) {
    detail::raise<domain_error>({"trust: value is ", value, "; a norm's bound must be a number >= 0"});
  }
  if (reason.empty()) detail::raise<domain_error>({"trust: reason is empty; say why the bound may be believed"});
  return detail::proof::upper<Op>(value, assumptions(std::move(reason)));
}

}  // namespace sigmax::inline SIGMAX_ABI
