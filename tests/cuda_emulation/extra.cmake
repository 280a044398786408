# SPDX-License-Identifier: MIT
# cuda_emulation_test: kernels compiled for the host, with this folder before the one of their headers, so that the
# instructions are those of the machine. It links no kernel for devices: templates of one name would meet.
if(NOT TARGET cuda_emulation_test)
  return()
endif()
target_sources(cuda_emulation_test PRIVATE
  cuda_emulation/machine.cpp cuda_emulation/barriers.cpp cuda_emulation/copies.cpp cuda_emulation/products.cpp
  cuda_emulation/hopper.cpp cuda_emulation/ampere.cpp)
target_include_directories(cuda_emulation_test BEFORE PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/cuda_emulation")
target_include_directories(cuda_emulation_test PRIVATE "${PROJECT_SOURCE_DIR}/cuda")
target_include_directories(cuda_emulation_test SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_compile_definitions(cuda_emulation_test PRIVATE SIGMAX_CUDA_EMULATION=1)
# `#pragma unroll` is nvcc's, and arguments of kernels are aligned to more than g++ 4.6 passed on.
target_compile_options(cuda_emulation_test PRIVATE -Wno-unknown-pragmas
  $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi> $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-pass-failed>)
# Where the time goes.
set_source_files_properties(cuda_emulation/products.cpp PROPERTIES COMPILE_OPTIONS -O3 SKIP_PRECOMPILE_HEADERS ON)
# The same with more orders of events.
add_test(NAME cuda_emulation_orders COMMAND cuda_emulation_test)
set_tests_properties(cuda_emulation_orders PROPERTIES LABELS check TIMEOUT 1800 ENVIRONMENT SIGMAX_EMULATION_SEEDS=15)
