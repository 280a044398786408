// expect: orthogonalized.*(host_matrix|is_same_v<.*device_space..*host_space)
// SPDX-License-Identifier: MIT
// Functions that return a copy return a matrix of the host: on a device the verb works in place.
#include <sigmax/spectral/orthogonalize.hpp>

#include "device_backend.hpp"

int main() {
  sigmax::matrix_view<float, sigmax::device_space> const w;
  return sigmax::orthogonalized(device_backend{}, w).empty() ? 0 : 1;
}
