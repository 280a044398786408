// SPDX-License-Identifier: MIT
#include "processor.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sigmax::kernels::inline v0_1 {

#if defined(__x86_64__)

namespace {

/// The registers of the CPUID leaves that name the features of the levels; all zero for a leaf that does not exist.
struct features {
  unsigned leaf_1_ecx = 0;
  unsigned leaf_7_ebx = 0;
  unsigned leaf_80000001_ecx = 0;
  /// Registers the operating system saves (XCR0).
  unsigned saved = 0;
};

features read_features() {
  features result;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) result.leaf_1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) result.leaf_7_ebx = ebx;
  if (__get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx) != 0) result.leaf_80000001_ecx = ecx;
  if ((result.leaf_1_ecx & bit_OSXSAVE) != 0) {
    asm("xgetbv" : "=a"(result.saved), "=d"(edx) : "c"(0));
  }
  return result;
}

constexpr bool holds(unsigned word, unsigned bits) { return (word & bits) == bits; }

}  // namespace

// Source: System V ABI, AMD64 supplement, table 3.1 (micro-architecture levels).
level x86_64_level() noexcept {
  constexpr unsigned sse_and_avx_registers = 0x06;
  constexpr unsigned avx512_registers = 0xe0;
  features const has = read_features();
  if (!holds(has.leaf_1_ecx, bit_CMPXCHG16B | bit_POPCNT | bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2) ||
      !holds(has.leaf_80000001_ecx, bit_LAHF_LM)) {
    return level::x86_64;
  }
  if (!holds(has.leaf_1_ecx, bit_AVX | bit_F16C | bit_FMA | bit_MOVBE | bit_OSXSAVE) ||
      !holds(has.leaf_7_ebx, bit_AVX2 | bit_BMI | bit_BMI2) || !holds(has.leaf_80000001_ecx, bit_LZCNT) ||
      !holds(has.saved, sse_and_avx_registers)) {
    return level::x86_64_v2;
  }
  if (!holds(has.leaf_7_ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL) ||
      !holds(has.saved, sse_and_avx_registers | avx512_registers)) {
    return level::x86_64_v3;
  }
  return level::x86_64_v4;
}

#else

level x86_64_level() noexcept { return level::x86_64; }

#endif

}  // namespace sigmax::kernels::inline v0_1
