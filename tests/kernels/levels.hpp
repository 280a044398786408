// SPDX-License-Identifier: MIT
/// @file
/// The levels a test of cpu::native runs on.
#pragma once

#include <doctest/doctest.h>

#include <sigmax/kernels.hpp>

namespace sigmax::test {

inline constexpr kernels::level every_level[] = {kernels::level::generic,   kernels::level::x86_64,
                                                 kernels::level::x86_64_v2, kernels::level::x86_64_v3,
                                                 kernels::level::x86_64_v4, kernels::level::neon};

/// Calls check(backend) for each level this processor executes.
template <class F>
void on_every_level(F const& check) {
  for (auto const level : every_level) {
    if (!kernels::is_executable(level)) continue;
    INFO("level ", kernels::name(level));
    check(cpu::native(level));
  }
}

}  // namespace sigmax::test
