// SPDX-License-Identifier: MIT
// Caps the weights of a live torch::nn::Linear in place, through DLPack: nothing is copied, and the layer's next forward
// pass uses the capped weights. On the first CUDA device where there is one, else on the CPU.
#include <cstdio>
#include <exception>

#include <ATen/DLConvertor.h>

#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/io/dlpack.hpp>
#include <sigmax/spectral/hard_cap.hpp>

#include "cap.hpp"

void cap_on_host(torch::Tensor const& weight, double sigma_max) {
  sigmax::dlpack::owned_tensor<DLManagedTensor> const tensor(at::toDLPack(weight));
  sigmax::hard_cap(sigmax::dlpack::view_of<float>(*tensor), {.sigma_max = sigma_max});
}

int main() {
  try {
    torch::manual_seed(1);
    bool on_device = false;
#if defined(SIGMAX_INTEROP_HAS_CUDA)
    on_device = torch::cuda::is_available();
#endif
    torch::nn::Linear layer(768, 3072);
    layer->to(on_device ? torch::kCUDA : torch::kCPU);
    torch::NoGradGuard const no_gradient;
    layer->weight.mul_(20);
    auto const input = torch::randn({4, 768}, layer->weight.options());
    auto const before = layer->forward(input).norm().item<double>();
    auto const* const data = layer->weight.const_data_ptr();
#if defined(SIGMAX_INTEROP_HAS_CUDA)
    if (on_device) cap_on_device(layer->weight, 1.0);
#endif
    if (!on_device) cap_on_host(layer->weight, 1.0);
    auto const after = layer->forward(input).norm().item<double>();
    auto const weight = layer->weight.cpu().contiguous();
    auto const norm = sigmax::certified_spectral_norm(
        sigmax::matrix_view<float const>(weight.const_data_ptr<float>(), weight.size(0), weight.size(1)));
    std::printf("on %s: ||layer(x)|| %.4g before, %.4g after; ||W|| in [%.9g, %.9g]; same memory: %s\n",
                on_device ? "CUDA" : "CPU", before, after, norm.lower(), norm.upper(),
                data == layer->weight.const_data_ptr() ? "yes" : "no");
    std::fflush(stdout);  // whatever happens when libraries are unloaded
    return norm.upper() <= 1.0 + 1e-6 ? 0 : 1;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "sigmax-interop: %s\n", error.what());
    return 1;
  }
}
