// SPDX-License-Identifier: MIT
/// @file
/// Lanczos iteration on W^T W with full reorthogonalisation, stopped by its own residual.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/estimate/scaled_operator.hpp>
#include <sigmax/estimate/singular_estimate.hpp>
#include <sigmax/estimate/tridiagonal.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// What an iteration found, without the vectors.
template <class T>
struct iteration_result {
  T sigma = T(0);
  T residual = T(0);
  index_t iterations = 0;
  bool converged = false;
};

/// `lanczos` for options that are checked, and a matrix that has elements. The vectors are options.u and options.v,
/// the scratch is `memory`.
template <class B, storage_scalar S>
iteration_result<compute_t<S>> lanczos_iteration(
    B const& on, matrix_view<S const, typename B::space> elements,
    singular_estimate_options<compute_t<S>, typename B::space> const& options, workspace& memory) {
  using std::sqrt;
  using T = compute_t<S>;
  workspace::frame frame(memory);
  scaled_operator<B, T, S> const scaled(on, elements, "lanczos", frame);
  place_start(on, "lanczos", options, options.v, frame);
  iteration_result<T> result;
  T const tolerance = options.tolerance > T(0) ? options.tolerance : T(sqrt(unit_roundoff<T>()));
  index_t const m = elements.rows();
  index_t const n = elements.cols();
  index_t const short_side = m < n ? m : n;
  index_t limit = options.max_iterations > 0
                      ? options.max_iterations
                      : 60 + static_cast<index_t>(2 * std::sqrt(static_cast<double>(short_side)));
  if (limit > n) limit = n;

  auto const basis = frame.template matrix<T, typename B::space>(limit, n);
  auto const shifted = frame.template vector<T, typename B::space>(n);
  auto const next = frame.template vector<T, typename B::space>(n);
  auto const small = frame.template matrix<T>(4, limit);
  [[maybe_unused]] auto const coefficients =
      frame.template vector<T, typename B::space>(prefers_products<B>() ? limit : 0);
  auto const diagonal = small.row(0);
  auto const off_diagonal = small.row(1);
  auto const ritz = small.row(2);
  auto const pivots = small.row(3);

  index_t steps = 0;
  T theta(0);
  on.combine(T(1), as_row(options.v), T(0), as_row(basis.row(0)));
  for (;;) {
    auto const current = basis.row(steps);
    scaled.apply(current, shifted, next);
    diagonal[steps] = on.dot(vector_view_on<B, T const>(current), vector_view_on<B, T const>(next));
    for (int pass = 0; pass < 2; ++pass) {
      if constexpr (prefers_products<B>()) {
        auto const earlier = basis.block(0, 0, steps + 1, n);
        auto const along = coefficients.segment(0, steps + 1);
        on.times_vector(T(1), earlier, next, T(0), along);
        on.times_vector(T(-1), earlier.transposed(), along, T(1), next);
      } else {
        for (index_t k = steps; k >= 0; --k) {
          T const along = on.dot(basis.row(k), next);
          on.combine(T(-along), as_row(basis.row(k)), T(1), as_row(next));
        }
      }
    }
    T const length = T(sqrt(on.dot(next, next)));
    off_diagonal[steps] = length;
    ++steps;
    result.iterations = steps;
    bool const invariant = !(length > T(unit_roundoff<T>() * diagonal[0]));
    bool const last = steps == limit || invariant;
    // The small eigenproblem is looked at every fourth step: it would otherwise rival the sweep for small matrices.
    if (last || steps % 4 == 0) {
      theta = largest_tridiagonal_eigenpair(diagonal.segment(0, steps), off_diagonal.segment(0, steps),
                                            ritz.segment(0, steps), pivots.segment(0, steps));
      T const distance = T(length * ritz[steps - 1]);
      result.residual = theta > T(0) ? T(distance / theta) : T(0);
      result.converged = result.residual <= tolerance;
    }
    if (result.converged || last) break;
    on.combine(T(T(1) / length), as_row(next), T(0), as_row(basis.row(steps)));
  }

  for (index_t k = 0; k < steps; ++k) {
    on.combine(ritz[k], as_row(basis.row(k)), T(k == 0 ? 0 : 1), as_row(options.v));
  }
  make_unit(on, options.v);
  scaled.apply_once(options.v, shifted, options.u);
  T const norm_of_u = make_unit(on, options.u);
  result.sigma = T(norm_of_u * scaled.scale());
  if (!(norm_of_u > T(0))) {
    set_element(on, options.u, 0, T(1));
    result.converged = scaled.is_zero();
  }
  return result;
}

}  // namespace detail

/// Estimates the largest singular value of W from the Krylov space of W^T W, which needs far fewer sweeps over W than
/// power iteration where the leading singular values are close.
///
/// W: m x n, any strides, any storage scalar, any scale. Defaults: tolerance sqrt(u), at most
/// 2 sqrt(min(m, n)) + 60 steps, a normal random start of seed 0.
/// An estimate, never a bound. `residual` is that of the Ritz pair.
/// Orthogonalised by Gram and Schmidt, modified, or where the backend is that of a device by two products, twice either
/// way. Cost: k steps of 4 m n + 8 k n FLOPs. Scratch: (k + 3) n + 4 k scalars (and a copy of W as in power_iteration).
/// @throws numeric_error if W is not finite, shape_error or domain_error for options that do not fit W.
/// Source: Golub and Van Loan, Matrix Computations, 10.1-10.3; reorthogonalised twice (Giraud, Langou 2005).
template <class B, matrix_on<B> M>
singular_estimate<compute_t<value_t<M>>, space_t<M>> lanczos(
    B const& on, M const& w, singular_estimate_options<compute_t<value_t<M>>, space_t<M>> const& options = {}) {
  using T = compute_t<value_t<M>>;
  auto const elements = const_view(w);
  detail::check_estimate_options("lanczos", options, elements.rows(), elements.cols());
  singular_estimate<T, space_t<M>> result;
  result.place_vectors(elements.rows(), options.u, elements.cols(), options.v, detail::device_memory_of(on));
  if (elements.empty()) {
    result.converged = true;
    return result;
  }
  auto placed = options;
  placed.u = result.u;
  placed.v = result.v;
  detail::scratch memory(options.scratch);
  detail::lend_device_memory(on, memory.get());
  auto const found = detail::lanczos_iteration<B, value_t<M>>(on, elements, placed, memory.get());
  result.sigma = found.sigma;
  result.residual = found.residual;
  result.iterations = found.iterations;
  result.converged = found.converged;
  return result;
}

/// The same on the default backend of the scalar.
template <matrix_like M, class B = default_backend<value_t<M>>>
singular_estimate<compute_t<value_t<M>>> lanczos(M const& w,
                                                 singular_estimate_options<compute_t<value_t<M>>> const& options = {}) {
  return lanczos(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
