// SPDX-License-Identifier: MIT
/// @file
/// The leading singular triplets by a block Lanczos iteration that restarts.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/estimate/block_krylov_space.hpp>
#include <sigmax/estimate/singular_triplets.hpp>

namespace sigmax::inline SIGMAX_ABI {

namespace detail {

/// X <- W / max |w_ij|; returns that. Estimates need no exact scaling. @throws numeric_error if W is not finite.
template <class B, class S, real T>
T load_unit_scale(B const& on, matrix_view_on<B, S const> w, matrix_view_on<B, T> x, char const* function) {
  if constexpr (std::same_as<S, T>) {
    on.combine(T(1), w, T(0), x);
  } else {
    on.convert(w, x);
  }
  T const scale = on.max_abs(x);
  if (!(scale <= std::numeric_limits<T>::max())) {
    raise<numeric_error>({function, ": W has an element that is NaN or infinite; all must be finite"});
  }
  T const reciprocal = T(T(1) / scale);
  if (scale > T(0) && reciprocal <= std::numeric_limits<T>::max() && reciprocal >= std::numeric_limits<T>::min()) {
    on.combine(reciprocal, matrix_view_on<B, T const>(x), T(0), x);
  } else if (scale > T(0)) {
    on.divide(scale, x);
  }
  return scale;
}

/// v <- the unit vector of coordinate k.
template <class B, real T>
void place_unit_vector(B const& on, vector_view_on<B, T> v, index_t k, workspace::frame& frame) {
  auto const staged = staging_for(on, v, frame);
  for (index_t i = 0; i < v.size(); ++i) staged[i] = T(i == k ? 1 : 0);
  deliver(on, staged, v);
}

}  // namespace detail

/// Estimates the `count` leading singular triplets of W from the block Krylov space of W W^T or W^T W, whichever is the
/// smaller, which finds multiple and clustered singular values as single ones.
///
/// W: m x n, any strides, any storage scalar, any scale. Defaults: tolerance sqrt(u), at most 200 steps, normal random
/// starts of seed 0. Blocks are one vector wider than `count`. A warm start is disturbed by min(1e-3, 1000 tolerance),
/// so that a direction which has overtaken the old ones is noticed. The space restarts, with its leading Ritz vectors,
/// at d = 3 count + 27 vectors.
/// Estimates, never bounds: residuals are measured on what is returned, but a direction the space does not see is
/// missing. The square in W^T W keeps residuals above about u sigma_0 / sigma_i. sigma is +infinity where it exceeds
/// the largest T.
/// Cost, s the short side: a step count + 1 sweeps over W and (4 m n + 8 d s) (count + 1) FLOPs; the eigenvalues of a d
/// x d matrix at steps 1, 2, 4, 8, ... and at each restart. Scratch: m n + 2 d (s + d) + 4 (count + 1) (m + n) scalars.
/// @throws numeric_error if W is not finite, shape_error or domain_error for options that do not fit W.
/// Source: Golub and Underwood 1977; restarts: Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000; the gap-free rate of
/// random starts: Musco and Musco, NIPS 2015.
template <class B, matrix_on<B> M>
singular_triplets<compute_t<value_t<M>>, space_t<M>> block_lanczos(
    B const& given, M const& w, singular_triplets_options<compute_t<value_t<M>>, space_t<M>> const& options = {}) {
  using std::sqrt;
  using T = compute_t<value_t<M>>;
  auto const elements = const_view(w);
  detail::check_triplet_options("block_lanczos", options, elements.rows(), elements.cols());
  index_t const count = options.count;
  bool const is_tall = elements.rows() >= elements.cols();  // v is on the short side of a square matrix

  singular_triplets<T, space_t<M>> result;
  result.place(options, elements.rows(), elements.cols(), detail::device_memory_of(given));
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  workspace::frame frame(memory.get());
  auto const upright = is_tall ? elements : elements.transposed();
  auto const x = frame.template matrix<T, typename B::space>(upright.rows(), upright.cols());
  T const scale = detail::load_unit_scale(on, upright, x, "block_lanczos");
  if (options.warm_start && !(on.max_abs(result.v) <= std::numeric_limits<T>::max())) {
    detail::raise<domain_error>({"block_lanczos: v has an element that is NaN or infinite; give start vectors"});
  }
  if (!(scale > T(0))) {
    for (index_t k = 0; k < count; ++k) {
      result.sigma[k] = result.residual[k] = T(0);
      detail::place_unit_vector(on, result.u.col(k), k, frame);
      detail::place_unit_vector(on, result.v.col(k), k, frame);
    }
    result.converged = true;
    return result;
  }

  T const tolerance = options.tolerance > T(0) ? options.tolerance : T(sqrt(unit_roundoff<T>()));
  index_t const limit = options.max_iterations > 0 ? options.max_iterations : 200;
  detail::block_krylov_space<B, T> space(on, x, count, frame);
  double const noise = std::fmin(1e-3, 1e3 * static_cast<double>(tolerance));
  space.start(options.warm_start ? result.v : matrix_view_on<B, T>(), noise, options.seed);
  for (;;) {
    space.expand();
    index_t const step = ++result.iterations;
    bool const is_due = (step & (step - 1)) == 0 || space.is_full() || step == limit;
    if (is_due && (space.solve(tolerance) || step == limit)) break;
    if (space.grow()) continue;
    if (!is_due) space.solve(tolerance);
    break;
  }

  matrix_view_on<B, T> p, q;
  space.triplets(options.seed, result.sigma, result.residual, p, q);
  result.converged = true;
  for (index_t k = 0; k < count; ++k) {
    result.converged = result.converged && result.residual[k] <= tolerance;
    result.sigma[k] = T(result.sigma[k] * scale);
  }
  on.combine(T(1), (is_tall ? q : p).transposed(), T(0), result.u);
  on.combine(T(1), (is_tall ? p : q).transposed(), T(0), result.v);
  return result;
}

/// The same on the default backend of the scalar.
template <matrix_like M, class B = default_backend<value_t<M>>>
singular_triplets<compute_t<value_t<M>>> block_lanczos(
    M const& w, singular_triplets_options<compute_t<value_t<M>>> const& options = {}) {
  return block_lanczos(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
