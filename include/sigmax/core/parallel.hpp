// SPDX-License-Identifier: MIT
/// @file
/// Static partition of independent work. Serial unless OpenMP is linked, because OpenMP is what composes with the
/// threads a host program already has.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>

namespace sigmax::inline SIGMAX_ABI {

/// The half-open range of items that part `part` of `parts` works on: sizes differ by at most one.
struct index_range {
  index_t first = 0;
  index_t last = 0;
};

/// Part `part` of [0, count) cut into `parts` contiguous pieces.
constexpr index_range partition(index_t count, index_t parts, index_t part) {
  index_t const quotient = count / parts;
  index_t const remainder = count % parts;
  index_t const first = part * quotient + (part < remainder ? part : remainder);
  return {first, first + quotient + (part < remainder ? 1 : 0)};
}

/// Calls body(i) for every i in [0, count), on up to `threads` threads where OpenMP is linked, else in order on this
/// one. Which thread runs which i is fixed by (count, threads). `body` must not throw and its calls must be
/// independent of one another.
template <class Body>
void parallel_for(index_t count, [[maybe_unused]] int threads, Body const& body) {
#if defined(_OPENMP)
  if (threads > 1 && count > 1) {
    index_t const parts = count < threads ? count : static_cast<index_t>(threads);
// clang-format off
#pragma omp parallel for num_threads(static_cast<int>(parts)) schedule(static, 1)
    // clang-format on
    for (index_t part = 0; part < parts; ++part) {
      auto const range = partition(count, parts, part);
      for (index_t i = range.first; i < range.last; ++i) body(i);
    }
    return;
  }
#endif
  for (index_t i = 0; i < count; ++i) body(i);
}

}  // namespace sigmax::inline SIGMAX_ABI
