// SPDX-License-Identifier: MIT
/// @file
/// Resize, Upsample: interpolation by explicit matrices, one an axis, whose weights are exact quotients.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/bound/interval.hpp>
#include <sigmax/config.hpp>
#include <sigmax/io/onnx/operation.hpp>
#include <sigmax/io/onnx/operators/selection.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/axis_matrix.hpp>

namespace sigmax::inline SIGMAX_ABI::io::onnx_detail {

/// numerator / denominator > 0 in integers small enough for all that follows.
struct ratio {
  std::int64_t numerator;
  std::int64_t denominator;
};

/// How an output position is found in the input.
struct interpolation {
  bool linear = false;
  std::string coordinates = "half_pixel";
  std::string nearest = "round_prefer_floor";
};

/// The input coordinate of output position i as a quotient of integers. `scale` is outputs per input, extents count
/// positions.
inline ratio source_of(operation const& op, index_t i, interpolation const& how, ratio scale, index_t in, index_t out) {
  std::int64_t const p = scale.numerator;
  std::int64_t const q = scale.denominator;
  auto const x = static_cast<std::int64_t>(i);
  if (how.coordinates == "asymmetric") return {x * q, p};
  if (how.coordinates == "align_corners") return out == 1 ? ratio{0, 1} : ratio{x * (in - 1), out - 1};
  if (how.coordinates == "pytorch_half_pixel" && out == 1) return {0, 1};
  if (how.coordinates == "half_pixel" || how.coordinates == "pytorch_half_pixel") return {(2 * x + 1) * q - p, 2 * p};
  op.refuse("the coordinate transformation " + in_quotes(how.coordinates) + " is not supported");
}

inline std::int64_t floor_of(ratio r) {
  std::int64_t const quotient = r.numerator / r.denominator;
  return r.numerator % r.denominator < 0 ? quotient - 1 : quotient;
}

/// One row of the matrix of an axis.
inline std::vector<lipschitz::rules::axis_matrix::element> interpolated(operation const& op, ratio at,
                                                                        interpolation const& how, index_t in) {
  auto const inside = [&](std::int64_t position) {
    return static_cast<index_t>(position < 0 ? 0 : position >= in ? in - 1 : position);
  };
  std::int64_t const below = floor_of(at);
  std::int64_t const rest = at.numerator - below * at.denominator;  // of at.denominator
  if (!how.linear) {
    // Programs that compute in float take another element just beside a border that is not hit exactly.
    double const part = static_cast<double>(rest) / static_cast<double>(at.denominator);
    bool const rounds = how.nearest != "floor" && how.nearest != "ceil";
    double const border = rounds ? 0.5 : part < 0.5 ? 0.0 : 1.0;
    bool const hit = rounds ? 2 * rest == at.denominator : rest == 0;
    if (!hit && std::fabs(part - border) < 1e-6 * (1 + std::fabs(static_cast<double>(below)))) {
      op.refuse("an element lies so near the border of two that programs differ; export the model with sizes");
    }
    std::int64_t chosen = below;
    if (how.nearest == "ceil") {
      chosen = rest > 0 ? below + 1 : below;
    } else if (how.nearest == "round_prefer_floor") {
      chosen = 2 * rest > at.denominator ? below + 1 : below;
    } else if (how.nearest == "round_prefer_ceil") {
      chosen = 2 * rest >= at.denominator ? below + 1 : below;
    } else if (how.nearest != "floor") {
      throw format_error(op.where + ": attribute 'nearest_mode' is " + in_quotes(how.nearest));
    }
    return {{inside(chosen), 1.0}};
  }
  index_t const left = inside(below);
  index_t const right = inside(below + 1);
  if (rest == 0 || left == right) return {{rest == 0 ? left : right, 1.0}};
  interval const whole(static_cast<double>(at.denominator));
  return {{left, interval(static_cast<double>(at.denominator - rest)) / whole},
          {right, interval(static_cast<double>(rest)) / whole}};
}

/// A stored scale as a quotient; every float and double is one. @throws unsupported_error if it is too fine.
inline ratio ratio_of(operation const& op, double scale) {
  std::int64_t denominator = 1;
  while (denominator < (std::int64_t{1} << 26) && scale != std::floor(scale)) {
    scale *= 2;
    denominator *= 2;
  }
  if (!(scale >= 1) || !(scale < 0x1p30) || scale != std::floor(scale)) {
    op.refuse("a scale is too large, too small or too fine to be computed with exactly");
  }
  return {static_cast<std::int64_t>(scale), denominator};
}

/// Resizes axis after axis; an axis whose extent stays and whose scale is 1 is left alone.
inline graph_value resized(operation& op, std::vector<ratio> const& scales, tensor_shape const& to,
                           interpolation const& how) {
  int const type = data_type_of(op.input(0));
  if (!is_real_type(type)) op.refuse("the input is of type " + data_type_name(type) + "; it must be real");
  tensor_shape const shape = op.shape(0);
  require_usable(to, op.where + ": the result");
  std::vector<lipschitz::rules::along_axes::step> steps;
  axis_tables tables(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    static constexpr index_t most = index_t{1} << 26;
    if (to[axis] < 1) op.refuse("the result has no elements");
    if (to[axis] > most || shape[axis] > most) op.refuse("an axis is too long");
    op.graph.budget().charge(to[axis], 64, op.where + ": an axis");
    lipschitz::rules::axis_matrix matrix(shape[axis]);
    bool const same = scales[axis].numerator == scales[axis].denominator && to[axis] == shape[axis];
    for (index_t i = 0; i < to[axis]; ++i) {
      ratio const at = same ? ratio{i, 1} : source_of(op, i, how, scales[axis], shape[axis], to[axis]);
      auto const row = interpolated(op, at, how, shape[axis]);
      tables[axis].push_back(row.front().col);
      if (how.linear && !same) matrix.add_row(row);
    }
    if (how.linear && !same) steps.push_back({shape.size() - 1 - axis, std::move(matrix)});
  }
  if (!how.linear) return op.graph.select(op.input(0), std::move(tables), "resize", op.name);
  if (steps.empty()) return op.input(0);
  node_id const node = op.graph.node_of(op.input(0));
  return computed{op.graph.add(lipschitz::rules::along_axes(std::move(steps), "resize"), {node}, op.name), type};
}

inline interpolation read_mode(operation& op) {
  interpolation result;
  std::string const mode = op.attributes.text("mode").value_or("nearest");
  result.linear = mode == "linear" || (op.opset < 9 && mode == "bilinear");
  if (!result.linear && mode != "nearest") op.refuse("the interpolation " + in_quotes(mode) + " is not supported");
  return result;
}

/// The scales of input `i`, one an axis (of `axes`, or all); extents are rounded down.
inline void read_scales(operation& op, std::vector<double> const& given, std::vector<std::size_t> const& axes,
                        std::vector<ratio>& scales, tensor_shape& to) {
  if (given.size() != axes.size()) {
    throw format_error(op.where + ": " + std::to_string(given.size()) + " scales for " + std::to_string(axes.size()) +
                       " axes");
  }
  for (std::size_t k = 0; k < axes.size(); ++k) {
    ratio const scale = ratio_of(op, given[k]);
    index_t count = 0;
    if (__builtin_mul_overflow(op.shape(0)[axes[k]], static_cast<index_t>(scale.numerator), &count)) {
      op.refuse("an axis is too long");
    }
    scales[axes[k]] = scale;
    to[axes[k]] = count / static_cast<index_t>(scale.denominator);
  }
}

inline std::vector<std::size_t> all_axes(std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  return axes;
}

inline std::vector<double> scale_numbers(operation const& op, std::size_t i) {
  if (!is_constant(op.input(i))) op.refuse("the scales are computed; they must be constant");
  return op.graph.doubles(as_constant(op.input(i)));
}

inline graph_value import_upsample(operation& op) {
  interpolation how = read_mode(op);
  how.coordinates = "asymmetric";
  how.nearest = "floor";
  if (op.opset < 7) op.refuse("operator set " + std::to_string(op.opset) + " is not supported; 7 and later are");
  std::vector<double> given;
  if (op.opset < 9) {
    op.expect_inputs(1, 1);
    for (float const scale : op.attributes.reals("scales").value_or(std::vector<float>{}))
      given.push_back(double{scale});
  } else {
    op.expect_inputs(2, 2);
    given = scale_numbers(op, 1);
  }
  std::size_t const rank = op.shape(0).size();
  std::vector<ratio> scales(rank, {1, 1});
  tensor_shape to = op.shape(0);
  read_scales(op, given, all_axes(rank), scales, to);
  return resized(op, scales, to, how);
}

inline graph_value import_resize(operation& op) {
  interpolation how = read_mode(op);
  std::size_t const rank = op.shape(0).size();
  auto axes = all_axes(rank);
  std::vector<ratio> scales(rank, {1, 1});
  tensor_shape to = op.shape(0);
  if (op.opset < 11) {
    how.coordinates = "asymmetric";
    how.nearest = "floor";
    op.expect_inputs(2, 2);
    read_scales(op, scale_numbers(op, 1), axes, scales, to);
    return resized(op, scales, to, how);
  }
  op.expect_inputs(1, 4);
  how.coordinates = op.attributes.text("coordinate_transformation_mode").value_or("half_pixel");
  how.nearest = op.attributes.text("nearest_mode").value_or("round_prefer_floor");
  op.attributes.ignore("cubic_coeff_a");
  op.attributes.ignore("exclude_outside");      // of cubic interpolation
  op.attributes.ignore("extrapolation_value");  // of tf_crop_and_resize, which is refused
  if (op.opset >= 18 && op.attributes.flag("antialias", false)) op.refuse("antialias is not supported");
  if (op.opset >= 18) {
    if (auto const policy = op.attributes.text("keep_aspect_ratio_policy"); policy && *policy != "stretch") {
      op.refuse("keep_aspect_ratio_policy " + in_quotes(*policy) + " is not supported");
    }
    if (auto const given = op.attributes.integers("axes")) {
      axes.clear();
      for (std::int64_t const axis : *given) axes.push_back(checked_axis(axis, rank, op.where));
    }
  }
  graph_value const* const by_scale = op.optional_input(2);
  graph_value const* const by_size = op.optional_input(3);
  if (by_size != nullptr) {
    auto const& sizes = op.integers(3, "the list of sizes");
    if (sizes.size() != axes.size()) throw format_error(op.where + ": the sizes do not fit the axes");
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (sizes[k] < 1 || sizes[k] > (std::int64_t{1} << 26)) {
        throw format_error(op.where + ": a size is " + std::to_string(sizes[k]));
      }
      to[axes[k]] = static_cast<index_t>(sizes[k]);
      scales[axes[k]] = {sizes[k], static_cast<std::int64_t>(op.shape(0)[axes[k]])};
    }
  } else if (by_scale != nullptr) {
    read_scales(op, scale_numbers(op, 2), axes, scales, to);
  } else {
    throw format_error(op.where + ": neither scales nor sizes are given");
  }
  return resized(op, scales, to, how);
}

}  // namespace sigmax::inline SIGMAX_ABI::io::onnx_detail
