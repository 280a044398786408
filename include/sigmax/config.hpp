// SPDX-License-Identifier: MIT
/// @file
/// Version, host/device marker and the ABI namespace. Includes nothing.
#pragma once

#define SIGMAX_VERSION_MAJOR 0
#define SIGMAX_VERSION_MINOR 1
#define SIGMAX_VERSION_PATCH 0
#define SIGMAX_VERSION_STRING "0.1.0"

#if defined(__CUDACC__)
#define SIGMAX_HOST_DEVICE __host__ __device__
#else
#define SIGMAX_HOST_DEVICE
#endif

// Two files of one program may be compiled with different flags. Every setting that changes the code of an inline
// function is therefore part of the namespace: the linker then sees two functions where otherwise it would silently
// keep one of them, and a certificate could end up running code that was compiled under -ffast-math, or a plain
// program code that its processor cannot execute. Architectures are told apart by the levels that kernels here make use
// of; files for two processors of one level (-march=skylake-avx512, -march=icelake-server) share their code. Clang
// defines no macro for single parts of -ffast-math (-fassociative-math, -freciprocal-math,
// -funsafe-math-optimizations): the run-time test of bound/rounding.hpp looks for their effects.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define SIGMAX_ABI_ARCHITECTURE avx512
#elif defined(__AVX512F__)
#define SIGMAX_ABI_ARCHITECTURE avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#define SIGMAX_ABI_ARCHITECTURE avx2_fma
#elif defined(__AVX2__)
#define SIGMAX_ABI_ARCHITECTURE avx2
#elif defined(__AVX__) && defined(__FMA__)
#define SIGMAX_ABI_ARCHITECTURE avx_fma
#elif defined(__AVX__)
#define SIGMAX_ABI_ARCHITECTURE avx
#elif defined(__SSE4_2__)
#define SIGMAX_ABI_ARCHITECTURE sse4_2
#elif defined(__SSE4_1__)
#define SIGMAX_ABI_ARCHITECTURE sse4_1
#elif defined(__SSSE3__)
#define SIGMAX_ABI_ARCHITECTURE ssse3
#elif defined(__SSE3__)
#define SIGMAX_ABI_ARCHITECTURE sse3
#elif defined(__SSE2__)
#define SIGMAX_ABI_ARCHITECTURE sse2
#elif defined(__ARM_FEATURE_SVE)
#define SIGMAX_ABI_ARCHITECTURE sve
#elif defined(__ARM_NEON)
#define SIGMAX_ABI_ARCHITECTURE neon
#else
#define SIGMAX_ABI_ARCHITECTURE generic
#endif

#if defined(_OPENMP)
#define SIGMAX_ABI_THREADS openmp
#else
#define SIGMAX_ABI_THREADS serial
#endif

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) ||                               \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#define SIGMAX_STRICT_ARITHMETIC 0
#define SIGMAX_ABI_ARITHMETIC fast_math
#else
#define SIGMAX_STRICT_ARITHMETIC 1
#define SIGMAX_ABI_ARITHMETIC strict
#endif

#define SIGMAX_ABI_JOIN_(version, architecture, threads, arithmetic) version##_##architecture##_##threads##_##arithmetic
#define SIGMAX_ABI_JOIN(version, architecture, threads, arithmetic)                                                    \
  SIGMAX_ABI_JOIN_(version, architecture, threads, arithmetic)

/// The inline namespace that holds everything: version, architecture, threads and arithmetic of this translation unit.
#define SIGMAX_ABI SIGMAX_ABI_JOIN(v0_1, SIGMAX_ABI_ARCHITECTURE, SIGMAX_ABI_THREADS, SIGMAX_ABI_ARITHMETIC)

#define SIGMAX_STRINGIZE_(text) #text
#define SIGMAX_STRINGIZE(text) SIGMAX_STRINGIZE_(text)

namespace sigmax::inline SIGMAX_ABI {

/// "0.1.0"
inline constexpr char const* version = SIGMAX_VERSION_STRING;

/// The architecture this translation unit was compiled for, as in "avx512".
inline constexpr char const* architecture = SIGMAX_STRINGIZE(SIGMAX_ABI_ARCHITECTURE);

}  // namespace sigmax::inline SIGMAX_ABI
