// SPDX-License-Identifier: MIT
/// @file
/// The backend under test, with as many threads as it is to use.
#pragma once

#include <type_traits>

#include <sigmax/backend/simd.hpp>

namespace bench {

/// Does the backend of this version know of threads? Where it does not, only rows of one thread are run.
inline constexpr bool backend_has_threads = std::is_constructible_v<sigmax::cpu::simd<>, int>;

/// A template, so that the branch that does not exist yet is not compiled.
template <class Backend = sigmax::cpu::simd<>>
Backend backend_for([[maybe_unused]] int threads) {
  if constexpr (std::is_constructible_v<Backend, int>) {
    return Backend(threads);
  } else {
    return Backend();
  }
}

}  // namespace bench
