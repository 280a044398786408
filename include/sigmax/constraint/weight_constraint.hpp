// SPDX-License-Identifier: MIT
/// @file
/// What a constraint is, and how every constraint is applied: the map, then the proof.
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/stored.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/config.hpp>
#include <sigmax/constraint/step_info.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>

namespace sigmax::inline SIGMAX_ABI::constraint {

// clang-format off: version 14 breaks the lines of a concept where they are not to be broken.
/// A constraint is a small aggregate of options with
/// - `constrain(backend, W, step)`: the map, on a matrix or a batch, in place; throws before anything is written;
/// - `proven_cap(rows, cols)`: the c for which ||W||_2 <= c is to be proven of the matrix as stored; +infinity for none;
/// - `uses_update_norm`: whether step.update_norm matters to it, so that optimizers find it out.
///
/// Optimizers call the map in the scalar they compute in and prove after rounding to the storage scalar. Everybody else
/// calls `apply(constraint, W, step)`, which does both to W.
template <class C>
concept weight_constraint = requires(C const& c, matrix_view<float> w, step_info const& step, index_t extent) {
  { c.constrain(cpu::scalar(), w, step) } -> std::same_as<outcome>;
  { c.proven_cap(extent, extent) } -> std::same_as<double>;
  { C::uses_update_norm } -> std::convertible_to<bool>;
};
// clang-format on

}  // namespace sigmax::inline SIGMAX_ABI::constraint

namespace sigmax::inline SIGMAX_ABI::detail {

/// Proofs read the matrices of A, and B computes as they require.
template <class B, class A>
concept certifiable_on = provable_matrix_on<argument_matrix_t<A>, B> && strict_arithmetic<A>;

/// How many matrices A is.
template <class A>
index_t matrices_of(A& argument) {
  if constexpr (matrix_like<A>) {
    return 1;
  } else {
    return static_cast<index_t>(argument.size());
  }
}

/// ||W||_2 <= c for c = cap in the norm, if `certified`; else +infinity.
inline double proven_cap_in_l2(char const* name, bool certified, double sigma_max, norm::any in, index_t rows,
                               index_t cols) {
  return certified ? cap_in_l2(name, sigma_max, in, rows, cols) : infinity;
}

/// @throws unsupported_error or numeric_error if c is to prove something of A on B, and nothing can be proved.
template <class B, class A, class C>
void require_certifiable(C const& c) {
  if (!(c.proven_cap(1, 1) < infinity)) return;
  if (!certifiable_on<B, A>) {
    raise<unsupported_error>({C::name, ": certified is set; proofs read float, double, bf16 and f16, on backends ",
                              "with standard rounding, in files compiled without -ffast-math"});
  }
  if (!arithmetic_environment_is_sound()) {
    raise<numeric_error>(
        {C::name, ": certified is set, but the arithmetic environment is not IEEE round-to-nearest with subnormals"});
  }
}

/// Makes ||W||_2 <= c.proven_cap true of every matrix as stored, proven.
template <class C, class B, class A>
constraint::outcome certify_constraint(C const& c, B const& given, A& w, workspace& memory) {
  constraint::outcome result;
  if constexpr (certifiable_on<B, A>) {
    if (!(c.proven_cap(1, 1) < infinity)) return result;
    std::atomic<index_t> rescaled{0};
    auto const change = [&](auto const& on, auto elements, auto, workspace& own) {
      double const cap = c.proven_cap(elements.rows(), elements.cols());
      if (scale_to(on, elements, cap, {.scratch = &own}).factor != 1) ++rescaled;
    };
    for_every_matrix(detail::with_scratch(given, memory), memory, w, C::name, change);
    result.proven = matrices_of(w);  // zero matrices, which are passed over, are within any cap
    result.rescaled = rescaled;
  }
  return result;
}

}  // namespace sigmax::inline SIGMAX_ABI::detail

namespace sigmax::inline SIGMAX_ABI::constraint {

/// The map of a constraint on W, a matrix or a batch, as it is stored, and where the constraint is `certified` the proof.
/// @throws as its `constrain`; unsupported_error where something is to be proved and nothing can be, numeric_error for that
///         in an unsound environment.
template <class B, weight_constraint C, writable_on<B> A>
outcome apply(B const& on, C const& c, A&& w, step_info const& step = {}) {
  detail::require_certifiable<B, A>(c);
  detail::scratch memory(step.scratch);
  step_info with_memory = step;
  with_memory.scratch = &memory.get();
  auto result = c.constrain(on, w, with_memory);
  result += detail::certify_constraint(c, on, w, memory.get());
  return result;
}

/// The same on the default backend.
template <weight_constraint C, writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
outcome apply(C const& c, A&& w, step_info const& step = {}) {
  return apply(B{}, c, w, step);
}

}  // namespace sigmax::inline SIGMAX_ABI::constraint
