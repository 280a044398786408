// SPDX-License-Identifier: MIT
/// @file
/// How a composition of odd polynomials is carried out on a matrix, and what that costs.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Where the steps of a schedule are evaluated.
enum class polynomial_form : unsigned char {
  /// Gram form where it saves work and its rounding error stays within `plan_options::gram_error`.
  automatic,
  /// Every step forms X X^T and multiplies X. The most accurate form, for every scalar.
  standard,
  /// X X^T is formed once a segment; its steps run on short x short matrices alone.
  gram
};

/// What the choice depends on besides the shape and the schedule.
struct plan_options {
  polynomial_form form = polynomial_form::automatic;
  /// Bound of the relative error that rounding X X^T may cause in the smallest singular values: with slope s, the
  /// product of p_t'(0) over the steps of a segment, it is about u s^2 at singular values of 1 / s. A segment ends
  /// before it would be exceeded (polynomials.md 2.6, 4.2 has the measurements behind this).
  double gram_error = 0.05;
  /// u of the scalar the products are computed in.
  double unit_roundoff = 0x1p-24;
};

/// The plan: step t starts a segment (forms X X^T from X) where `starts_segment[t]`.
struct polynomial_plan {
  index_t short_side = 0;
  index_t long_side = 0;
  int steps = 0;
  bool starts_segment[polynomial_schedule::capacity] = {};
  int segments = 0;
  /// FLOPs in units of short_side^3 where symmetric results cost half (polynomials.md 4.1), and of the standard form.
  double units = 0;
  double standard_units = 0;

  double flops() const {
    auto const m = static_cast<double>(short_side);
    return units * m * m * m;
  }
  /// One line for people: shape, form, segments, cost. A template, so that who does not print does not compile it.
  template <class Stream>
  friend Stream& operator<<(Stream& out, polynomial_plan const& plan) {
    out << plan.short_side << " x " << plan.long_side << ": " << plan.steps << " steps in ";
    if (plan.segments == plan.steps) {
      out << "standard form";
    } else {
      out << "Gram form, X X^T before step";
      for (int t = 0; t < plan.steps; ++t) {
        if (plan.starts_segment[t]) out << (t == 0 ? " " : ", ") << t + 1;
      }
    }
    out << "; " << plan.units << " units of m^3 FLOPs (standard form: " << plan.standard_units << "), " << plan.flops()
        << " FLOPs";
    return out;
  }
};

namespace detail {

/// Symmetric products beyond A = X X^T that c_1 A + c_2 A^2 + ... takes (polynomials.md 2.5).
constexpr int symmetric_products(int terms) { return terms <= 2 ? 0 : terms == 3 ? 1 : 2; }

/// Units of a plan: a segment takes the Gram matrix (a) and the product with X (2a); each of its steps the symmetric
/// products of its polynomial, 1 to update Q unless it is the first, 2 to update R unless it is the last.
template <class Steps>
double plan_units(Steps const& steps, int count, bool const* starts, double aspect) {
  double units = 0;
  for (int t = 0; t < count; ++t) {
    bool const last = t + 1 == count || starts[t + 1];
    units += (starts[t] ? 3 * aspect : 1.0) + (last ? 0.0 : 2.0) + symmetric_products(steps[t].terms());
  }
  return units;
}

}  // namespace detail

/// The plan for a rows x cols matrix.
/// @throws shape_error for negative extents, domain_error unless gram_error and unit_roundoff are positive numbers.
template <class Steps = polynomial_schedule>
polynomial_plan plan_polynomial(index_t rows, index_t cols, Steps const& schedule, plan_options const& options = {}) {
  if (rows < 0 || cols < 0) {
    detail::raise<shape_error>({"plan_polynomial: shape is ", rows, " x ", cols, "; extents must not be negative"});
  }
  if (!(options.gram_error > 0) || !(options.unit_roundoff > 0)) {
    detail::raise<domain_error>({"plan_polynomial: gram_error is ", options.gram_error, " and unit_roundoff ",
                                 options.unit_roundoff, "; both must be above 0"});
  }
  polynomial_plan plan;
  plan.short_side = rows < cols ? rows : cols;
  plan.long_side = rows < cols ? cols : rows;
  plan.steps = schedule.size();
  double const aspect =
      plan.short_side > 0 ? static_cast<double>(plan.long_side) / static_cast<double>(plan.short_side) : 1.0;
  bool standard[polynomial_schedule::capacity] = {};
  double slope = 0;
  for (int t = 0; t < plan.steps; ++t) {
    standard[t] = true;
    double const own = schedule[t][0] < 0 ? -schedule[t][0] : schedule[t][0];
    bool const fits = options.form == polynomial_form::gram ||
                      (options.form == polynomial_form::automatic &&
                       options.unit_roundoff * (slope * own) * (slope * own) <= options.gram_error);
    plan.starts_segment[t] = t == 0 || !fits;
    slope = plan.starts_segment[t] ? own : slope * own;
  }
  plan.standard_units = detail::plan_units(schedule, plan.steps, standard, aspect);
  plan.units = detail::plan_units(schedule, plan.steps, plan.starts_segment, aspect);
  if (options.form == polynomial_form::automatic && !(plan.units < 0.98 * plan.standard_units)) {
    for (int t = 0; t < plan.steps; ++t) plan.starts_segment[t] = true;
    plan.units = plan.standard_units;
  }
  for (int t = 0; t < plan.steps; ++t) plan.segments += plan.starts_segment[t] ? 1 : 0;
  return plan;
}

}  // namespace sigmax::inline SIGMAX_ABI
