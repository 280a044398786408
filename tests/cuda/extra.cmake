# SPDX-License-Identifier: MIT
# Tests that need a device: cuda_gpu_test, which says so and succeeds where there is none. Built by ./dev gpu and
# ./dev check: in ./dev test nobody could run what is compiled for half a minute.
file(GLOB gpu_sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.gpu.cpp")
# What reads files needs more than a machine with a device may have.
if(NOT TARGET sigmax::safetensors)
  list(REMOVE_ITEM gpu_sources cuda/optimizer_state.gpu.cpp)
endif()
if(NOT TARGET sigmax_transformer_cuda)
  list(REMOVE_ITEM gpu_sources cuda/transformer_training.gpu.cpp)
endif()
# Reference kernels, plain and slow.
file(GLOB reference_sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu")
set(reference_objects "")
foreach(source IN LISTS reference_sources)
  sigmax_nvcc_object(reference_objects ${source})
endforeach()
if(reference_objects)
  add_library(sigmax_cuda_reference STATIC EXCLUDE_FROM_ALL ${reference_objects})
  set_target_properties(sigmax_cuda_reference PROPERTIES LINKER_LANGUAGE CXX)
endif()
add_executable(cuda_gpu_test EXCLUDE_FROM_ALL ${gpu_sources} cuda/gpu_main.cpp support/singular_values.cpp)
add_dependencies(sigmax_check_tests cuda_gpu_test)
# The kernels of the transformer, also where its program is not built: its tests include its headers as
# "transformer/cuda/device_backend.hpp".
if(NOT TARGET sigmax_transformer_kernels)
  add_subdirectory("${PROJECT_SOURCE_DIR}/examples/transformer/cuda" "${PROJECT_BINARY_DIR}/transformer_kernels")
endif()
target_link_libraries(cuda_gpu_test PRIVATE sigmax_test_support sigmax_transformer_kernels sigmax::cuda
  $<TARGET_NAME_IF_EXISTS:sigmax::safetensors> $<TARGET_NAME_IF_EXISTS:sigmax_transformer_cuda>)
target_include_directories(cuda_gpu_test PRIVATE "${PROJECT_SOURCE_DIR}/examples")
if(reference_objects)
  target_link_libraries(cuda_gpu_test PRIVATE sigmax_cuda_reference)
endif()
target_compile_options(cuda_gpu_test PRIVATE ${test_optimisation})
set_target_properties(cuda_gpu_test PROPERTIES CXX_EXTENSIONS OFF)
sigmax_warnings(cuda_gpu_test)
sigmax_sanitize(cuda_gpu_test)
add_test(NAME cuda_gpu_test COMMAND cuda_gpu_test)
set_tests_properties(cuda_gpu_test PROPERTIES LABELS check TIMEOUT 600 FIXTURES_REQUIRED sigmax_check_tests)
