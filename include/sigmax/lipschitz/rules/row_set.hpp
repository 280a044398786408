// SPDX-License-Identifier: MIT
/// @file
/// Where the rows of one matrix lie: balls around points, and one ball that holds all rows.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/lipschitz/value_range.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail {

/// The norm of rows: sum of absolute values, Euclidean length, largest absolute value.
enum class row_measure : unsigned char { sum, length, largest };

/// Adds up a norm element by element, rounded upwards.
class row_measurer {
 public:
  explicit row_measurer(row_measure kind) : kind_(kind) {}
  void add(double magnitude) {
    if (kind_ == row_measure::largest) {
      total_ = max_up(total_, magnitude);
    } else {
      total_ = add_up(total_, kind_ == row_measure::sum ? magnitude : multiply_up(magnitude, magnitude));
    }
  }
  double result() const { return kind_ == row_measure::length ? sqrt_up(total_) : total_; }

 private:
  row_measure kind_;
  double total_ = 0;
};

/// The rows of matrix number `which` of a value, in one norm of rows. Every member is proven; infinity where nothing is
/// known. Points are chosen freely (they are plain doubles), distances from them are rounded upwards.
struct row_set {
  row_measure kind = row_measure::length;
  std::size_t rows = 0;
  std::size_t width = 0;
  /// rows x width: a point for each row.
  std::vector<double> middle;
  /// >= the distance of row j from its point.
  std::vector<double> radius;
  /// >= the norm of row j.
  std::vector<double> size;
  /// >= the norm of every row.
  double largest = infinity;
  /// >= the distance of every row from one fixed point.
  double spread = infinity;

  std::span<double const> point(std::size_t j) const { return {middle.data() + j * width, width}; }

  /// >= the distance of row j from `from`: triangle inequality over the point of row j. The sums are formed to nearest;
  /// proof of the correction: each difference has a relative error of u, sums of squares (w + 1 more roundings) one of
  /// gamma_(w + 3) at most, squares that underflow lose w eta.
  double distance(std::size_t j, std::span<double const> from) const {
    double total = 0;
    for (std::size_t f = 0; f < width; ++f) {
      double const step = std::fabs(middle[j * width + f] - from[f]);
      total = kind == row_measure::largest ? (total < step ? step : total)
              : kind == row_measure::sum   ? total + step
                                           : total + step * step;
    }
    if (is_nan(total)) return infinity;
    double const count = static_cast<double>(width);
    total = divide_up(add_up(total, multiply_up(count, double_underflow)), subtract_down(1.0, gamma_up(count + 3)));
    return add_up(kind == row_measure::length ? sqrt_up(total) : total, radius[j]);
  }

  /// >= the distance of every row from `from`.
  double farthest(std::span<double const> from) const {
    double result = 0;
    for (std::size_t j = 0; j < rows; ++j) result = max_up(result, distance(j, from));
    return result;
  }
};

/// The rows of matrix number `which`, rows x width, of a value of which `range` is known; null is nothing.
template <class = void>
row_set row_set_of(value_range const* range, std::size_t which, std::size_t rows, std::size_t width, row_measure kind) {
  row_set result;
  result.kind = kind;
  result.rows = rows;
  result.width = width;
  result.middle.assign(rows * width, 0.0);
  result.radius.assign(rows, infinity);
  result.size.assign(rows, infinity);
  if (range == nullptr || range->box.empty()) return result;
  std::span<interval const> const box(range->box.data() + which * rows * width, rows * width);
  std::span<interval const> centre;
  if (!range->centre.empty() && kind == row_measure::length) {
    centre = {range->centre.data() + which * rows * width, rows * width};
  }
  // The fixed point of the hull of all rows serves the spread below.
  std::vector<double> fixed(width);
  for (std::size_t f = 0; f < width; ++f) {
    interval all = box[f];
    for (std::size_t j = 1; j < rows; ++j) all = hull(all, box[j * width + f]);
    fixed[f] = all.middle();
  }
  double around_hull = 0;
  result.largest = 0;
  for (std::size_t j = 0; j < rows; ++j) {
    row_measurer half(kind);
    row_measurer all(kind);
    row_measurer from_fixed(kind);
    row_measurer from_centre(kind);
    for (std::size_t f = 0; f < width; ++f) {
      interval const x = box[j * width + f];
      result.middle[j * width + f] = x.middle();
      half.add((x - interval(x.middle())).magnitude());
      all.add(x.magnitude());
      from_fixed.add((x - interval(fixed[f])).magnitude());
      if (!centre.empty()) {
        interval const c = centre[j * width + f];
        from_centre.add((c - interval(c.middle())).magnitude());
      }
    }
    result.radius[j] = half.result();
    result.size[j] = all.result();
    if (kind != row_measure::sum) {
      result.size[j] = min_up(result.size[j], range->longest_row);
    } else {
      // ||r||_1 <= sqrt(w) ||r||_2.
      result.size[j] = min_up(result.size[j], multiply_up(sqrt_up(static_cast<double>(width)), range->longest_row));
    }
    double const around_centre = centre.empty() ? infinity : add_up(from_centre.result(), range->row_distance);
    if (around_centre < result.radius[j]) {
      result.radius[j] = around_centre;
      for (std::size_t f = 0; f < width; ++f) result.middle[j * width + f] = centre[j * width + f].middle();
    }
    result.largest = max_up(result.largest, result.size[j]);
    around_hull = max_up(around_hull, min_up(from_fixed.result(), result.distance(j, fixed)));
  }
  result.spread = min_up(result.largest, around_hull);  // around 0, around the middle of the hull
  if (!is_finite(result.spread) || rows == 0) return result;
  // A better fixed point: steps towards the farthest row (Badoiu and Clarkson 2003). Any point will do.
  for (int step = 1; step <= 12; ++step) {
    std::size_t farthest = 0;
    double distance = -1;
    for (std::size_t j = 0; j < rows; ++j) {
      double const own = result.distance(j, fixed);
      if (own > distance) {
        distance = own;
        farthest = j;
      }
    }
    result.spread = min_up(result.spread, distance);
    for (std::size_t f = 0; f < width; ++f) {
      fixed[f] += (result.middle[farthest * width + f] - fixed[f]) / (step + 1.0);
    }
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules::detail
