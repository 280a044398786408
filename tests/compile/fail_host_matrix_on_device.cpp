// expect: power_iteration.*is_same_v<.*host_space..*device_space.*evaluated to '?false
// SPDX-License-Identifier: MIT
// A device backend cannot read host memory.
#include <sigmax/core/matrix.hpp>
#include <sigmax/estimate/power_iteration.hpp>

#include "device_backend.hpp"

int main() {
  sigmax::matrix<float> const w(2, 2);
  return sigmax::power_iteration(device_backend{}, w).converged ? 0 : 1;
}
