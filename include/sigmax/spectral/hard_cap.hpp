// SPDX-License-Identifier: MIT
/// @file
/// Every singular value above the cap to the cap, the others as they are.
#pragma once

#include <atomic>
#include <cmath>
#include <concepts>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/norm.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/certified/scale_to.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/spectral/argument.hpp>
#include <sigmax/spectral/cap.hpp>
#include <sigmax/spectral/cap_paths.hpp>
#include <sigmax/spectral/engine.hpp>
#include <sigmax/spectral/working_set.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// How a hard cap is carried out, or was.
enum class hard_cap_path : unsigned char {
  /// As an option: chosen by shape and backend. As a result: every matrix was within its cap and stayed as it was, bit
  /// for bit.
  automatic,
  unchanged = automatic,
  /// The few singular values above, one by one; falls back to eigenvectors where they are not few.
  deflation,
  /// Eigendecomposition of X X^T.
  eigenvectors,
  /// Matrix polynomials alone: the way of devices, and of scalars and backends without a fast eigendecomposition.
  polynomial
};

/// Options of `hard_cap`.
struct hard_cap_options {
  /// The cap, in the norm below.
  required<double> sigma_max;
  /// norm::l2 or norm::rms (operator norm from RMS to RMS; rows are outputs).
  norm::any norm = norm::l2;
  /// Bound of |f(s) - min(s, cap)| / cap, before the result is rounded to its storage.
  double tolerance = 1e-5;
  hard_cap_path path = hard_cap_path::automatic;
  /// End with `scale_to`: ||W|| <= sigma_max is proven of the matrix as stored. For storage that proofs read.
  bool certified = false;
  /// Scratch memory to reuse.
  workspace* scratch = nullptr;
};

