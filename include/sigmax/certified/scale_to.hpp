// SPDX-License-Identifier: MIT
/// @file
/// The last step of a constraint: the matrix as it is stored provably satisfies the cap.
#pragma once

#include <utility>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// A matrix of which norms can be proved and which can be written.
template <class M>
concept writable_provable_matrix = provable_matrix<M> && writable_matrix<M>;

/// The same in the memory of B.
template <class M, class B>
concept writable_provable_matrix_on = provable_matrix_on<M, B> && writable_matrix<M>;

/// What `scale_to` did.
struct scaled_to {
  /// Proven for the stored matrix: ||W||_2 <= bound.value() = c.
  upper_bound<norm::spectral> bound;
  /// Every element was multiplied by this and rounded to the storage scalar; 1 if the matrix was left as it was.
  double factor = 1;
};

/// Makes ||W||_2 <= c true of W *as stored*, proven: leaves W alone if that can be proved of it, else multiplies it by
/// the largest factor c / ||W|| for which it can be proved after rounding to the storage scalar.
///
/// W: m x n of float, double, bf16 or f16, any strides. c > 0, finite. Rounding to the storage scalar can raise the norm
/// by about u sqrt(rank) relative, so the factor is lowered step by step from 1e-10 below c / ||W|| until the proof
/// goes through: at the first or second try for float and double, within 1 % for bf16.
/// Cost: prove_norm_at_most, and where it scales certified_spectral_norm and one proof a try. Scratch: as those.
/// @throws domain_error unless c is finite and > 0, numeric_error if W is not finite or nothing can be proved in this
/// arithmetic environment; W is untouched then.
template <certifying_backend<double> B, writable_provable_matrix_on<B> M>
scaled_to scale_to(B const& on, M&& w, double c, certified_options const& options = {}) {
  SIGMAX_DETAIL_REQUIRE_STRICT_ARITHMETIC(M);
  using S = value_t<M>;
  if (!(c > 0) || !is_finite(c)) {
    detail::raise<domain_error>({"scale_to: c is ", c, "; the cap must be finite and above 0"});
  }
  if (!arithmetic_environment_is_sound()) {
    detail::raise<numeric_error>(
        {"scale_to: the arithmetic environment is not IEEE round-to-nearest with subnormals; nothing can be proved"});
  }
  auto const elements = sigmax::view(w);
  // proof::upper: prove_norm_at_most returned true for c and the elements as stored.
  if (prove_norm_at_most(on, elements, c, {.scratch = options.scratch})) {
    return {detail::proof::upper<norm::spectral>(c), 1};
  }
  auto const norm = certified_spectral_norm(on, elements, {options.relative_gap, options.seed, options.scratch});
  detail::scratch memory(options.scratch);
  detail::lend_device_memory(on, memory.get());
  workspace::frame frame(memory.get());
  auto const trial = frame.template matrix<S, typename B::space>(elements.rows(), elements.cols());
  // The norm itself may exceed the largest double; its lower end does not, and serves as well with a larger margin.
  double const size = is_finite(norm.upper()) ? norm.upper() : norm.lower();
  double margin = 1e-10;
  double factor = 0;
  for (;; margin *= 2) {
    factor = margin < 1 ? c / size * (1 - margin) : 0.0;
    on.combine_stored(factor, elements, 0.0, trial);
    if (prove_norm_at_most(on, trial, c, {.scratch = &frame.owner()})) break;
    if (!(factor > 0)) {
      detail::raise<numeric_error>(
          {"scale_to: the zero matrix could not be proved; the arithmetic environment changed"});
    }
  }
  on.convert(trial, elements);
  return {detail::proof::upper<norm::spectral>(c), factor};
}

/// The same on the default backend.
template <writable_provable_matrix M, class B = default_backend<double>>
scaled_to scale_to(M&& w, double c, certified_options const& options = {}) {
  return scale_to(B{}, std::forward<M>(w), c, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
