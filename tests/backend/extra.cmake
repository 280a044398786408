# SPDX-License-Identifier: MIT
# The other architectures of cpu::simd: whatever this processor is, and AVX2 with FMA where it has them.
file(GLOB backend_sources RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/backend/*.test.cpp")
sigmax_test(backend_native_check ${backend_sources} LABEL check OPTIONS -march=native)
set(processor "")
if(EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo processor REGEX "^flags.* avx2 .* fma | fma .* avx2 " LIMIT_COUNT 1)
endif()
if(processor)
  sigmax_test(backend_avx2_check ${backend_sources} LABEL check OPTIONS -mavx2 -mfma)
else()
  message(STATUS "sigmax: cpu::simd is not tested with AVX2, this processor does not have it")
endif()
