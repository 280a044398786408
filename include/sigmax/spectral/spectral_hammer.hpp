// SPDX-License-Identifier: MIT
/// @file
/// The leading singular values set to the cap, the others as they are.
#pragma once

#include <cstdint>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/block_lanczos.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/rank_one.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// What a hammer does to the leading singular values.
enum class hammer_mode : unsigned char {
  /// Sets them to sigma_max, as published: it *raises* those that are below, at initialisation already.
  two_sided,
  /// Lowers those above sigma_max, leaves those below.
  one_sided
};

/// Options of `spectral_hammer`. T: the scalar W is computed in; Space: the memory it is in.
template <class T, class Space = host_space>
struct spectral_hammer_options {
  /// What the leading singular values become, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  hammer_mode mode = hammer_mode::two_sided;
  /// How many singular values; all of them where W has no more.
  index_t count = 1;
  /// Residual and steps at which the estimate of the triplets stops; 0 stands for those of `lanczos` and
  /// `block_lanczos`.
  T tolerance = T(0);
  index_t max_iterations = 0;
  /// Seed of the random numbers of the estimate.
  std::uint64_t seed = 0;
  /// Start from the vectors in `v`, as the last call left them there. A v of zeros, as before the first call, starts
  /// cold.
  bool warm_start = false;
  /// Storage for the singular vectors of a single matrix: W.rows() x count and W.cols() x count, or empty.
  matrix_view<T, Space> u = {};
  matrix_view<T, Space> v = {};
  /// Scratch memory to reuse; nothing is allocated in a repeated call if it is given.
  workspace* scratch = nullptr;
};

namespace detail {

/// The leading triplets of X, into u (rows x k), v (cols x k) and sigma.
template <class B, real T>
spectral_change leading_triplets(B const& on, matrix_view_on<B, T> x,
                                 singular_estimate_options<T, typename B::space> const& options, matrix_view_on<B, T> u,
                                 matrix_view_on<B, T> v, vector_view<T> sigma, workspace::frame& frame) {
  spectral_change change;
  if (sigma.size() == 1) {
    auto single = options;
    single.u = u.col(0);
    single.v = v.col(0);
    auto const top = leading_triplet(on, "spectral_hammer", x, single, frame);
    sigma[0] = top.sigma;
    change = {.residual = static_cast<double>(top.residual), .iterations = top.iterations, .converged = top.converged};
    return change;
  }
  auto const residual = frame.template vector<T>(sigma.size());
  auto const top =
      block_lanczos(on, x,
                    singular_triplets_options<T, typename B::space>{.count = sigma.size(),
                                                                    .tolerance = options.tolerance,
                                                                    .max_iterations = options.max_iterations,
                                                                    .seed = options.seed,
                                                                    .warm_start = options.warm_start,
                                                                    .u = u,
                                                                    .v = v,
                                                                    .sigma = sigma,
                                                                    .residual = residual,
                                                                    .scratch = &frame.owner()});
  change = {.residual = static_cast<double>(host_backend(on).max_abs(as_row(residual))),
            .iterations = top.iterations,
            .converged = top.converged};
  return change;
}

}  // namespace detail

