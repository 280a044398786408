// expect: orthogonalize.*(is_same_v|same_as).*host_space
// SPDX-License-Identifier: MIT
// A device backend cannot change a matrix in host memory.
#include <sigmax/core/matrix.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "device_backend.hpp"

int main() {
  sigmax::matrix<float> w(2, 2);
  sigmax::orthogonalize(device_backend{}, w);
}
