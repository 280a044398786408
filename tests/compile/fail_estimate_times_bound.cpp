// expect: (no match for 'operator[*]'|invalid operands to binary expression) .*upper_bound.*double
// SPDX-License-Identifier: MIT
// An estimate does not enter a product of bounds either.
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/estimate/lanczos.hpp>

int main() {
  sigmax::matrix<double> const w(2, 2);
  auto const bound = sigmax::trust<sigmax::norm::spectral>(1, "a test");
  return (bound * sigmax::lanczos(w).sigma).is_finite() ? 0 : 1;
}
