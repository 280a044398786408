// SPDX-License-Identifier: MIT
/// @file What functions share that act through the leading singular vectors alone: the report, the place where a matrix
/// of any storage and scale is changed, the estimate of a triplet.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/lanczos.hpp>
#include <sigmax/spectral/argument.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// What `spectral_normalize`, `spectral_hammer` and `spectral_weight_decay` saw and did. Of a batch: the largest sigma
/// and residual, the sums of iterations and changed, the least factor; converged if all did. Matrices without a
/// non-zero element count as converged with sigma 0.
struct spectral_change {
  /// Estimate of the largest singular value before.
  double sigma = 0;
  /// Residual of the estimate, relative to sigma (see singular_estimate); the largest where there are several triplets.
  double residual = 0;
  /// Steps of the estimator.
  index_t iterations = 0;
  /// The residual met the tolerance.
  bool converged = true;
  /// What the largest singular value was multiplied by.
  double factor = 1;
  /// How many singular values were changed.
  index_t changed = 0;
};

namespace detail {

inline void include(spectral_change& all, spectral_change const& one) {
  all.sigma = one.sigma > all.sigma ? one.sigma : all.sigma;
  all.residual = one.residual > all.residual ? one.residual : all.residual;
  all.iterations += one.iterations;
  all.converged = all.converged && one.converged;
  all.factor = one.factor < all.factor || all.iterations == one.iterations ? one.factor : all.factor;
  all.changed += one.changed;
}

/// x 2^exponent in any scalar; 0 or infinity where that has no T.
template <real T>
T times_power_of_two(T x, int exponent) {
  int const half = exponent / 2;
  return T(T(x * power_of_two<T>(half)) * power_of_two<T>(exponent - half));
}

/// Where a matrix is changed: W itself where it is stored in the scalar it is computed in and its elements and the
/// level it is taken to are of moderate size, so that no product over- or underflows; else a copy X = 2^-exponent W
/// with |x_ij| < 1. Exact either way.
template <class B, class S, real T>
class change_site {
 public:
  /// @param largest largest magnitude in W, above 0. @param level a singular value W may be given, or 1.
  change_site(B const& on, matrix_view_on<B, S> w, T largest, double level, workspace::frame& frame) : on_(on), w_(w) {
    int level_exponent = 0;
    (void)std::frexp(level, &level_exponent);
    exponent_ = exponent_above(largest);
    if constexpr (std::same_as<S, T>) {
      constexpr int reach = static_cast<int>(std::numeric_limits<T>::max_exponent / 8);
      auto const is_moderate = [](int e) { return e > -reach && e < reach; };
      if (is_moderate(exponent_) && is_moderate(level_exponent)) {
        exponent_ = 0;
        x = w;
        return;
      }
    }
    is_copy_ = true;
    x = frame.template matrix<T, typename B::space>(w.rows(), w.cols());
    load(on_, w, exponent_, x);
  }

  /// The matrix to change: W / unit.
  matrix_view_on<B, T> x;

  /// level / unit, and sigma unit as a double.
  T in_units(double level) const {
    int level_exponent = 0;
    T const mantissa = T(std::frexp(level, &level_exponent));
    return times_power_of_two(mantissa, level_exponent - exponent_);
  }
  double from_units(T sigma) const { return std::ldexp(static_cast<double>(sigma), exponent_); }
  /// level / (sigma unit)
  double ratio(double level, T sigma) const {
    int level_exponent = 0;
    double const mantissa = std::frexp(level, &level_exponent);
    return std::ldexp(mantissa / static_cast<double>(sigma), level_exponent - exponent_);
  }

  /// Makes the unit 1 and returns the exponent of the old one. For levels so far above W that they have no T in units
  /// of
  /// W: in units of 1 both exist.
  int use_unit_one() {
    if (exponent_ != 0) scale_by_power_of_two<B, T>(on_, x, exponent_, x);
    return std::exchange(exponent_, 0);
  }

