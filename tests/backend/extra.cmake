# SPDX-License-Identifier: MIT
# The other architectures of cpu::simd: the levels of x86-64, and 64-bit ARM in an emulator. Eigen's backend stays out:
# what it is compiled for is Eigen's business, and it takes longer than all others together.
file(GLOB backend_sources RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/backend/*.test.cpp")
list(REMOVE_ITEM backend_sources backend/eigen.test.cpp)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  include(CheckCXXSourceRuns)
  foreach(level IN ITEMS v2:sse4.2 v3:avx2 v4:avx512vl)
    string(REPLACE ":" ";" level ${level})
    list(GET level 1 feature)
    list(GET level 0 level)
    sigmax_test(backend_${level}_check ${backend_sources} LABEL check OPTIONS -march=x86-64-${level})
    check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"${feature}\") ? 0 : 1; }" SIGMAX_RUNS_${level})
    if(NOT SIGMAX_RUNS_${level})
      message(STATUS "sigmax: cpu::simd is compiled for x86-64-${level}, not tested: this processor lacks it")
      set_tests_properties(backend_${level}_check PROPERTIES DISABLED ON)
    endif()
  endforeach()
else()
  sigmax_test(backend_native_check ${backend_sources} LABEL check OPTIONS -march=native)
endif()

find_program(SIGMAX_AARCH64_COMPILER aarch64-linux-gnu-g++)
find_program(SIGMAX_AARCH64_EMULATOR qemu-aarch64)
mark_as_advanced(SIGMAX_AARCH64_COMPILER SIGMAX_AARCH64_EMULATOR)
if(SIGMAX_AARCH64_COMPILER AND SIGMAX_AARCH64_EMULATOR)
  add_test(NAME backend_aarch64_check COMMAND "${CMAKE_COMMAND}"
    -D "SOURCE=${PROJECT_SOURCE_DIR}"
    -D "SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/aarch64"
    -D "COMPILER=${SIGMAX_AARCH64_COMPILER}"
    -D "EMULATOR=${SIGMAX_AARCH64_EMULATOR}"
    -D "XSIMD=${xsimd_DIR}"
    -D "GENERATOR=${CMAKE_GENERATOR}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/aarch64/run.cmake")
  set_tests_properties(backend_aarch64_check PROPERTIES LABELS check TIMEOUT 1800)
else()
  message(STATUS "sigmax: cpu::simd is not tested for 64-bit ARM (Debian: g++-aarch64-linux-gnu qemu-user)")
endif()
