// SPDX-License-Identifier: MIT
/// @file
/// The backend under test, with as many threads as it is to use.
#pragma once

#include <type_traits>

#include <sigmax/backend/simd.hpp>
#include <sigmax/core/workspace.hpp>

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

/// The same backend with scratch memory to reuse, where it takes any: primitives are timed warmed, as algorithms call
/// them.
template <class Backend>
Backend warmed(Backend const& on, [[maybe_unused]] sigmax::workspace& memory) {
  if constexpr (requires { on.using_scratch(memory); }) {
    return on.using_scratch(memory);
  } else {
    return on;
  }
}

}  // namespace bench
