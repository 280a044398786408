// SPDX-License-Identifier: MIT
/// @file
/// Decay of the largest singular value alone.
#pragma once

#include <cstdint>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/rank_one.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `spectral_weight_decay`. T: the scalar W is computed in; Space: the memory it is in.
template <class T, class Space = host_space>
struct spectral_weight_decay_options {
  /// lambda in [0, 1].
  required<double> decay;
  /// Residual and steps at which the estimate of the triplet stops; 0 stands for those of `lanczos`.
  T tolerance = T(0);
  index_t max_iterations = 0;
  /// Seed of the random numbers of the estimate.
  std::uint64_t seed = 0;
  /// Start from the vector in `v`, as the last call left it there. A v of zeros, as before the first call, starts cold.
  bool warm_start = false;
  /// Storage for the singular vectors of a single matrix: W.rows() and W.cols() elements, or empty.
  vector_view<T, Space> u = {};
  vector_view<T, Space> v = {};
  /// Scratch memory to reuse; nothing is allocated in a repeated call if it is given.
  workspace* scratch = nullptr;
};

/// W <- W - lambda sigma_1 u_1 v_1^T: the largest singular value times 1 - lambda, the others as they are.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. A zero matrix has no
/// direction and stays.
/// Guarantee, in exact arithmetic: W becomes W (I - lambda v v^T) for the unit vector v of the estimate, so no singular
/// value grows, however poor that is. The largest becomes (1 - lambda) sigma_1 up to residual times sigma_1, as an
/// estimate. ||W|| is lowered only as far as the second singular value: there is no bound of it.
/// Cost: about 10 to 60 sweeps over W for the estimate, few with a warm start, and one; 16-bit storage and scales near
/// the ends of the exponent range, a copy of W. Scratch: as `lanczos`, and that copy.
/// @return sigma_1, the residual and the steps of the estimate.
/// @throws domain_error unless 0 <= lambda <= 1, shape_error or domain_error for storage that does not fit,
/// numeric_error if an element is NaN or infinite; W is untouched then.
/// Source: Yoshida and Miyato 2017 (arXiv 1705.10941); as in arXiv 2507.13338, not multiplied by a learning rate.
template <class B, writable_on<B> A>
spectral_change spectral_weight_decay(
    B const& given, A&& w,
    spectral_weight_decay_options<compute_t<detail::argument_value_t<A>>, detail::argument_space_t<A>> const& options) {
  using T = compute_t<detail::argument_value_t<A>>;
  constexpr char const* name = "spectral_weight_decay";
  if (!(options.decay >= 0) || !(options.decay <= 1)) {
    detail::raise<domain_error>({name, ": decay is ", double{options.decay}, "; it must be between 0 and 1"});
  }
  auto const estimate = detail::estimate_options(options, options.u, options.v);
  detail::check_estimate_of_argument(name, w, estimate);
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  spectral_change result;
  detail::for_each_matrix(on, w, name, [&](auto elements, T largest) {
    workspace::frame frame(memory.get());
    detail::change_site site(on, elements, largest, 1.0, frame);
    auto const top = detail::leading_triplet(on, name, site.x, estimate, frame);
    bool const is_changed = options.decay > 0;
    detail::include(result, {site.from_units(top.sigma), static_cast<double>(top.residual), top.iterations,
                             top.converged, 1 - options.decay, is_changed ? 1 : 0});
    if (!is_changed) return;
    auto const left = frame.template matrix<T, typename B::space>(1, elements.rows());
    on.combine(T(T(-options.decay) * top.sigma), as_row(top.u), T(0), left);
    detail::add_outer_products(on, left, as_row(top.v), site.x);
    site.finish(name);
  });
  return result;
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
spectral_change spectral_weight_decay(
    A&& w, spectral_weight_decay_options<compute_t<detail::argument_value_t<A>>> const& options) {
  return spectral_weight_decay(B{}, w, options);
}

/// A copy of W, its largest singular value decayed.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> spectrally_decayed(B const& on, M const& w,
                                      spectral_weight_decay_options<compute_t<value_t<M>>> const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  spectral_weight_decay(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> spectrally_decayed(M const& w, spectral_weight_decay_options<compute_t<value_t<M>>> const& options) {
  return spectrally_decayed(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
