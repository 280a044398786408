// SPDX-License-Identifier: MIT
// The levels that are in the library, and the best of them. SIGMAX_KERNELS_LEVELS is LEVEL(x86_64) LEVEL(x86_64_v2) ...
// in ascending order. Everything here is compiled for the oldest processor and uses nothing of the standard library.
#include <sigmax/kernels/table.hpp>

#include "processor.hpp"

extern "C" {
#define LEVEL(name) extern sigmax::kernels::table const sigmax_v0_1_kernels_##name;
SIGMAX_KERNELS_LEVELS
#undef LEVEL
}

namespace sigmax::kernels::inline v0_1 {

namespace {

#define LEVEL(name) &sigmax_v0_1_kernels_##name,
constexpr table const* tables[] = {SIGMAX_KERNELS_LEVELS};
#undef LEVEL

}  // namespace

char const* name(level of) noexcept {
  switch (of) {
    case level::x86_64:
      return "x86-64";
    case level::x86_64_v2:
      return "x86-64-v2";
    case level::x86_64_v3:
      return "x86-64-v3";
    case level::x86_64_v4:
      return "x86-64-v4";
    case level::neon:
      return "neon";
    case level::generic:
      break;
  }
  return "generic";
}

table const* compiled(level wanted) noexcept {
  for (auto const* each : tables) {
    if (each->compiled_for == wanted) return each;
  }
  return nullptr;
}

// A library holds levels of one architecture only, the lowest of which is that of the program itself.
bool is_executable(level wanted) noexcept {
  static level const highest = x86_64_level();
  bool const is_x86_64 = wanted >= level::x86_64 && wanted <= level::x86_64_v4;
  return compiled(wanted) != nullptr && (!is_x86_64 || wanted <= highest);
}

table const& best() noexcept {
  static table const* const found = [] {
    table const* last = tables[0];
    for (auto const* each : tables) {
      if (is_executable(each->compiled_for)) last = each;
    }
    return last;
  }();
  return *found;
}

}  // namespace sigmax::kernels::inline v0_1
