# SPDX-License-Identifier: MIT
# Whether sigmax::cuda can be built: SIGMAX_BUILD_CUDA is AUTO (where nvcc is found), ON (it must be found) or OFF.
set(SIGMAX_CUDA_FOUND FALSE)
if(SIGMAX_BUILD_CUDA)
  find_package(CUDAToolkit 12.0 QUIET)
  if(CUDAToolkit_FOUND AND CUDAToolkit_NVCC_EXECUTABLE AND TARGET CUDA::cudart_static AND TARGET CUDA::cusolver)
    set(SIGMAX_CUDA_FOUND TRUE)
  elseif(SIGMAX_BUILD_CUDA STREQUAL "AUTO")
    message(STATUS "sigmax: sigmax::cuda is off, no CUDA toolkit 12 or newer is found (nvcc, also in /usr/local/cuda/bin)")
  else()
    message(FATAL_ERROR "sigmax: SIGMAX_BUILD_CUDA is on, and no CUDA toolkit 12 or newer is found; set CUDAToolkit_ROOT")
  endif()
endif()

if(NOT SIGMAX_CUDA_FOUND)
  return()
endif()

set(SIGMAX_CUDA_ARCHITECTURES "80;90a" CACHE STRING "Architectures the kernels are compiled for, as in sm_90a")
set(SIGMAX_CUDA_FLAGS "" CACHE STRING "More flags for nvcc, as in -lineinfo")
mark_as_advanced(SIGMAX_CUDA_FLAGS)
foreach(architecture IN LISTS SIGMAX_CUDA_ARCHITECTURES)
  if(NOT architecture MATCHES "^[0-9]+[af]?$")
    message(FATAL_ERROR "sigmax: SIGMAX_CUDA_ARCHITECTURES has ${architecture}; it must be like 80 or 90a")
  endif()
endforeach()

# sigmax_nvcc_object(<objects> <source> [FLAGS <flags>...])
#
# Appends to <objects> the object file that nvcc compiles from the source, a path relative to this folder. nvcc is called
# by this rule: CMake's CUDA language would have to be enabled by everyone who links what contains the object, and older
# releases of it know neither the compilers nor the architectures of today.
function(sigmax_nvcc_object objects source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "FLAGS")
  list(JOIN SIGMAX_CUDA_ARCHITECTURES ", " architectures)
  set(flags -std=c++20 -O3 --expt-relaxed-constexpr -Xcompiler=-fPIC -Xcompiler=-Wall,-Wextra,-Wconversion,-Wshadow
    "-DSIGMAX_CUDA_COMPILED_ARCHITECTURES=\"${architectures}\"")
  foreach(architecture IN LISTS SIGMAX_CUDA_ARCHITECTURES)
    list(APPEND flags "-gencode=arch=compute_${architecture},code=sm_${architecture}")
  endforeach()
  if(SIGMAX_WERROR)
    list(APPEND flags -Werror=all-warnings -Xcompiler=-Werror)
  endif()
  if(CMAKE_CUDA_HOST_COMPILER)
    list(APPEND flags "-ccbin=${CMAKE_CUDA_HOST_COMPILER}")
  endif()
  string(REPLACE "/" "_" object "${source}")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${object}${CMAKE_CXX_OUTPUT_EXTENSION}")
  add_custom_command(OUTPUT "${object}"
    COMMAND "${CUDAToolkit_NVCC_EXECUTABLE}" ${flags} ${SIGMAX_CUDA_FLAGS} ${arg_FLAGS}
      "-I${PROJECT_SOURCE_DIR}/include" "-I${PROJECT_SOURCE_DIR}/cuda"
      -MD -MF "${object}.d" -c "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${object}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPFILE "${object}.d"
    COMMENT "nvcc ${source}"
    VERBATIM)
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${objects} ${${objects}} "${object}" PARENT_SCOPE)
endfunction()
