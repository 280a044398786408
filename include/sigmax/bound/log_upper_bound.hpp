// SPDX-License-Identifier: MIT
/// @file
/// A proven upper bound with an exponent of its own, for products of many layers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sigmax/bound/assumptions.hpp>
#include <sigmax/bound/extended.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/config.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// ||f||_Op <= extended_value(), proven, with mantissa and 64-bit exponent. Made like upper_bound, and from one.
template <class Op>
class log_upper_bound {
 public:
  using op = Op;

  /// The same bound with room to grow.
  log_upper_bound(upper_bound<Op> const& bound) : value_(bound.value()), rests_on_(bound.rests_on()) {}

  extended const& extended_value() const { return value_; }
  bool is_finite() const { return !value_.is_infinite(); }
  /// The least double >= the bound; +infinity beyond the range of double.
  double value() const { return value_.to_double_up(); }
  /// >= log10 of the bound.
  double log10() const { return value_.log10_up(); }
  /// A decimal >= the bound, however large.
  std::string decimal() const { return value_.to_decimal_up(); }
  assumptions const& rests_on() const { return rests_on_; }

  /// ||f o g|| <= ||f|| ||g||.
  template <class In>
  friend log_upper_bound<sigmax::op<In, typename Op::out>> operator*(
      log_upper_bound const& outer, log_upper_bound<sigmax::op<In, typename Op::in>> const& inner) {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(In);
    return detail::proof::log_upper<sigmax::op<In, typename Op::out>>(outer.extended_value() * inner.extended_value(),
                                                                      merged(outer.rests_on(), inner.rests_on()));
  }

  /// ||f + g|| <= ||f|| + ||g||.
  friend log_upper_bound operator+(log_upper_bound const& a, log_upper_bound const& b) {
    SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(Op);
    return detail::proof::log_upper<Op>(a.value_ + b.value_, merged(a.rests_on_, b.rests_on_));
  }

  /// Two proofs of one quantity: the smaller number holds; of equal ones the one that rests on less.
  friend log_upper_bound tighter(log_upper_bound const& a, log_upper_bound const& b) {
    bool const tie = a.value_ == b.value_ && b.rests_on_.empty();
    return b.value_ < a.value_ || tie ? b : a;
  }
  /// A bound of both: the larger number.
  friend log_upper_bound larger(log_upper_bound const& a, log_upper_bound const& b) {
    return detail::proof::log_upper<Op>(a.value_ < b.value_ ? b.value_ : a.value_, merged(a.rests_on_, b.rests_on_));
  }

 private:
  friend struct detail::proof;
  log_upper_bound(extended const& value, assumptions rests_on) : value_(value), rests_on_(std::move(rests_on)) {}

  extended value_;
  assumptions rests_on_;
};

}  // namespace sigmax::inline SIGMAX_ABI
