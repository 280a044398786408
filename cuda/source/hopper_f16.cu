// SPDX-License-Identifier: MIT
#include <sigmax/cuda/kernels/hopper_launch.cuh>

namespace sigmax::inline SIGMAX_ABI::gpu::detail {

template void run_hopper<operand_kind::f16>(tensor_kernel, cudaStream_t, symmetric_call const&, int);

}  // namespace sigmax::inline SIGMAX_ABI::gpu::detail
