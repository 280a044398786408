// SPDX-License-Identifier: MIT
/// @file
/// Any composition of odd polynomials, applied to the singular values as they are.
#pragma once

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/polynomial/polynomial_schedule.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/domain.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/plan.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `apply_polynomial`.
struct apply_polynomial_options {
  /// Standard or Gram form, and the error the choice may cost (see plan_options).
  polynomial_form form = polynomial_form::automatic;
  double gram_error = 1e-6;
  /// Verify ||W||_2 <= schedule.upper() first.
  bool check_domain = true;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// W = U S V^T -> U p(S) V^T for p = p_T o ... o p_1.
///
/// W: a matrix of any shape, strides, storage scalar, or a batch; changed in place. Nothing is normalised: the
/// singular values themselves must lie in [0, schedule.upper()], which is verified up to a relative 4 (m + n) u before
/// anything is written. Then every one of them becomes a number in [min(0, least), greatest] of the schedule, up to
/// rounding. Without steps W stays as it is.
/// Cost: as `plan_polynomial` says, and for the check at most 4/3 units of m^3 FLOPs. Scratch: 2 m n + 5 m^2 scalars and what the
/// backend packs.
/// @throws domain_error if ||W||_2 > schedule.upper(), numeric_error if an element is NaN or infinite or the result
/// overflows; W is untouched then, in a batch from the matrix at fault on
/// (on threads: other matrices may have been changed).
template <class B, writable_on<B> A>
void apply_polynomial(B const& given, A&& w, polynomial_schedule const& schedule,
                      apply_polynomial_options const& options = {}) {
  using T = compute_t<detail::argument_value_t<A>>;
  detail::scratch memory(options.scratch);
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  for (int t = 0; t < schedule.size(); ++t) steps[t] = schedule[t].template cast<T>();
  auto const change = [&](auto const& on, auto elements, T largest, workspace& own) {
    if (schedule.empty()) return;
    detail::working_set_on<B, T> set(on, elements, largest, own);
    auto const plan = plan_polynomial(elements.rows(), elements.cols(), schedule,
                                      {options.form, options.gram_error, static_cast<double>(unit_roundoff<T>())});
    bool const by_square = steps[0].terms() > 2;
    on.gram(T(1), set.x, T(0), set.x, set.gram.r);
    auto const bounds = detail::bound_norm_freely(on, set.x, by_square, set.gram);
    if (options.check_domain) {
      detail::require_norm_at_most(on, "apply_polynomial", set.x, set.scaled(schedule.upper()), schedule.upper(),
                                   bounds, set.gram);
    }
    odd_polynomial<T> in_scale_of_x[polynomial_schedule::capacity];
    for (int t = 0; t < schedule.size(); ++t) in_scale_of_x[t] = steps[t].in_units_of(set.unit());
    detail::apply_steps(on, in_scale_of_x, plan, by_square, set.gram, set.x, set.y);
    detail::store(on, set.x, T(1), set.exponent, elements, "apply_polynomial");
  };
  detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, "apply_polynomial", change);
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void apply_polynomial(A&& w, polynomial_schedule const& schedule, apply_polynomial_options const& options = {}) {
  apply_polynomial(B{}, w, schedule, options);
}

/// p(W) as a new matrix.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> polynomial_applied(B const& on, M const& w, polynomial_schedule const& schedule,
                                      apply_polynomial_options const& options = {}) {
  auto result = matrix<value_t<M>>::copy_of(w);
  apply_polynomial(on, result, schedule, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> polynomial_applied(M const& w, polynomial_schedule const& schedule,
                                      apply_polynomial_options const& options = {}) {
  return polynomial_applied(B{}, w, schedule, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
