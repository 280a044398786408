// SPDX-License-Identifier: MIT
/// @file
/// Power iteration on W^T W.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/estimate/scaled_operator.hpp>
#include <sigmax/estimate/singular_estimate.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Estimates the largest singular value of W by v <- W^T W v / ||W^T W v||.
///
/// W: m x n, any strides, any storage scalar (16-bit storage is computed in float), any scale. Defaults: tolerance
/// sqrt(u), 1000 iterations, a normal random start of seed 0; a warm start continues from `options.v`.
/// An estimate from below up to rounding, never a bound: a start in the wrong invariant subspace converges to the wrong
/// singular value and says converged.
/// Cost: one sweep over W and 4 m n FLOPs an iteration, and one and a half sweeps at the end. Scratch: 2 n scalars (and m n for a scale near the ends of the exponent range,
/// or for 16-bit storage on backends that do not read it; cpu::simd does).
/// sigma is +infinity where the norm exceeds the largest T, 0 where W has no elements.
/// @throws numeric_error if W is not finite, shape_error or domain_error for options that do not fit W.
/// Source: Golub and Van Loan, Matrix Computations, 8.2.1.
template <class B, matrix_on<B> M>
singular_estimate<compute_t<value_t<M>>, space_t<M>> power_iteration(
    B const& on, M const& w, singular_estimate_options<compute_t<value_t<M>>, space_t<M>> const& options = {}) {
  using std::sqrt;
  using T = compute_t<value_t<M>>;
  auto const elements = const_view(w);
  index_t const m = elements.rows();
  index_t const n = elements.cols();
  detail::check_estimate_options("power_iteration", options, m, n);

  singular_estimate<T, space_t<M>> result;
  result.place_vectors(m, options.u, n, options.v, detail::device_memory_of(on));
  if (elements.empty()) {
    result.converged = true;
    return result;
  }
  detail::scratch memory(options.scratch);
  detail::lend_device_memory(on, memory.get());
  workspace::frame frame(memory.get());
  detail::scaled_operator<B, T, value_t<M>> const scaled(on, elements, "power_iteration", frame);
  detail::place_start(on, "power_iteration", options, result.v, frame);
  auto const shifted = frame.template vector<T, typename B::space>(n);
  auto const y = frame.template vector<T, typename B::space>(n);
  T const tolerance = options.tolerance > T(0) ? options.tolerance : T(sqrt(unit_roundoff<T>()));
  index_t const limit = options.max_iterations > 0 ? options.max_iterations : 1000;

  // The residual is that of the v that is returned, so v is looked at once more after the last step.
  for (;;) {
    scaled.apply(result.v, shifted, y);
    T const theta = on.dot(vector_view_on<B, T const>(result.v), vector_view_on<B, T const>(y));
    T const length = T(sqrt(on.dot(y, y)));
    if (!(theta > T(0)) || !(length > T(0))) {  // W v = 0: the zero matrix, or a start in the null space
      result.converged = scaled.is_zero();
      result.residual = T(result.converged ? 0 : 1);
      break;
    }
    on.combine(T(1), as_row(y), T(0), as_row(shifted));
    on.combine(T(-theta), as_row(result.v), T(1), as_row(shifted));
    result.residual = T(T(sqrt(on.dot(shifted, shifted))) / theta);
    result.converged = result.residual <= tolerance;
    if (result.converged || result.iterations == limit) break;
    on.combine(T(T(1) / length), as_row(y), T(0), as_row(result.v));
    ++result.iterations;
  }

  // sigma from the final v, so that the triplet belongs together whichever way the loop ended.
  scaled.apply_once(result.v, shifted, result.u);
  T const length = detail::make_unit(on, result.u);
  result.sigma = T(length * scaled.scale());
  if (!(length > T(0))) detail::set_element(on, result.u, 0, T(1));
  return result;
}

/// The same on the default backend of the scalar.
template <matrix_like M, class B = default_backend<value_t<M>>>
singular_estimate<compute_t<value_t<M>>> power_iteration(
    M const& w, singular_estimate_options<compute_t<value_t<M>>> const& options = {}) {
  return power_iteration(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
