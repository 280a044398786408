// expect: use of deleted function.*required|cannot convert initializer list argument
// SPDX-License-Identifier: MIT
// There is no sensible default for a cap.
#include <sigmax/core/matrix.hpp>
#include <sigmax/spectral/soft_cap.hpp>

int main() {
  sigmax::matrix<float> w(2, 2);
  sigmax::soft_cap(w, {.update_norm = 0.1});
}
