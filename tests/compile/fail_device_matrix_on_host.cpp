// expect: power_iteration.*is_same_v<.*device_space..*host_space.*evaluated to '?false
// SPDX-License-Identifier: MIT
// A host backend cannot read device memory.
#include <sigmax/estimate/power_iteration.hpp>

int main() {
  sigmax::matrix_view<float, sigmax::device_space> const w;
  return sigmax::power_iteration(sigmax::cpu::scalar{}, w).converged ? 0 : 1;
}
