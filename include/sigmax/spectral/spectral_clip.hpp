// SPDX-License-Identifier: MIT
/// @file
/// Singular values brought into an interval from both sides, or raised to a threshold.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/hard_cap.hpp>
#include <sigmax/spectral/polar_decomposition.hpp>
#include <sigmax/spectral/polar_iteration.hpp>
#include <sigmax/spectral/sign_steps.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Options of `spectral_clip`.
struct spectral_clip_options {
  /// Singular values below are raised to this; at least 0.
  double lower = 0;
  /// Singular values above are lowered to this; at least `lower`, may be infinite.
  double upper = std::numeric_limits<double>::infinity();
  /// How: through eigenvectors of the polar factor H (automatic for a short side up to 64), or by polynomials alone.
  hard_cap_path path = hard_cap_path::automatic;
  /// For polynomials: bound of the error relative to the nearer end.
  double tolerance = 1e-5;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

/// Options of `spectral_relu`.
struct spectral_relu_options {
  /// Singular values below are raised to this; at least 0, finite.
  required<double> threshold;
  hard_cap_path path = hard_cap_path::automatic;
  double tolerance = 1e-5;
  workspace* scratch = nullptr;
};

namespace detail {

/// next <- factor |H - level I| + next for eigenvalues of H in [0, reach]; |Z| = Z sign(Z / w), which errs by
/// w l (1 + l) at the most where the sign polynomial is made for [l, 1]: `error` in all (see relu_above).
template <class B, real T>
void add_distance_to(B const& on, T level, T reach, double error, T factor, matrix_view_on<B, T> h,
                     matrix_view_on<B, T> sum, gram_buffers_on<B, T>& b, workspace& memory) {
  workspace::frame frame(memory);
  index_t const m = h.rows();
  auto const z = frame.template matrix<T, typename B::space>(m, m);
  auto const s = frame.template matrix<T, typename B::space>(m, m);
  on.combine(T(1), h, T(0), z);
  on.add_to_diagonal(T(-level), z);
  on.combine(T(1), z, T(0), s);
  T const other = T(reach - level);
  T const width = T(T(1.02) * (other < level ? level : other));
  // Below u nothing is gained, and 32 steps would not suffice.
  double const relative = std::fmin(0.5, std::fmax(0x1p-54, error / (1.02 * static_cast<double>(width))));
  odd_polynomial<T> steps[polynomial_schedule::capacity];
  int const count = sign_steps(relative, relative, width, steps);
  apply_to_symmetric(on, steps, count, b, s);
  on.symmetric_product(factor, z, s, T(1), sum, sum);
}

/// X <- U clip(S) V^T by clip(s) = (a + b + |s - a| - |s - b|) / 2; for b infinite (a + s + |s - a|) / 2. O in x, H in
/// h.
template <class B, real T>
void clip_by_polynomials(B const& on, T lower, T upper, double tolerance, gram_buffers_on<B, T>& b,
                         matrix_view_on<B, T>& x, matrix_view_on<B, T>& y, matrix_view_on<B, T> h, workspace& memory) {
  using std::sqrt;
  workspace::frame frame(memory);
  index_t const m = x.rows();
  auto const sum = frame.template matrix<T, typename B::space>(m, m);
  on.gram(T(1), h, T(0), h, b.r);
  T const reach = T(bound_norm_freely(on, h, true, b).upper * rounding_margin(h));
  bool const bounded = upper < reach;  // else nothing is lowered, and b might be so large that digits of s are lost
  on.combine(T(bounded ? 0 : 0.5), h, T(0), sum);
  on.add_to_diagonal(T(T(0.5) * (bounded ? T(lower + upper) : lower)), sum);
  double const error = tolerance * static_cast<double>(lower > T(0) ? lower : upper);
  if (lower > T(0)) {
    add_distance_to(on, lower, reach, error, T(0.5), h, sum, b, memory);
  } else {
    on.combine(T(0.5), h, T(1), sum);
  }
  if (bounded) add_distance_to(on, upper, reach, error, T(-0.5), h, sum, b, memory);
  on.multiply(T(1), sum, x, T(0), x, y);
  std::swap(x, y);
}

}  // namespace detail

/// W = U S V^T -> U clip(S) V^T with clip(s) = min(max(s, lower), upper).
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. Computed in double for
/// float and 16-bit storage and rounded once. Singular values below u ||W|| have no direction that rounding leaves
/// alone: they end between 0 and `lower`. A zero matrix stays zero. With lower = 0 this is `hard_cap` without its
/// proof.
/// Guarantee: error at most about u ||W|| by eigenvectors, and `tolerance` times the end more by polynomials, an
/// estimate that tests measure, not a proof.
/// Cost: a polar iteration (see `orthogonalize`), 4 a units, and an eigendecomposition of order m with 4 a more, or
/// about 40 units for each end. Scratch: 3 m n + 9 m^2 scalars.
/// @throws domain_error unless 0 <= lower <= upper and lower is finite, numeric_error if an element is NaN or infinite.
/// W is untouched then.
/// Source: arXiv 2507.13338, appendix B; polynomials.md 3.4.
template <class B, writable_on<B> A>
void spectral_clip(B const& given, A&& w, spectral_clip_options const& options) {
  using T = detail::cap_scalar<compute_t<detail::argument_value_t<A>>>;
  if (!(options.lower >= 0) || !(options.lower <= std::numeric_limits<double>::max()) ||
      !(options.upper >= options.lower) || !(options.upper > 0)) {
    detail::raise<domain_error>({"spectral_clip: lower is ", options.lower, " and upper ", options.upper,
                                 "; they must satisfy 0 <= lower <= upper, lower finite and upper above 0"});
  }
  if (!(options.tolerance >= 1e-11) || !(options.tolerance <= 0.1)) {
    detail::raise<domain_error>({"spectral_clip: tolerance is ", options.tolerance, "; it must be in [1e-11, 0.1]"});
  }
  detail::scratch memory(options.scratch);
  auto const on = detail::with_scratch(given, memory.get());
  detail::for_each_matrix(on, w, "spectral_clip", [&](auto elements, auto largest) {
    detail::working_set_on<B, T> set(on, elements, largest, memory.get());
    T const lower = set.scaled(options.lower);
    T const upper = set.scaled(options.upper);
    if (lower >= T(1)) {  // ||X|| < 1: all are raised. `lower` itself may be infinite here.
      detail::polar_iteration(on, static_cast<double>(unit_roundoff<T>()), set.gram, set.x, set.y, memory.get());
      detail::store(on, set.x, T(options.lower), 0, elements, "spectral_clip");
      return;
    }
    auto const h = set.frame.template matrix<T, typename B::space>(set.x.rows(), set.x.rows());
    detail::polar_decompose(on, static_cast<double>(unit_roundoff<T>()), set.gram, set.x, set.y, h, memory.get());
    bool const small = set.x.rows() <= 64;
    if (options.path == hard_cap_path::polynomial || (options.path == hard_cap_path::automatic && !small)) {
      detail::clip_by_polynomials(on, lower, upper, options.tolerance, set.gram, set.x, set.y, h, memory.get());
    } else {
      auto const clip = [&](T s) { return s < lower ? lower : upper < s ? upper : s; };
      detail::apply_by_eigenvectors(on, clip, set.gram, set.x, set.y, h, memory.get());
    }
    detail::store(on, set.x, T(1), set.exponent, elements, "spectral_clip");
  });
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void spectral_clip(A&& w, spectral_clip_options const& options) {
  spectral_clip(B{}, w, options);
}

/// A copy of W, clipped.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> spectrally_clipped(B const& on, M const& w, spectral_clip_options const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  spectral_clip(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> spectrally_clipped(M const& w, spectral_clip_options const& options) {
  return spectrally_clipped(B{}, w, options);
}

/// W = U S V^T -> U max(S, threshold) V^T: `spectral_clip` with threshold as the lower end and no upper one.
/// @throws domain_error unless threshold is finite and at least 0, else as spectral_clip.
template <class B, writable_on<B> A>
void spectral_relu(B const& on, A&& w, spectral_relu_options const& options) {
  double const threshold = options.threshold;
  if (!(threshold >= 0) || !(threshold <= std::numeric_limits<double>::max())) {
    detail::raise<domain_error>({"spectral_relu: threshold is ", threshold, "; it must be finite and at least 0"});
  }
  spectral_clip(on, w,
                {.lower = threshold, .path = options.path, .tolerance = options.tolerance, .scratch = options.scratch});
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
void spectral_relu(A&& w, spectral_relu_options const& options) {
  spectral_relu(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
