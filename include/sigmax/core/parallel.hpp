// SPDX-License-Identifier: MIT
/// @file
/// Static partition of independent work. Serial unless OpenMP is linked or the caller brings threads of its own, because
/// these are what composes with the threads a host program already has.
#pragma once

#include <cfenv>

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

/// Who works on the parts of a partition: a number of threads, and whose they are.
///
/// `executor(4)`: four threads of OpenMP where it is linked, else one. `executor(4, run, pool)`: whatever `run` makes of
/// it, a thread pool of the host program say. `run(pool, parts, body, data)` calls body(data, part) once for every part
/// in [0, parts), in any order and on any threads, and returns when all calls have returned; body does not throw.
class executor {
 public:
  using body_function = void (*)(void const* data, int part);
  using run_function = void (*)(void* pool, int parts, body_function body, void const* data);

  constexpr executor(int count = 1, run_function function = nullptr, void* context = nullptr)
      : threads_(count > 1 ? count : 1), run_(function), pool_(context) {}

  constexpr int threads() const { return threads_; }
  constexpr run_function run() const { return run_; }
  constexpr void* pool() const { return pool_; }

 private:
  int threads_;
  run_function run_;
  void* pool_;
};

namespace detail {

/// There are threads of OpenMP.
#if defined(_OPENMP)
inline constexpr bool has_openmp_threads = true;
#else
inline constexpr bool has_openmp_threads = false;
#endif

}  // namespace detail

/// Calls body(i) for every i in [0, count): in contiguous ranges on the threads of `on`, in order on this one where there
/// is only one. Which range an i belongs to is fixed by (count, threads). `body` must not throw and its calls must be
/// independent of one another. It runs in the floating-point environment of the caller, and each thread gets its own back:
/// threads of a host may flush subnormals or round another way, which would change bits and void what is proved.
template <class Body>
void parallel_for(index_t count, executor const& on, Body const& body) {
  index_t const parts = count < on.threads() ? count : static_cast<index_t>(on.threads());
  if (parts <= 1 || (on.run() == nullptr && !detail::has_openmp_threads)) {
    for (index_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::fenv_t environment;
  std::fegetenv(&environment);
  auto const work = [&](int part) {
    std::fenv_t own;
    std::fegetenv(&own);
    std::fesetenv(&environment);
    auto const range = partition(count, parts, part);
    for (index_t i = range.first; i < range.last; ++i) body(i);
    std::fesetenv(&own);
  };
  if (on.run() != nullptr) {
    auto const call = [](void const* data, int part) { (*static_cast<decltype(work) const*>(data))(part); };
    return on.run()(on.pool(), static_cast<int>(parts), call, &work);
  }
#if defined(_OPENMP)
// clang-format off
#pragma omp parallel for num_threads(static_cast<int>(parts)) schedule(static, 1)
  // clang-format on
  for (int part = 0; part < static_cast<int>(parts); ++part) work(part);
#endif
}

}  // namespace sigmax::inline SIGMAX_ABI
