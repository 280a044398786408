// SPDX-License-Identifier: MIT
/// @file
/// The operator v -> W^T W v of a matrix of any scale and any storage, in the scalar it is computed in.
#pragma once

#include <cmath>
#include <limits>

#include <sigmax/backend/concept.hpp>
#include <sigmax/backend/host_access.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix_like.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/estimate/singular_estimate.hpp>

namespace sigmax::inline SIGMAX_ABI::detail {

/// The backend multiplies matrices stored in S with vectors of T.
template <class B, class S, class T>
concept reads_storage = requires(B const& on, matrix_view<S const, typename B::space> x,
                                 vector_view<T const, typename B::space> u, vector_view<T, typename B::space> v) {
  on.times_vector(T(1), x, u, T(0), v);
  on.gram_times_vector(x, u, v);
};

/// W / s for s = max |w_ij|, without a copy where the powers of s that occur are far from the ends of the exponent
/// range and the backend reads the storage; otherwise a scaled copy in the workspace. Estimates need no exact scaling.
template <class B, real T, class S>
class scaled_operator {
 public:
  scaled_operator(B const& backend, matrix_view_on<B, S const> w, char const* function, workspace::frame& frame)
      : backend_(backend), stored_(w), scale_(backend.max_abs(w)) {
    if (!(scale_ <= std::numeric_limits<T>::max())) {
      raise<numeric_error>({function, ": W has an element that is NaN or infinite; all must be finite"});
    }
    bool const scaled = scale_ > T(0) && !is_moderate(scale_);
    if (scale_ > T(0) && !scaled) inner_ = T(T(1) / scale_);
    if (!scaled && reads_storage<B, S, T>) return;
    auto const copy = frame.template matrix<T, typename B::space>(w.rows(), w.cols());
    backend_.convert(w, copy);
    if (scaled) backend_.divide(scale_, copy);
    copy_ = copy;
  }

  T scale() const { return scale_; }
  bool is_zero() const { return !(scale_ > T(0)); }

  /// y = W^T W v / s^2. `shifted` is scratch of the size of v.
  void apply(vector_view_on<B, T const> v, vector_view_on<B, T> shifted, vector_view_on<B, T> y) const {
    backend_.combine(inner_, as_row(v), T(0), as_row(shifted));
    with_matrix([&](auto matrix) { backend_.gram_times_vector(matrix, shifted, y); });
    backend_.combine(inner_, as_row(y), T(0), as_row(y));
  }

  /// u = W v / s.
  void apply_once(vector_view_on<B, T const> v, vector_view_on<B, T> shifted, vector_view_on<B, T> u) const {
    backend_.combine(inner_, as_row(v), T(0), as_row(shifted));
    with_matrix([&](auto matrix) { backend_.times_vector(T(1), matrix, shifted, T(0), u); });
  }

 private:
  static bool is_moderate(T scale) {
    using std::sqrt;
    T const largest = T(sqrt(T(sqrt(std::numeric_limits<T>::max()))));
    return scale < largest && T(1) / largest < scale;
  }

  template <class F>
  void with_matrix(F const& multiply) const {
    if (!copy_.empty()) return multiply(copy_);
    if constexpr (reads_storage<B, S, T>) multiply(stored_);
  }

  B const& backend_;
  matrix_view_on<B, S const> stored_;
  matrix_view_on<B, T const> copy_;
  T scale_;
  T inner_ = T(1);
};

/// v <- v / ||v||, if v is not zero. Returns ||v||, computed without scaling.
template <class B, real T>
T make_unit(B const& backend, vector_view_on<B, T> v) {
  using std::sqrt;
  T const length = T(sqrt(backend.dot(v, v)));
  if (length > T(0)) backend.combine(T(T(1) / length), as_row(v), T(0), as_row(v));
  return length;
}

/// Fills `v` with the start vector the options ask for and makes it a unit vector. On a device the random one is made in
/// the frame.
template <class B, real T>
void place_start(B const& backend, char const* function, singular_estimate_options<T, typename B::space> const& options,
                 vector_view_on<B, T> v, workspace::frame& frame) {
  if (!options.warm_start) {
    auto const start = staging_for(backend, v, frame);
    fill_normal(start, options.seed);
    deliver(backend, start, v);
  }
  T const largest = backend.max_abs(as_row(v));
  if (!(largest > T(0)) || !(largest <= std::numeric_limits<T>::max())) {
    raise<domain_error>({function, ": v is a warm start that is zero or not finite; give a direction"});
  }
  backend.divide(largest, as_row(v));
  make_unit(backend, v);
}

/// Throws what is wrong with the options for a rows x cols matrix.
template <real T, class Space>
void check_estimate_options(char const* function, singular_estimate_options<T, Space> const& options, index_t rows,
                            index_t cols) {
  if (!options.u.empty() && options.u.size() != rows) {
    raise<shape_error>({function, ": u has ", options.u.size(), " elements; W has ", rows, " rows"});
  }
  if (!options.v.empty() && options.v.size() != cols) {
    raise<shape_error>({function, ": v has ", options.v.size(), " elements; W has ", cols, " columns"});
  }
  if (options.warm_start && options.v.empty() && cols > 0) {
    raise<domain_error>({function, ": warm_start is set but v is empty; v holds the start vector"});
  }
  if (!(options.tolerance >= T(0))) {
    raise<domain_error>({function, ": tolerance must be >= 0 (0 stands for the default)"});
  }
  if (options.max_iterations < 0) {
    raise<domain_error>(
        {function, ": max_iterations is ", options.max_iterations, "; it must be >= 0 (0 stands for the default)"});
  }
}

}  // namespace sigmax::inline SIGMAX_ABI::detail
