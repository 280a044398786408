// SPDX-License-Identifier: MIT
/// @file
/// What the iterative estimators return, and the options they share.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include <sigmax/config.hpp>
#include <sigmax/core/device_matrix.hpp>
#include <sigmax/core/device_memory.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/matrix_view.hpp>
#include <sigmax/core/workspace.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// An approximate leading singular triplet. An *estimate*: sigma can lie on either side of the norm, by a little
/// through rounding and by a lot where the iteration stopped early or started orthogonal to what it looks for. It does
/// not convert to a bound; `certified_spectral_norm` makes those.
///
/// `u` and `v` are unit vectors with W v close to sigma u. They view the storage given in the options, else storage
/// that this object owns (which is why it moves but does not copy), in the memory of W.
template <class T, class Space = host_space>
struct singular_estimate {
  T sigma = T(0);
  /// ||W^T u - sigma v|| / sigma: some singular value lies within this relative distance of sigma, in exact arithmetic.
  T residual = T(0);
  /// Steps taken; 0 where power iteration was started at its answer.
  index_t iterations = 0;
  /// The residual met the tolerance before the iterations ran out.
  bool converged = false;
  vector_view<T, Space> u;
  vector_view<T, Space> v;

  singular_estimate() = default;
  singular_estimate(singular_estimate&&) = default;
  singular_estimate& operator=(singular_estimate&&) = default;
  singular_estimate(singular_estimate const&) = delete;
  singular_estimate& operator=(singular_estimate const&) = delete;

  /// The caller's storage where it is given, else own storage of that size, on a device from `source`. For the
  /// estimators.
  void place_vectors(index_t rows, vector_view<T, Space> u_storage, index_t cols, vector_view<T, Space> v_storage,
                     device_memory const& source = {}) {
    u = u_storage.empty() ? placed(own_u_, rows, source) : u_storage;
    v = v_storage.empty() ? placed(own_v_, cols, source) : v_storage;
  }

 private:
  using owned = detail::owned_matrix<T, Space>;

  static vector_view<T, Space> placed(owned& own, index_t size, [[maybe_unused]] device_memory const& source) {
    if constexpr (std::is_same_v<Space, host_space>) {
      own = owned(1, size);
    } else {
      own = owned(source, 1, size);
    }
    return own.view().row(0);
  }

  owned own_u_;
  owned own_v_;
};

/// Options of `power_iteration` and `lanczos`.
template <class T, class Space = host_space>
struct singular_estimate_options {
  /// Stop when the residual is at most this; 0 stands for the default of the estimator.
  T tolerance = T(0);
  /// Stop after this many steps; 0 stands for the default of the estimator.
  index_t max_iterations = 0;
  /// Seed of the random start vector, used where there is no warm start.
  std::uint64_t seed = 0;
  /// Start from the vector in `v` (it must be given, finite and not zero).
  bool warm_start = false;
  /// Storage for the left singular vector: W.rows() elements, or empty.
  vector_view<T, Space> u = {};
  /// Storage for the right singular vector: W.cols() elements, or empty.
  vector_view<T, Space> v = {};
  /// Scratch memory to reuse; nothing is allocated in a repeated call if this, u and v are given.
  workspace* scratch = nullptr;
};

}  // namespace sigmax::inline SIGMAX_ABI
