// SPDX-License-Identifier: MIT
// Calls the copies of unit.cpp; knows nothing of sigmax. CALLS is CALL(plain) CALL(fast_math) ...
#include <cstdio>
#include <set>
#include <string>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#define CALL(unit)                                                                                                     \
  int check_##unit(bool sound);                                                                                        \
  char const* abi_##unit();
CALLS
#undef CALL

int main() {
  int failed = 0;
  int units = 0;
  std::set<std::string> namespaces;

  bool sound = SOUND == 1;
#if defined(__SSE2__)
  // Flush-to-zero or denormals-are-zero: that the start-up code of -ffast-math is there at all is part of the test.
  bool const flushes = (_mm_getcsr() & 0x8040u) != 0;
  if (flushes == sound) {
    std::printf("  the processor %s subnormals\n", flushes ? "flushes" : "keeps");
    ++failed;
  }
#else
  sound = true;  // what -ffast-math links elsewhere is not known
#endif

#define CALL(unit)                                                                                                     \
  ++units;                                                                                                             \
  namespaces.insert(abi_##unit());                                                                                     \
  std::printf("  %s: %s\n", #unit, abi_##unit());                                                                      \
  failed += check_##unit(sound);
  CALLS
#undef CALL

  if (static_cast<int>(namespaces.size()) != units) {
    std::printf("  %d files share %d namespaces\n", units, static_cast<int>(namespaces.size()));
    ++failed;
  }
  return failed == 0 ? 0 : 1;
}
