// SPDX-License-Identifier: MIT
/// @file
/// Threads of a test's own, which show what the order of parts, or their running at once, would spoil.
#pragma once

#include <cfenv>
#include <thread>
#include <vector>

#include <sigmax/core/parallel.hpp>

namespace sigmax::test {

/// Runs the parts backwards on this thread: a result that depended on their order would differ.
inline void run_backwards(void*, int parts, executor::body_function body, void const* data) {
  for (int part = parts - 1; part >= 0; --part) body(data, part);
}

/// A thread for each part, all at once; counts them in the int that is its pool.
inline void run_at_once(void* started, int parts, executor::body_function body, void const* data) {
  std::vector<std::thread> threads;
  for (int part = 0; part < parts; ++part) threads.emplace_back([=] { body(data, part); });
  for (auto& thread : threads) thread.join();
  *static_cast<int*>(started) += parts;
}

/// As run_at_once, on threads that round upwards, as those of a host may.
inline void run_rounding_upwards(void* started, int parts, executor::body_function body, void const* data) {
  auto const rounding_upwards = [&](int part) {
    std::fesetround(FE_UPWARD);
    body(data, part);
  };
  using call = decltype(rounding_upwards);
  run_at_once(
      started, parts, [](void const* given, int part) { (*static_cast<call*>(given))(part); }, &rounding_upwards);
}

}  // namespace sigmax::test
