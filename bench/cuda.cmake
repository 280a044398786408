# SPDX-License-Identifier: MIT
# Benchmarks of devices: bench_cuda_<name> from cuda_<name>.cpp, with what nvcc has to compile for it, if anything, in
# cuda/<name>.cu. Each takes --json FILE. Target sigmax_cuda_benchmarks builds them, and ./dev gpu runs them.
add_custom_target(sigmax_cuda_benchmarks)
file(GLOB cuda_benchmarks CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" cuda_*.cpp)
foreach(source IN LISTS cuda_benchmarks)
  string(REGEX REPLACE "^cuda_(.*)\\.cpp$" "\\1" name "${source}")
  set(objects "")
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/cuda/${name}.cu")
    sigmax_nvcc_object(objects cuda/${name}.cu)
  endif()
  add_executable(bench_cuda_${name} EXCLUDE_FROM_ALL ${source} ${objects})
  target_include_directories(bench_cuda_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/tests")
  target_include_directories(bench_cuda_${name} SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  # The reference kernels of the tests (tests/cuda), where those are built.
  target_link_libraries(bench_cuda_${name} PRIVATE sigmax::cuda CUDA::cublas CUDA::cublasLt
    $<TARGET_NAME_IF_EXISTS:sigmax_cuda_reference>)
  set_target_properties(bench_cuda_${name} PROPERTIES
    CXX_EXTENSIONS OFF
    RUNTIME_OUTPUT_DIRECTORY "${SIGMAX_PROGRAM_DIR}")
  sigmax_warnings(bench_cuda_${name})
  add_dependencies(sigmax_cuda_benchmarks bench_cuda_${name})
endforeach()
