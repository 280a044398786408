# SPDX-License-Identifier: MIT
# The tensor-core part of sigmax::cuda, included by cuda/CMakeLists.txt. Each of the wgmma files holds the kernels of one
# operand type, so that they compile side by side.
sigmax_cuda_object(symmetric.cu)
sigmax_cuda_object(hopper_bf16.cu)
sigmax_cuda_object(hopper_f16.cu)
sigmax_cuda_object(hopper_tf32.cu)
sigmax_cuda_object(weight_step.cu)
list(APPEND cuda_sources source/product_plans.cpp)
list(APPEND cuda_libraries CUDA::cublasLt)
