// expect: certified_spectral_norm.*exact_in_double
// SPDX-License-Identifier: MIT
// A long double is not exactly a double, and reading it would round.
#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/matrix.hpp>

int main() {
  sigmax::matrix<long double> const w(2, 2);
  return sigmax::certified_spectral_norm(w).upper() > 0 ? 1 : 0;
}
