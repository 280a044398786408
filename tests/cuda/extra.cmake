# SPDX-License-Identifier: MIT
# Tests that need a device: cuda_gpu_test, which says so and succeeds where there is none. Built by ./dev gpu and
# ./dev check: in ./dev test nobody could run what is compiled for half a minute.
file(GLOB gpu_sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.gpu.cpp")
add_executable(cuda_gpu_test EXCLUDE_FROM_ALL ${gpu_sources} cuda/gpu_main.cpp support/singular_values.cpp)
add_dependencies(sigmax_check_tests cuda_gpu_test)
target_link_libraries(cuda_gpu_test PRIVATE sigmax_test_support sigmax::cuda)
target_compile_options(cuda_gpu_test PRIVATE ${test_optimisation})
set_target_properties(cuda_gpu_test PROPERTIES CXX_EXTENSIONS OFF)
sigmax_warnings(cuda_gpu_test)
sigmax_sanitize(cuda_gpu_test)
add_test(NAME cuda_gpu_test COMMAND cuda_gpu_test)
set_tests_properties(cuda_gpu_test PROPERTIES LABELS check TIMEOUT 600 FIXTURES_REQUIRED sigmax_check_tests)
