// expect: (conversion from|no viable conversion from) '[^']*singular_estimate
// SPDX-License-Identifier: MIT
// An estimate may lie below the norm.
#include <sigmax/bound/upper_bound.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/estimate/lanczos.hpp>

int main() {
  sigmax::matrix<double> const w(2, 2);
  sigmax::upper_bound<sigmax::norm::spectral> const bound = sigmax::lanczos(w);
  return bound.is_finite() ? 0 : 1;
}
