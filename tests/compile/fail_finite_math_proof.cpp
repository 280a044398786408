// expect: nothing can be proved in a file compiled with -ffast-math
// flags: -ffinite-math-only
// SPDX-License-Identifier: MIT
// One part of -ffast-math is enough: without NaN nothing fails closed.
#include <sigmax/certified/cholesky.hpp>
#include <sigmax/core/matrix.hpp>

int main() {
  sigmax::matrix<double> const w(2, 2);
  return sigmax::prove_norm_at_most(w, 1.0) ? 0 : 1;
}
