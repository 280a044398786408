// SPDX-License-Identifier: MIT
#include <ATen/DLConvertor.h>
#include <c10/cuda/CUDAStream.h>

#include <sigmax/cuda/backend.hpp>
#include <sigmax/io/dlpack.hpp>
#include <sigmax/spectral/hard_cap.hpp>

#include "cap.hpp"

void cap_on_device(torch::Tensor const& weight, double sigma_max) {
  sigmax::gpu::cuda const on(c10::cuda::getCurrentCUDAStream(weight.get_device()).stream());
  sigmax::dlpack::owned_tensor<DLManagedTensor> const tensor(at::toDLPack(weight));
  sigmax::hard_cap(on, sigmax::dlpack::view_of<float, sigmax::device_space>(*tensor), {.sigma_max = sigma_max});
}
