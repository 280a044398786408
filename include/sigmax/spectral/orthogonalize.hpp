// SPDX-License-Identifier: MIT
/// @file
/// All singular values to 1.
#pragma once

#include <cmath>
#include <utility>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/minimax.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/plan.hpp>
#include <sigmax/spectral/polar_iteration.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// How the singular values are brought into the domain of a schedule.
enum class normalization : unsigned char {
  /// Divide by a bound of ||X||_2 that the first step's own matrices give at no extra product: Wolkowicz and Styan's of
  /// X X^T, or of (X X^T)^2 where the step forms that too. 1 to 1.4 times ||X||_2 as a rule.
  gram,
  /// Divide by ||X||_F, as published.
  frobenius
};

/// Options of `orthogonalize`.
struct orthogonalize_options {
  /// Applied as it is. Empty: iterate to the polar factor in working precision.
  polynomial_schedule schedule = {};
  /// For a schedule: how X is scaled into its domain.
  normalization normalize_by = normalization::gram;
  /// For a schedule: standard or Gram form, and the error the choice may cost (see plan_options).
  polynomial_form form = polynomial_form::automatic;
  double gram_error = 0.05;
  /// Without a schedule: 0 iterates to working precision; else the cheapest generated schedule is taken that brings the
  /// singular values to within `tolerance` of 1, in [0, 1).
  double tolerance = 0;
  /// Without a schedule: singular values from `smallest` times the largest on reach 1; 0 stands for unit roundoff. What
  /// is below it (rounding noise of a rank-deficient matrix, say) ends between 0 and 1 (1 + tolerance).
  double smallest = 0;
  /// With a tolerance: those from this share of ||W||_F on, which is what published schedules promise. Matrices of high
  /// rank have no singular value near ||W||_F, so that fewer steps keep this promise. 0: no such promise.
  double smallest_share = 0;
  /// Where the plan of a schedule, given or generated, is written. Not for batches, which have many.
  polynomial_plan* plan = nullptr;
  /// The result is multiplied by this.
  double scale = 1;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

namespace detail {

template <real T>
plan_options plan_options_for(polynomial_form form, double gram_error) {
  return {form, gram_error, static_cast<double>(unit_roundoff<T>())};
}

/// X <- p(X / s) for s >= ||X||_2 by `normalize_by`. What a domain beyond 1 allows is left to rounding: a safety margin.
template <class B, real T>
void orthogonalize_by_schedule(B const& on, polynomial_schedule const& schedule, orthogonalize_options const& options,
                               gram_buffers_on<B, T>& b, matrix_view_on<B, T>& x, matrix_view_on<B, T>& y,
                               polynomial_plan& plan) {
  using std::sqrt;
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  for (int t = 0; t < schedule.size(); ++t) steps[t] = schedule[t].template cast<T>();
  plan = plan_polynomial(x.rows(), x.cols(), schedule, plan_options_for<T>(options.form, options.gram_error));
  on.gram(T(1), x, T(0), x, b.r);
  bool const by_gram = options.normalize_by == normalization::gram;
  bool const by_square = by_gram && schedule[0].terms() > 2;
  T const bound = by_gram ? bound_norm_freely(on, x, by_square, b).upper : T(sqrt(on.sum_squares(x)));
  T const domain = schedule.upper() < 1 ? T(schedule.upper()) : T(1);
  steps[0] = steps[0].scaled(T(1), T(bound * rounding_margin(x) / domain));
  apply_steps(on, steps, plan, by_square, b, x, y);
}

/// The cheapest of the greedy minimax schedules that take [l, 1] to within `tolerance` of 1, with its plan: one step of
/// degree 3, 5 or 9, then steps of one of these degrees. Safety and cushion are as in `sign_steps`. The promise is measured,
/// not proved: that would cost more.
template <class Plan>
[[gnu::noinline]] polynomial_schedule cheapest_schedule(Plan const& plan_of, double l, double tolerance,
                                                        polynomial_plan& plan) {
  constexpr int degrees[] = {5, 3, 9};
  polynomial_schedule best;
  for (int choice = 0; choice < 9; ++choice) {
    greedy_minimax greedy(l, {.degree = degrees[choice % 3], .safety = 1e-5, .cushion = 0.01});
    polynomial_schedule schedule("cheapest", {});
    auto last = greedy.last();
    while (last.error > tolerance && schedule.size() + 1 < polynomial_schedule::capacity) {
      schedule.append(greedy.follow(last.polynomial));
      greedy.continue_with(degrees[choice / 3]);
      last = greedy.last();
    }
    if (last.error > tolerance) continue;
    schedule.append(last.polynomial);
    polynomial_plan const candidate = plan_of(schedule);
    if (!best.empty() && !(candidate.units < plan.units)) continue;
    best = schedule;
    plan = candidate;
  }
  return best;
}

/// X <- p(X / s) for s >= ||X||_2 and the cheapest p for what the bounds leave open: l is the least singular value that
/// has a promise to keep, in units of s.
template <class B, real T>
void orthogonalize_to_tolerance(B const& on, orthogonalize_options const& options, gram_buffers_on<B, T>& b,
                                matrix_view_on<B, T>& x, matrix_view_on<B, T>& y, polynomial_plan& plan) {
  using std::sqrt;
  on.gram(T(1), x, T(0), x, b.r);
  auto const bounds = bound_norm_freely(on, x, true, b);
  T const width = T(bounds.upper * rounding_margin(x));
  double l = 1;
  if (options.smallest_share > 0) {
    l = std::fmin(l, options.smallest_share * static_cast<double>(T(T(sqrt(on.sum_squares(x))) / width)));
  }
  if (options.smallest > 0 || !(options.smallest_share > 0)) {
    double const smallest = options.smallest > 0 ? options.smallest : static_cast<double>(unit_roundoff<T>());
    l = std::fmin(l, smallest * static_cast<double>(T(bounds.lower / width)));
  }
  auto const plan_of = [&](polynomial_schedule const& schedule) {
    return plan_polynomial(x.rows(), x.cols(), schedule, plan_options_for<T>(options.form, options.gram_error));
  };
  auto const schedule = cheapest_schedule(plan_of, l * (1 - 1e-6), options.tolerance, plan);
  if (schedule.empty()) {
    raise<domain_error>({"orthogonalize: tolerance is ", options.tolerance, " for singular values from ", l,
                         " times a bound of the largest on; that takes more than 32 steps"});
  }
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  for (int t = 0; t < schedule.size(); ++t) steps[t] = schedule[t].template cast<T>();
  steps[0] = steps[0].scaled(T(1), width);
  apply_steps(on, steps, plan, true, b, x, y);
}

inline void check_orthogonalize_options(char const* function, orthogonalize_options const& options) {
  if (!(options.smallest >= 0) || !(options.smallest < 1)) {
    raise<domain_error>({function, ": smallest is ", options.smallest, "; it must be at least 0 and below 1"});
  }
  if (!(options.smallest_share >= 0) || !(options.smallest_share < 1)) {
    raise<domain_error>(
        {function, ": smallest_share is ", options.smallest_share, "; it must be at least 0 and below 1"});
  }
  if (!(options.tolerance >= 0) || !(options.tolerance < 1)) {
    raise<domain_error>({function, ": tolerance is ", options.tolerance, "; it must be at least 0 and below 1"});
  }
  if (!(options.scale - options.scale == 0)) {
    raise<domain_error>({function, ": scale is ", options.scale, "; it must be finite"});
  }
}

}  // namespace detail

/// W = U S V^T -> scale U V^T: the polar factor, the nearest matrix with orthonormal rows (or columns).
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. 16-bit storage is
/// computed in float and rounded once at the end. A zero matrix stays zero.
/// Without a schedule the result is accurate to working precision: in double ||Q Q^T - I||_2 <= 20 u sqrt(m) and a
/// backward error ||W - H Q||_2 <= 50 u ||W||_2, as tests measure for condition numbers up to 1e12. With a schedule p
/// every singular value s becomes p(s / bound) for a bound of ||W||_2 of at least ||W||_2: it lies in [least, greatest]
/// of the schedule if s >= lower times bound, and is never above greatest but for rounding. With a tolerance p is the
/// cheapest schedule that keeps the promise for this matrix: the bound, which the first step's matrices give for free,
/// tells how far p has to reach.
/// Cost, m the short side, a = long / m, in units of m^3 FLOPs: as `plan_polynomial` says for a schedule; 3 a + 4/3
/// units a step without one, about 9 steps at condition 1e3. Scratch: 2 m n + 5 m^2 scalars and what the
/// backend packs.
/// @throws numeric_error if an element is NaN or infinite, domain_error for options out of range or a
/// tolerance that takes more than 32 steps; W is untouched then.
/// Source: Higham, Functions of Matrices, chapter 8; Amsel et al. 2025 (arXiv 2505.16932).
template <class B, writable_on<B> A>
void orthogonalize(B const& given, A&& w, orthogonalize_options const& options = {}) {
  using T = compute_t<detail::argument_value_t<A>>;
  detail::check_orthogonalize_options("orthogonalize", options);
  detail::scratch memory(options.scratch);
  auto const change = [&](auto const& on, auto elements, T largest, workspace& own) {
    detail::working_set_on<B, T> set(on, elements, largest, own);
    polynomial_plan plan;
    if (!options.schedule.empty()) {
      detail::orthogonalize_by_schedule(on, options.schedule, options, set.gram, set.x, set.y, plan);
    } else if (options.tolerance > 0) {
      detail::orthogonalize_to_tolerance(on, options, set.gram, set.x, set.y, plan);
    } else {
      double const floor = options.smallest > 0 ? options.smallest : static_cast<double>(unit_roundoff<T>());
      detail::polar_iteration(on, floor, set.gram, set.x, set.y, own);
    }
    if constexpr (matrix_like<A>) {
      if (options.plan != nullptr) *options.plan = plan;
    }
    detail::store(on, set.x, T(options.scale), 0, elements, "orthogonalize");
  };
  detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, "orthogonalize", change);
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void orthogonalize(A&& w, orthogonalize_options const& options = {}) {
  orthogonalize(B{}, w, options);
}

/// A copy of W, orthogonalized.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> orthogonalized(B const& on, M const& w, orthogonalize_options const& options = {}) {
  auto result = matrix<value_t<M>>::copy_of(w);
  orthogonalize(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> orthogonalized(M const& w, orthogonalize_options const& options = {}) {
  return orthogonalized(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
