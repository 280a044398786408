// SPDX-License-Identifier: MIT
/// @file
/// Several leading singular triplets, and the options of their estimator.
#pragma once

#include <cstdint>
#include <type_traits>

#include <sigmax/config.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// Approximate leading singular triplets, W v_i close to sigma_i u_i for the columns u_i of `u` and v_i of `v`.
/// Estimates, never bounds: see singular_estimate.
///
/// u and v have orthonormal columns, to rounding, whatever W is: where sigma_i is 0 they are completed by any. The
/// views show the storage given in the options, else storage that this object owns (which is why it moves but does not
/// copy). u and v are in the memory of W; numbers are on the host.
template <class T, class Space = host_space>
struct singular_triplets {
  /// In descending order up to rounding: `count` elements.
  vector_view<T> sigma;
  /// max(||W^T u_i - sigma_i v_i||, ||W v_i - sigma_i u_i||) / sigma_0: some singular value lies within residual_i
  /// sigma_0 of sigma_i, in exact arithmetic.
  vector_view<T> residual;
  /// rows x count.
  matrix_view<T, Space> u;
  /// cols x count.
  matrix_view<T, Space> v;
  /// Products of a block of vectors with W^T W.
  index_t iterations = 0;
  /// All residuals met the tolerance before the iterations ran out.
  bool converged = false;

  singular_triplets() = default;
  singular_triplets(singular_triplets&&) = default;
  singular_triplets& operator=(singular_triplets&&) = default;
  singular_triplets(singular_triplets const&) = delete;
  singular_triplets& operator=(singular_triplets const&) = delete;

  /// The caller's storage where the options give it, else own storage, on a device from `source`. For the estimators.
  template <class Options>
  void place(Options const& options, index_t rows, index_t cols, device_memory const& source = {}) {
    index_t const count = options.count;
    if (options.sigma.empty()) own_sigma_ = vector<T>(count);
    if (options.residual.empty()) own_residual_ = vector<T>(count);
    sigma = options.sigma.empty() ? own_sigma_.view() : options.sigma;
    residual = options.residual.empty() ? own_residual_.view() : options.residual;
    u = options.u.empty() ? placed(own_u_, rows, count, source) : options.u;
    v = options.v.empty() ? placed(own_v_, cols, count, source) : options.v;
  }

 private:
  using owned = detail::owned_matrix<T, Space>;

  static matrix_view<T, Space> placed(owned& own, index_t rows, index_t cols,
                                      [[maybe_unused]] device_memory const& source) {
    if constexpr (std::is_same_v<Space, host_space>) {
      own = owned(rows, cols);
    } else {
      own = owned(source, rows, cols);
    }
    return own.view();
  }

  vector<T> own_sigma_;
  vector<T> own_residual_;
  owned own_u_;
  owned own_v_;
};

/// Options of `block_lanczos`.
template <class T, class Space = host_space>
struct singular_triplets_options {
  /// How many triplets: 1 to min(rows, cols).
  index_t count = 1;
  /// Stop when every residual is at most this; 0 stands for sqrt(u).
  T tolerance = T(0);
  /// Stop after this many steps; 0 stands for 200.
  index_t max_iterations = 0;
  /// Seed of the random vectors.
  std::uint64_t seed = 0;
  /// Start from the columns of `v` (it must be given and finite; columns of zeros are replaced).
  bool warm_start = false;
  /// Storage for the left singular vectors: W.rows() x count, or empty.
  matrix_view<T, Space> u = {};
  /// Storage for the right singular vectors: W.cols() x count, or empty.
  matrix_view<T, Space> v = {};
  /// Storage for `count` singular values, or empty.
  vector_view<T> sigma = {};
  /// Storage for `count` residuals, or empty.
  vector_view<T> residual = {};
  /// Scratch memory to reuse; nothing is allocated in a repeated call if this and the four above are given.
  workspace* scratch = nullptr;
};

namespace detail {

/// Throws what is wrong with the options for a rows x cols matrix.
template <class T, class Space>
void check_triplet_options(char const* function, singular_triplets_options<T, Space> const& options, index_t rows,
                           index_t cols) {
  index_t const most = rows < cols ? rows : cols;
  index_t const count = options.count;
  if (count < 1 || count > most) {
    raise<domain_error>({function, ": count is ", count, "; W is ", rows, " x ", cols, " and has ", most,
                         " singular values, so it must be between 1 and that"});
  }
  auto const require_shape = [&](char const* name, matrix_view<T, Space> given, index_t extent) {
    if (given.empty() || (given.rows() == extent && given.cols() == count)) return;
    raise<shape_error>(
        {function, ": ", name, " is ", given.rows(), " x ", given.cols(), "; it must be ", extent, " x ", count});
  };
  require_shape("u", options.u, rows);
  require_shape("v", options.v, cols);
  auto const require_size = [&](char const* name, vector_view<T> given) {
    if (given.empty() || given.size() == count) return;
    raise<shape_error>({function, ": ", name, " has ", given.size(), " elements; count is ", count});
  };
  require_size("sigma", options.sigma);
  require_size("residual", options.residual);
  if (options.warm_start && options.v.empty()) {
    raise<domain_error>({function, ": warm_start is set but v is empty; v holds the start vectors"});
  }
  if (!(options.tolerance >= T(0))) {
    raise<domain_error>({function, ": tolerance must be >= 0 (0 stands for the default)"});
  }
  if (options.max_iterations < 0) {
    raise<domain_error>(
        {function, ": max_iterations is ", options.max_iterations, "; it must be >= 0 (0 stands for the default)"});
  }
}

}  // namespace detail

}  // namespace sigmax::inline SIGMAX_ABI
