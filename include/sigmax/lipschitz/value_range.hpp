// SPDX-License-Identifier: MIT
/// @file
/// What is known of the elements of one value of a network over the domain of a certificate.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz {

/// Where the value of a node lies while the input moves over the domain. A row is the last axis: a token's features.
/// Every member is a proven statement; "nothing known" is always true.
struct value_range {
  /// One enclosure an element, row-major; empty where nothing is known of the elements.
  std::vector<interval> box;
  /// The value at the centre of the domain, enclosed; empty without a domain.
  std::vector<interval> centre;
  /// >= the Euclidean length of every row.
  double longest_row = infinity;
  /// >= the Euclidean distance of every row from the same row at the centre.
  double row_distance = infinity;

  bool knows_elements() const { return !box.empty(); }
  /// True if nothing at all is known.
  bool is_unknown() const { return box.empty() && !is_finite(longest_row); }
};

namespace detail {

/// >= ||r||_2 for every r in the row of intervals.
inline double row_length_up(std::span<interval const> row) {
  double sum = 0;
  for (interval const x : row) sum = add_up(sum, multiply_up(x.magnitude(), x.magnitude()));
  return sqrt_up(sum);
}

/// The longest row of a tensor of intervals, rows of `width` elements.
inline double longest_row_up(std::span<interval const> values, std::size_t width) {
  double longest = 0;
  for (std::size_t i = 0; i + width <= values.size(); i += width) {
    longest = max_up(longest, row_length_up(values.subspan(i, width)));
  }
  return longest;
}

/// The part of `a` within `reach` of a point of `around`. Both are known to hold the same number, so they meet.
inline interval within(interval a, interval around, double reach) {
  interval const allowed = around + interval(-reach, reach);
  double const lower = a.lower > allowed.lower ? a.lower : allowed.lower;
  double const upper = a.upper < allowed.upper ? a.upper : allowed.upper;
  return lower <= upper ? interval(lower, upper) : a;
}

/// Lets what is known of one member sharpen the others. Proofs: |v_i - c_i| <= ||row(v - c)||, |v_i| <= ||row(v)||, and
/// the triangle inequality for rows.
template <class = void>
void sharpen(value_range& range, tensor_shape const& shape) {
  std::size_t const width = row_norm::row_width(shape);
  if (!range.centre.empty()) {
    double const longest = longest_row_up(range.centre, width);
    range.longest_row = min_up(range.longest_row, add_up(longest, range.row_distance));
    range.row_distance = min_up(range.row_distance, add_up(longest, range.longest_row));
  }
  bool const centred = !range.centre.empty() && is_finite(range.row_distance);
  if (range.box.empty() && (centred || is_finite(range.longest_row))) {
    range.box.assign(static_cast<std::size_t>(element_count(shape)), interval::whole());
  }
  for (std::size_t i = 0; i < range.box.size(); ++i) {
    if (centred) range.box[i] = within(range.box[i], range.centre[i], range.row_distance);
    if (is_finite(range.longest_row)) range.box[i] = within(range.box[i], 0.0, range.longest_row);
  }
  if (range.box.empty()) return;
  range.longest_row = min_up(range.longest_row, longest_row_up(range.box, width));
  if (range.centre.empty()) return;
  double farthest = 0;
  for (std::size_t i = 0; i + width <= range.box.size(); i += width) {
    double sum = 0;
    for (std::size_t k = i; k < i + width; ++k) {
      double const step = (range.box[k] - range.centre[k]).magnitude();
      sum = add_up(sum, multiply_up(step, step));
    }
    farthest = max_up(farthest, sqrt_up(sum));
  }
  range.row_distance = min_up(range.row_distance, farthest);
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz
