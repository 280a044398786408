// SPDX-License-Identifier: MIT
/// @file
/// The parts of a tensor that softmax and normalisations see one at a time.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/lipschitz/row_norm.hpp>
#include <sigmax/lipschitz/rules/rms_conversion.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::rules {

/// Neighbouring axes, both ends included; negative numbers count from the last axis, which is -1. `groups` splits the
/// first of them into as many equal parts, each of which is taken by itself (group normalisation).
struct axis_range {
  index_t first = -1;
  index_t last = -1;
  index_t groups = 1;
};

/// The fibres of a tensor along an axis_range: element k of fibre f has the position start(f) + k * stride.
struct fibers {
  std::size_t count = 1;
  std::size_t length = 1;
  std::size_t stride = 1;
  /// How many rows (last axes) of the tensor the fibres through one row meet.
  std::size_t rows_met = 1;

  std::size_t start(std::size_t f) const { return f / stride * (stride * length) + f % stride; }
  /// True if every fibre lies in one row.
  bool are_in_rows() const { return stride == 1 && rows_met == 1; }

  /// @throws shape_error if the axes do not exist or the groups do not divide the first of them.
  template <class = void>
  static fibers of(std::string_view name, tensor_shape const& shape, axis_range axes) {
    auto const rank = static_cast<index_t>(shape.size());
    index_t const first = axes.first < 0 ? axes.first + rank : axes.first;
    index_t const last = axes.last < 0 ? axes.last + rank : axes.last;
    if (first < 0 || last < first || last >= rank) {
      sigmax::detail::raise<shape_error>({name, ": axes ", axes.first, " to ", axes.last, " of an input of shape ",
                                          shape_text(shape), "; they must exist, in this order"});
    }
    index_t const split = shape[static_cast<std::size_t>(first)];
    if (axes.groups < 1 || split % axes.groups != 0) {
      sigmax::detail::raise<shape_error>({name, ": axis ", first, " of an input of shape ", shape_text(shape), " in ",
                                          axes.groups, " groups; they must be equal parts"});
    }
    fibers result;
    for (index_t axis = 0; axis < rank; ++axis) {
      auto const extent = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
      if (axis < first || axis > last) result.count *= extent;
      if (axis >= first && axis <= last) result.length *= extent;
      if (axis > last) result.stride *= extent;
    }
    result.count *= static_cast<std::size_t>(axes.groups);
    result.length /= static_cast<std::size_t>(axes.groups);
    if (result.stride == 0) result.stride = 1;
    // Contiguous fibres consist of whole rows, or are parts of one; the others meet a row in one element each, and so
    // they do in `length` rows.
    std::size_t const width = row_norm::row_width(shape);
    result.rows_met = result.stride > 1 ? result.length : result.length > width ? result.length / width : 1;
    if (result.rows_met == 0) result.rows_met = 1;
    return result;
  }

  /// The shape with the axes at extent 1, or without them. @throws as `of`.
  template <class = void>
  static tensor_shape reduced_shape(std::string_view name, tensor_shape const& shape, axis_range axes, bool keep) {
    of(name, shape, axes);
    auto const rank = static_cast<index_t>(shape.size());
    index_t const first = axes.first < 0 ? axes.first + rank : axes.first;
    index_t const last = axes.last < 0 ? axes.last + rank : axes.last;
    tensor_shape result;
    for (index_t axis = 0; axis < rank; ++axis) {
      bool const reduced = axis >= first && axis <= last;
      if (!reduced) result.push_back(shape[static_cast<std::size_t>(axis)]);
      if (reduced && keep) result.push_back(1);
    }
    return result;
  }

  /// The sensitivity in rms of a map that changes every fibre by itself, with constants `l2` and `linf`.
  /// Proof: the fibres through a row r of the output meet m = rows_met rows of the input, so
  /// ||y_r||^2 <= sum of ||y_f||^2 over them <= l2^2 sum of ||x_s||^2 over the m rows <= l2^2 m max ||x_s||^2, and rows
  /// in and out have one width w. Also ||y||_rms <= ||y||_inf <= linf ||x||_inf <= linf sqrt(w) ||x||_rms.
  template <class = void>
  double rms(double l2, double linf, tensor_shape const& shape) const {
    using lipschitz::detail::sqrt_of_ratio_up;
    double const by_length = multiply_up_exact(l2, sqrt_of_ratio_up(static_cast<double>(rows_met), 1.0));
    double const by_largest =
        multiply_up_exact(linf, sqrt_of_ratio_up(static_cast<double>(row_norm::row_width(shape)), 1.0));
    return min_up(by_length, by_largest);
  }

 private:
  static double multiply_up_exact(double a, double b) { return b == 1 ? a : multiply_up(a, b); }
};

namespace detail {

/// out[i] = the sum of all v[k], k != i, rounded up or down. No difference is formed, so small sums stay accurate.
inline void sums_without_one(std::span<double const> v, bool upwards, std::span<double> out) {
  auto const add = [upwards](double a, double b) { return upwards ? add_up(a, b) : add_down(a, b); };
  double before = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    out[i] = before;
    before = add(before, v[i]);
  }
  double behind = 0;
  for (std::size_t i = v.size(); i-- > 0;) {
    out[i] = add(out[i], behind);
    behind = add(behind, v[i]);
  }
}

/// >= a / b, b > 0, and equal where that is a double: 1 / (2 T) for temperatures that are powers of two.
inline double quotient_up(double a, double b) {
  double const q = a / b;
  bool const exact = q > 0x1p-900 && q < 0x1p900 && std::fma(q, b, -a) == 0;
  return exact ? q : divide_up(a, b);
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::rules
