// SPDX-License-Identifier: MIT
/// @file
/// Projection to the Stiefel manifold: all singular values to one value.
#pragma once

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `project_to_stiefel`.
struct stiefel_options {
  /// What every singular value becomes, in the norm below.
  double sigma_max = 1;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Empty: to working precision. `schedules::you_1024` never exceeds sigma_max and is what the paper's code does.
  polynomial_schedule schedule = {};
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// W = U S V^T -> sigma_max U V^T, the nearest matrix all of whose singular values are sigma_max: `orthogonalize` with
/// a scale that is chosen for the norm and the shape of each matrix. Guarantee, cost and errors are those of
/// orthogonalize; with a schedule the norm is at most greatest() sigma_max.
/// @throws also domain_error unless sigma_max is finite and above 0.
template <class B, writable_on<B> A>
void project_to_stiefel(B const& on, A&& w, stiefel_options const& options = {}) {
  detail::cap_in_l2("project_to_stiefel", options.sigma_max, options.norm, 1, 1);
  detail::for_each_matrix(on, w, "project_to_stiefel", [&](auto elements, auto) {
    double const scale =
        detail::cap_in_l2("project_to_stiefel", options.sigma_max, options.norm, elements.rows(), elements.cols());
    // Rounding in Gram form must stay below the 7e-4 by which you_1024 keeps under 1.
    orthogonalize(on, elements,
                  {.schedule = options.schedule, .gram_error = 1e-3, .scale = scale, .scratch = options.scratch});
  });
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void project_to_stiefel(A&& w, stiefel_options const& options = {}) {
  project_to_stiefel(B{}, w, options);
}

/// A copy of W, projected.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> projected_to_stiefel(B const& on, M const& w, stiefel_options const& options = {}) {
  auto result = matrix<value_t<M>>::copy_of(w);
  project_to_stiefel(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> projected_to_stiefel(M const& w, stiefel_options const& options = {}) {
  return projected_to_stiefel(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
