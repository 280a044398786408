// SPDX-License-Identifier: MIT
/// @file
/// Matrices for the tensor cores: what they are stored in, where they lie. No CUDA header is needed to read this.
#pragma once

#include <sigmax/config.hpp>
#include <sigmax/core/scalar.hpp>
#include <sigmax/cuda/library/tensor_cores.hpp>

namespace sigmax::inline SIGMAX_ABI::gpu {

using SIGMAX_CUDA_LIBRARY::coefficients;
using SIGMAX_CUDA_LIBRARY::device_batch;
using SIGMAX_CUDA_LIBRARY::operand_kind;
using SIGMAX_CUDA_LIBRARY::size_of;
using SIGMAX_CUDA_LIBRARY::tensor_kernel;

}  // namespace sigmax::inline SIGMAX_ABI::gpu
