// SPDX-License-Identifier: MIT
// Matrices that stay in device memory: README.md shows this program as it is.
#include <iostream>

#include <sigmax/cuda/backend.hpp>
#include <sigmax/cuda/device_matrix.hpp>
#include <sigmax/sigmax.hpp>

int main() {
  try {
    sigmax::gpu::stream stream;  // or a cudaStream_t of yours, wherever a stream is asked for
    sigmax::gpu::cuda on(stream);
    sigmax::matrix<float> host(768, 3072);
    sigmax::fill_normal(host.view(), 1);

    auto W = sigmax::gpu::device_matrix<float>::copy_of(host, stream);  // or gpu::device_view(pointer, rows, cols)
    sigmax::workspace scratch;                                          // warmed, calls allocate nothing
    sigmax::orthogonalize(on, W, {.schedule = sigmax::schedules::muon, .scratch = &scratch});
    sigmax::soft_cap(on, W, {.sigma_max = 1.0, .update_norm = 0.1, .scratch = &scratch});
    auto const norm = sigmax::certified_spectral_norm(on, W);  // proved on the device, rounding included
    std::cout << norm.lower() << " <= ||W|| <= " << norm.upper() << ", W(0, 0) = " << W.to_host()(0, 0) << "\n";
  } catch (sigmax::error const& error) {  // no device, exhausted memory, a failed call: one line
    std::cerr << "sigmax-device: " << error.what() << "\n";
    return 1;
  }
}