  /// W <- factor 2^exponent X, rounded once; X is used up. @throws numeric_error if that overflows, W untouched then.
  void finish(T factor, int exponent, char const* function) {
    if (is_copy_) {
      store(on_, x, factor, exponent, w_, function);
    } else if (factor != T(1) || exponent != 0) {
      on_.combine(times_power_of_two(factor, exponent), matrix_view_on<B, T const>(x), T(0), x);
    }
  }
  /// W <- X.
  void finish(char const* function) { finish(T(1), exponent_, function); }

 private:
  B const& on_;
  matrix_view_on<B, S> w_;
  int exponent_ = 0;
  bool is_copy_ = false;
};

/// X <- X + sum_k left_k right_k^T for the rows of left (k x m) and right (k x n). 2 m n k FLOPs, on the host in one sweep
/// over X: a matrix product of such a small inner extent would spend its time on packing.
template <class B, real T>
void add_outer_products(B const& on, matrix_view_on<B, T> left, matrix_view_on<B, T> right, matrix_view_on<B, T> x) {
  if constexpr (prefers_products<B>()) {
    on.multiply(T(1), left.transposed(), right, T(1), x, x);
  } else {
    if (x.row_stride() == 1 && x.col_stride() != 1) return add_outer_products(on, right, left, x.transposed());
    for (index_t i = 0; i < x.rows(); ++i) {
      for (index_t k = 0; k < left.rows(); ++k) on.combine(left(k, i), as_row(right.row(k)), T(1), as_row(x.row(i)));
    }
  }
}

/// What a verb's options say about the estimate, with other storage.
template <class T, class Options, class Space>
singular_estimate_options<T, Space> estimate_options(Options const& options, vector_view<T, Space> u,
                                                     vector_view<T, Space> v) {
  return {.tolerance = options.tolerance,
          .max_iterations = options.max_iterations,
          .seed = options.seed,
          .warm_start = options.warm_start,
          .u = u,
          .v = v};
}

/// Checks them before anything is looked at. Storage for vectors is for one matrix.
template <class A, real T, class Space>
void check_estimate_of_argument(char const* function, A& argument, singular_estimate_options<T, Space> const& options) {
  if constexpr (matrix_like<A>) {
    auto const w = view_of(argument);
    check_estimate_options(function, options, w.rows(), w.cols());
  } else {
    if (!options.u.empty() || !options.v.empty() || options.warm_start) {
      raise<domain_error>({function, ": u, v or warm_start is set for a batch; they belong to a single matrix"});
    }
    check_estimate_options(function, options, 0, 0);
  }
}

/// The leading triplet of X by Lanczos. A warm start is disturbed by min(1e-3, 1000 tolerance), so that a direction
/// which has overtaken the old one is noticed; a v of zeros starts cold. sigma u = X v to rounding, whatever the
/// residual.
template <class B, real T>
singular_estimate<T, typename B::space> leading_triplet(B const& on, char const* function, matrix_view_on<B, T> x,
                                                        singular_estimate_options<T, typename B::space> options,
                                                        workspace::frame& frame) {
  using std::sqrt;
  if (options.u.empty()) options.u = frame.template vector<T, typename B::space>(x.rows());
  if (options.v.empty()) options.v = frame.template vector<T, typename B::space>(x.cols());
  options.scratch = &frame.owner();
  auto const v = options.v;
  options.warm_start = options.warm_start && (on.max_abs(as_row(v)) > T(0));
  if (options.warm_start) {
    place_start(on, function, options, v, frame);
    double const tolerance =
        static_cast<double>(options.tolerance > T(0) ? options.tolerance : T(sqrt(unit_roundoff<T>())));
    double const size = std::fmin(1e-3, 1e3 * tolerance) / std::sqrt(static_cast<double>(v.size()));
    random_sequence const normal(options.seed);
    auto const disturbance = frame.template vector<T, typename B::space>(v.size());
    auto const staged = staging_for(on, disturbance, frame);
    for (index_t i = 0; i < v.size(); ++i) staged[i] = T(size * normal.normal(static_cast<std::uint64_t>(i)));
    deliver(on, staged, disturbance);
    on.combine(T(1), as_row(disturbance), T(1), as_row(v));
  }
  return lanczos(on, x, options);
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
