// SPDX-License-Identifier: MIT
/// @file
/// W divided by what its largest singular value exceeds the cap by.
#pragma once

#include <cmath>
#include <cstdint>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/rank_one.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `spectral_normalize`. T: the scalar W is computed in; Space: the memory it is in.
template <class T, class Space = host_space>
struct spectral_normalize_options {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Leave W alone where its norm is below the cap. Else it is raised to the cap: W sigma_max / sigma_1 always.
  bool allow_below = true;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;
  /// Residual and steps at which the estimate of sigma_1 stops; 0 stands for those of `lanczos`.
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

/// W <- W min(1, sigma_max / sigma_1): the whole spectrum is rescaled where the norm is above the cap. Without
/// `allow_below` W <- W sigma_max / sigma_1.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. A zero matrix stays zero,
/// a matrix that is not rescaled keeps every bit.
/// Guarantee: with `certified`, ||W|| <= sigma_max is proven of the stored matrix. Without, none: sigma_1 is an
/// estimate from below, and the norm exceeds the cap by the factor by which the estimate is too low. That is about the
/// square of the residual where sigma_1 stands alone, up to the residual in a cluster, any factor where the start
/// missed the direction; rounding to the storage scalar adds about u sqrt(rank).
/// Cost: about 10 to 60 sweeps over W for the estimate, few with a warm start, and one; 16-bit storage and scales near
/// the ends of the exponent range, a copy of W; `certified`, what `scale_to` costs. Scratch: as `lanczos`, that copy,
/// and as `scale_to`.
/// @return sigma_1, residual and steps of the estimate, and the factor.
/// @throws domain_error unless sigma_max is finite and above 0 and the norm l2 or rms, shape_error or domain_error for
/// storage that does not fit, unsupported_error for `certified` where nothing can be proved, numeric_error if an
/// element is NaN or infinite or the result overflows; W is untouched then.
/// Source: arXiv 2507.13338, section 3 (there with 2 to 26 power iterations); Miyato et al. 2018 (arXiv 1802.05957).
template <class B, writable_on<B> A>
spectral_change spectral_normalize(
    B const& given, A&& w,
    spectral_normalize_options<compute_t<detail::argument_value_t<A>>, detail::argument_space_t<A>> const& options) {
  using T = compute_t<detail::argument_value_t<A>>;
  constexpr char const* name = "spectral_normalize";
  constexpr bool is_provable = provable_matrix_on<argument_matrix_t<A>, B> && strict_arithmetic<A>;
  detail::cap_in_l2(name, options.sigma_max, options.norm, 1, 1);
  auto const estimate = detail::estimate_options(options, options.u, options.v);
  detail::check_estimate_of_argument(name, w, estimate);
  if (options.certified && !is_provable) {
    detail::raise<unsupported_error>({name, ": certified is set; proofs read float, double, bf16 and f16, on backends ",
                                      "with standard rounding, in files compiled without -ffast-math"});
  }
  if (options.certified && !arithmetic_environment_is_sound()) {
    detail::raise<numeric_error>(
        {name, ": the arithmetic environment is not IEEE round-to-nearest with subnormals; nothing can be proved"});
  }
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  spectral_change result;
  detail::for_each_matrix(on, w, name, [&](auto elements, T largest) {
    index_t const short_side = elements.rows() < elements.cols() ? elements.rows() : elements.cols();
    double const cap = detail::cap_in_l2(name, options.sigma_max, options.norm, elements.rows(), elements.cols());
    spectral_change change;
    {
      workspace::frame frame(memory.get());
      detail::change_site site(on, elements, largest, cap, frame);
      auto const top = detail::leading_triplet(on, name, site.x, estimate, frame);
      bool const is_above = !(top.sigma <= site.in_units(cap));
      bool const is_left_to_proof = options.certified && options.allow_below;
      change = {site.from_units(top.sigma), static_cast<double>(top.residual), top.iterations, top.converged};
      if (!is_left_to_proof && (is_above || !options.allow_below) && top.sigma > T(0)) {
        int exponent = 0;
        T const mantissa = T(std::frexp(cap, &exponent));
        site.finish(T(mantissa / top.sigma), exponent, name);
        change.factor = site.ratio(cap, top.sigma);
        change.changed = short_side;
      }
    }
    if constexpr (is_provable) {
      double const proven = options.certified ? scale_to(on, elements, cap, {.scratch = &memory.get()}).factor : 1.0;
      change.factor *= proven;
      if (proven != 1) change.changed = short_side;
    }
    detail::include(result, change);
  });
  return result;
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
spectral_change spectral_normalize(A&& w,
                                   spectral_normalize_options<compute_t<detail::argument_value_t<A>>> const& options) {
  return spectral_normalize(B{}, w, options);
}

/// A copy of W, spectrally normalized.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> spectrally_normalized(B const& on, M const& w,
                                         spectral_normalize_options<compute_t<value_t<M>>> const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  spectral_normalize(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> spectrally_normalized(M const& w, spectral_normalize_options<compute_t<value_t<M>>> const& options) {
  return spectrally_normalized(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