/// W <- W + sum_i (sigma_max - sigma_i) u_i v_i^T over the `count` leading singular values (one_sided: over those of
/// them above sigma_max), which so become sigma_max; the others stay.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. A zero matrix has no
/// direction and stays, and so do singular values below 16 u sigma_1.
/// Guarantee: none of the norm, since singular value number count + 1 may be above sigma_max too; meant for updates of
/// low stable rank. In exact arithmetic every singular value of the result is within residual times sigma_1 of what is
/// said here, as an estimate, and one_sided with count 1 makes none larger, however poor the estimate is: W becomes
/// W (I - (1 - sigma_max / sigma) v v^T). Rounding to the storage scalar adds about u sqrt(rank) relative.
/// Cost: the estimate (`lanczos` for count 1, else `block_lanczos`; few sweeps with a warm start) and one product of
/// rank count, 2 m n count FLOPs; 16-bit storage and scales near the ends of the exponent range, a copy of W. Scratch:
/// as those, that copy, and 2 (m + n) count scalars.
/// @return sigma_1, the largest residual and the steps of the estimate, the number of singular values that were moved.
/// @throws domain_error unless sigma_max is finite and above 0, the norm l2 or rms and count >= 1, shape_error or
/// domain_error for storage that does not fit, numeric_error if an element is NaN or infinite or the result overflows;
/// W is untouched then.
/// Source: arXiv 2507.13338, section 3; one_sided and count are ours.
template <class B, writable_on<B> A>
spectral_change spectral_hammer(
    B const& given, A&& w,
    spectral_hammer_options<compute_t<detail::argument_value_t<A>>, detail::argument_space_t<A>> const& options) {
  using T = compute_t<detail::argument_value_t<A>>;
  constexpr char const* name = "spectral_hammer";
  detail::cap_in_l2(name, options.sigma_max, options.norm, 1, 1);
  if (options.count < 1) detail::raise<domain_error>({name, ": count is ", options.count, "; it must be at least 1"});
  for (auto const& vectors : {options.u, options.v}) {
    if (vectors.empty() || vectors.cols() == options.count) continue;
    detail::raise<shape_error>({name, ": u or v has ", vectors.cols(), " columns; count is ", options.count});
  }
  auto const estimate = detail::estimate_options(options, options.u.col(0), options.v.col(0));
  detail::check_estimate_of_argument(name, w, estimate);
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  spectral_change result;
  detail::for_each_matrix(on, w, name, [&](auto elements, T largest) {
    index_t const m = elements.rows();
    index_t const n = elements.cols();
    index_t const most = m < n ? m : n;
    index_t const count = options.count < most ? options.count : most;
    double const cap = detail::cap_in_l2(name, options.sigma_max, options.norm, m, n);
    workspace::frame frame(memory.get());
    detail::change_site site(on, elements, largest, cap, frame);
    auto const u =
        options.u.empty() ? frame.template matrix<T, typename B::space>(m, count) : options.u.block(0, 0, m, count);
    auto const v =
        options.v.empty() ? frame.template matrix<T, typename B::space>(n, count) : options.v.block(0, 0, n, count);
    auto const sigma = frame.template vector<T>(count);
    auto change = detail::leading_triplets(on, site.x, estimate, u, v, sigma, frame);
    change.sigma = site.from_units(sigma[0]);
    double const factor = sigma[0] > T(0) ? site.ratio(cap, sigma[0]) : 1;

    bool const lowers_only = options.mode == hammer_mode::one_sided;
    T level = site.in_units(cap);
    T const smallest = T(T(16) * unit_roundoff<T>() * sigma[0]);
    T const room = T(std::numeric_limits<T>::max() / T(4));
    int const exponent = level < room || lowers_only ? 0 : site.use_unit_one();
    if (exponent != 0) level = site.in_units(cap);
    auto const left = frame.template matrix<T, typename B::space>(count, m);
    auto const right = frame.template matrix<T, typename B::space>(count, n);
    for (index_t i = 0; i < count; ++i) {
      if (!(sigma[i] > smallest) || (lowers_only && !(sigma[i] > level))) continue;
      T const difference = T(level - detail::times_power_of_two(sigma[i], exponent));
      on.combine(difference, as_row(u.col(i)), T(0), as_row(left.row(change.changed)));
      on.combine(T(1), as_row(v.col(i)), T(0), as_row(right.row(change.changed)));
      if (i == 0) change.factor = factor;
      ++change.changed;
    }
    detail::include(result, change);
    if (change.changed == 0) return;
    detail::add_outer_products(on, left.block(0, 0, change.changed, m), right.block(0, 0, change.changed, n), site.x);
    site.finish(name);
  });
  return result;
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
spectral_change spectral_hammer(A&& w, spectral_hammer_options<compute_t<detail::argument_value_t<A>>> const& options) {
  return spectral_hammer(B{}, w, options);
}

/// A copy of W, spectrally hammered.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> spectrally_hammered(B const& on, M const& w,
                                       spectral_hammer_options<compute_t<value_t<M>>> const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  spectral_hammer(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> spectrally_hammered(M const& w, spectral_hammer_options<compute_t<value_t<M>>> const& options) {
  return spectrally_hammered(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