namespace detail {

/// Is ||W||_2 <= cap? Proven where proofs apply, else shown by a factorisation in working precision. If not, b.r = X X^T
/// for the X of the working set.
template <class B, class S, real T>
bool is_within_cap(B const& on, matrix_view_on<B, S> w, double cap, working_set_on<B, T>& set, workspace& memory) {
  auto& b = set.gram;
  if constexpr (provable_matrix_on<matrix_view_on<B, S>, B> && std::same_as<T, double>) {
    if (arithmetic_environment_is_sound()) {
      workspace::frame frame(memory);
      auto const test = test_norm<B, std::remove_const_t<S>>(on, w, cap, frame);
      if (test.proved) return true;
      if (!test.gram.matrix.empty()) {
        scale_by_power_of_two<B, T>(on, test.gram.matrix, 2 * static_cast<int>(test.exponent - set.exponent), b.r);
        return false;
      }
    }
    on.gram(T(1), set.x, T(0), set.x, b.r);
    return false;
  } else {
    on.gram(T(1), set.x, T(0), set.x, b.r);
    T const narrowed = T(set.scaled(cap) / T(T(1) + T(4) * (rounding_margin(set.x) - T(1))));
    on.combine(T(-1), matrix_view_on<B, T const>(b.r), T(0), b.next);
    on.add_to_diagonal(T(narrowed * narrowed), b.next);
    return on.cholesky(b.next) == set.x.rows();
  }
}

/// X <- min(S, cap) for ||X|| <= bound, by the path asked for; returns the path taken. b.r = X X^T on entry.
template <class B, real T>
hard_cap_path cap_once(B const& on, hard_cap_path path, T cap, T bound, double tolerance, gram_buffers_on<B, T>& b,
                       matrix_view_on<B, T>& x, matrix_view_on<B, T>& y, workspace& memory) {
  if (path == hard_cap_path::deflation) {
    index_t const few = 8;
    T const residual = T(T(tolerance / 8) * (cap / bound));
    if (cap_by_deflation(on, cap, residual, few, x, memory) >= 0) {
      // Lanczos may have missed one: a factorisation has the last word.
      T const level = T(cap * T(1 + tolerance / 4));
      on.gram(T(-1), x, T(0), x, b.next);
      on.add_to_diagonal(T(level * level), b.next);
      if (on.cholesky(b.next) == x.rows()) return path;
    }
    on.gram(T(1), x, T(0), x, b.r);
    path = hard_cap_path::eigenvectors;
  }
  if (path == hard_cap_path::eigenvectors) {
    cap_by_eigenvectors(on, cap, b, x, y, memory);
  } else if (static_cast<double>(T(bound / cap)) <= largest_ratio_of_gram_form<T>(tolerance)) {
    cap_by_gram(on, cap, bound, tolerance, b, x, y, memory);
  } else {
    cap_by_polar_factor(on, cap, bound, tolerance, b, x, y, memory);
  }
  return path;
}

/// X <- min(S, cap) for a cap of W, aiming below it by what the path may err above it: half the tolerance for
/// polynomials; for eigenvectors `storage_rounding` and what rounding in X X^T does to a singular value at the cap, noise
/// r^2 with r = ||X|| / cap. Where that would exceed the tolerance, or a sign polynomial would need more than double's
/// digits, eigenvectors first cap at a higher level, which leaves what is below it alone. b.r = X X^T on entry.
template <class B, real T>
hard_cap_path cap_in_passes(B const& on, hard_cap_path path, double cap, double tolerance, double storage_rounding,
                            working_set_on<B, T>& set, workspace& memory) {
  double const noise = 16 * static_cast<double>(unit_roundoff<T>()) * std::sqrt(static_cast<double>(set.x.rows()));
  double const ratio_of_eigenvectors = std::fmax(2.0, std::sqrt(tolerance / (4 * noise)));
  double const ratio_of_path =
      path == hard_cap_path::polynomial ? std::fmax(4.0, tolerance * 1e11) : ratio_of_eigenvectors;
  auto taken = hard_cap_path::unchanged;
  // The polynomials gain from the sharper bound, which costs a product.
  bool const by_square = path == hard_cap_path::polynomial;
  for (bool first = true;; first = false) {
    if (!first) on.gram(T(1), set.x, T(0), set.x, set.gram.r);
    T const bound = T(bound_norm_freely(on, set.x, by_square, set.gram).upper * rounding_margin(set.x));
    T const level = set.scaled(cap);  // 0 where it has no T yet
    double const ratio = static_cast<double>(T(bound / level));
    if (!(ratio > 1)) return taken;
    if (ratio <= ratio_of_path) {
      double const error = path == hard_cap_path::eigenvectors ? storage_rounding + noise * ratio * ratio : tolerance;
      T const target = T(level * T(1 - std::fmin(tolerance, error) / 2));
      return cap_once(on, path, target, bound, tolerance / 2, set.gram, set.x, set.y, memory);
    }
    taken = hard_cap_path::eigenvectors;
    T const lowered = T(bound / T(std::fmin(ratio_of_eigenvectors, ratio / 2)));
    cap_once(on, taken, lowered, bound, tolerance, set.gram, set.x, set.y, memory);
    set.rescale(on, lowered);
  }
}

inline void check_hard_cap_options(hard_cap_options const& options) {
  cap_in_l2("hard_cap", options.sigma_max, options.norm, 1, 1);
  if (!(options.tolerance >= 1e-11) || !(options.tolerance <= 0.1)) {
    raise<domain_error>({"hard_cap: tolerance is ", options.tolerance, "; it must be between 1e-11 and 0.1"});
  }
}

}  // namespace detail

