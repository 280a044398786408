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
