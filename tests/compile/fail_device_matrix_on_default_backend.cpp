// expect: lanczos.*is_same_v<.*device_space..*host_space.*evaluated to '?false
// SPDX-License-Identifier: MIT
// Nor can the default backend.
#include <sigmax/estimate/lanczos.hpp>

int main() {
  sigmax::matrix_view<float, sigmax::device_space> const w;
  return sigmax::lanczos(w).converged ? 0 : 1;
}
