// SPDX-License-Identifier: MIT
/// @file
/// Capping a tensor of PyTorch in place, where it lies.
#pragma once

#include <torch/torch.h>

/// W <- W with singular values soft-capped to sigma_max. weight: two dimensions, float, on the CPU.
void cap_on_host(torch::Tensor const& weight, double sigma_max);

/// The same for a tensor on a CUDA device, on PyTorch's current stream: in order with what PyTorch does before and after.
void cap_on_device(torch::Tensor const& weight, double sigma_max);
