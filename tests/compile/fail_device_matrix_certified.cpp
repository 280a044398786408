// expect: provable_matrix.*device_space..*host_space.*evaluated to '?false
// SPDX-License-Identifier: MIT
// Proofs run on the host: device memory has to be copied first.
#include <sigmax/certified/spectral_norm.hpp>

int main() {
  sigmax::matrix_view<float, sigmax::device_space> const w;
  return sigmax::certified_spectral_norm(w).upper() > 0 ? 1 : 0;
}