/// W = U S V^T -> U min(S, sigma_max) V^T.
///
/// W: a matrix of any shape, strides, storage scalar and scale, or a batch; changed in place. Matrices whose norm can
/// be proved to be within the cap keep every bit.
/// Guarantee, in exact arithmetic: every singular value s becomes f(s) with |f(s) - min(s, cap)| <= tolerance cap and
/// f(s) <= cap. Computed in double for float and 16-bit storage, and rounded once to the storage scalar: no singular
/// value is above cap (1 + 4 u) for the u of the storage, as tests measure. With `certified` ||W|| <= sigma_max is
/// proven of the stored matrix.
/// Cost, m the short side, a = long / m, in units of m^3 FLOPs: the proof, a + 1/3; then by eigenvectors 3 a and the
/// eigendecomposition, by polynomials about 3 a + 60 for ||W|| = 2 sigma_max. Scratch: at most
/// 3 m n + 10 m^2 + 200 (m + n) scalars and what the backend packs.
/// The matrices of a batch are done side by side on the threads of the backend, with the same bits for any number of them;
/// each thread takes the scratch of its own largest matrix.
/// @return the most general path any matrix took, `unchanged` if none was touched.
/// @throws domain_error for options out of range, numeric_error if an element is NaN or infinite, or if `certified` is
/// asked and nothing can be proved in this arithmetic environment, unsupported_error if it is asked of a scalar without
/// proofs; W is untouched then.
/// Source: the construction and its error are ours (cap_paths.hpp); msign identities: arXiv 2507.13338, appendix B.
template <class B, writable_on<B> A>
hard_cap_path hard_cap(B const& given, A&& w, hard_cap_options const& options) {
  using S = detail::argument_value_t<A>;
  using T = detail::cap_scalar<compute_t<S>>;
  detail::check_hard_cap_options(options);
  if (options.certified && !provable_matrix_on<argument_matrix_t<A>, B>) {
    detail::raise<unsupported_error>(
        {"hard_cap: certified is set, but nothing is proved of this scalar or on ", B::name});
  }
  if (options.certified && !arithmetic_environment_is_sound()) {
    detail::raise<numeric_error>(
        {"hard_cap: certified is set, but the arithmetic environment is not IEEE round-to-nearest with subnormals"});
  }
  detail::scratch memory(options.scratch);
  std::atomic<hard_cap_path> most_general = hard_cap_path::unchanged;
  auto const change = [&](auto const& on, auto elements, auto largest, workspace& own) {
    double const cap = detail::cap_in_l2("hard_cap", options.sigma_max, options.norm, elements.rows(), elements.cols());
    detail::working_set_on<B, T> set(on, elements, largest, own);
    T const scaled_cap = set.scaled(cap);
    if (!(T(scaled_cap) <= std::numeric_limits<T>::max())) return;  // ||X|| < 1
    if (detail::is_within_cap(on, elements, cap, set, own)) return;

    auto path = options.path;
    if (path == hard_cap_path::automatic) {
      // Measured on cpu::simd from order 64 to 512, half of all values above: polynomials took 4 to 15 times as long. Jacobi's
      // method takes longer than they do from order 64 on.
      bool const fast = B::fast_symmetric_eigen && std::floating_point<T>;
      path = fast || set.x.rows() <= 64 ? hard_cap_path::eigenvectors : hard_cap_path::polynomial;
    }
    path = detail::cap_in_passes(on, path, cap, options.tolerance, 4 * detail::storage_roundoff<S>(), set, own);
    detail::store(on, set.x, T(1), set.exponent, elements, "hard_cap");
    // The largest of all, whichever thread comes first.
    auto known = most_general.load(std::memory_order_relaxed);
    while (known < path && !most_general.compare_exchange_weak(known, path, std::memory_order_relaxed)) {
    }
    if constexpr (provable_matrix_on<decltype(elements), B>) {
      if (options.certified) scale_to(on, elements, cap, {.scratch = &own});
    }
  };
  detail::for_every_matrix(detail::with_scratch(given, memory.get()), memory.get(), w, "hard_cap", change);
  return most_general;
}

/// The same on the default backend.
template <writable_argument A, class B = default_backend<detail::argument_value_t<A>>>
hard_cap_path hard_cap(A&& w, hard_cap_options const& options) {
  return hard_cap(B{}, w, options);
}

/// A copy of W, hard capped.
template <class B, host_matrix_on<B> M>
matrix<value_t<M>> hard_capped(B const& on, M const& w, hard_cap_options const& options) {
  auto result = matrix<value_t<M>>::copy_of(w);
  hard_cap(on, result, options);
  return result;
}

/// The same on the default backend.
template <matrix_like M, class B = default_backend<value_t<M>>>
matrix<value_t<M>> hard_capped(M const& w, hard_cap_options const& options) {
  return hard_capped(B{}, w, options);
}

}  // namespace sigmax::inline SIGMAX_ABI
