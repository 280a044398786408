// expect: nothing can be proved in a file compiled with -ffast-math
// flags: -ffast-math
// SPDX-License-Identifier: MIT
// Estimates may be compiled like this, certificates not.
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/matrix.hpp>

int main() {
  sigmax::matrix<double> const w(2, 2);
  return sigmax::certified_spectral_norm(w).upper() > 0 ? 1 : 0;
}
