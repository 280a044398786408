// SPDX-License-Identifier: MIT
/// @file
/// The threads of a backend for work that is no product of matrices.
#pragma once

#include <algorithm>

#include <sigmax/core/parallel.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/core/workspace.hpp>

namespace transformer {

using sigmax::index_t;

/// One where the backend knows of none.
template <class Backend>
sigmax::executor workers_of(Backend const& on) {
  if constexpr (requires { sigmax::executor(on.workers()); }) {
    return on.workers();
  } else {
    return {};
  }
}

/// f(first, last, part) on contiguous ranges of [0, count), one for each thread; nothing that f computes of an item may
/// depend on the range it is in.
template <class F>
void for_ranges(index_t count, sigmax::executor const& workers, F const& f) {
  index_t const parts = std::clamp<index_t>(workers.threads(), 1, std::max<index_t>(count, 1));
  sigmax::parallel_for(parts, workers, [&](index_t part) {
    auto const range = sigmax::partition(count, parts, part);
    f(range.first, range.last, static_cast<int>(part));
  });
}

/// The backend for one thread of a parallel algorithm: alone, and with scratch memory of its own.
template <class Backend>
Backend alone(Backend on, [[maybe_unused]] sigmax::workspace& memory) {
  if constexpr (requires { on.using_workers(sigmax::executor(1)); }) on = on.using_workers(sigmax::executor(1));
  if constexpr (requires { on.using_scratch(memory); }) on = on.using_scratch(memory);
  return on;
}

/// The backend with scratch memory.
template <class Backend>
Backend with_scratch(Backend on, [[maybe_unused]] sigmax::workspace& memory) {
  if constexpr (requires { on.using_scratch(memory); }) on = on.using_scratch(memory);
  return on;
}

}  // namespace transformer
