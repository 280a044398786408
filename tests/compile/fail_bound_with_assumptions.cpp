// expect: upper_bound.*is private within this context|calling a private constructor of class '[^']*upper_bound
// SPDX-License-Identifier: MIT
// Nor does a number with assumptions beside it make one: only detail::proof and trust() do.
#include <sigmax/bound/upper_bound.hpp>

int main() {
  sigmax::upper_bound<sigmax::norm::spectral> const bound(1.0, sigmax::assumptions("I say so"));
  return bound.is_finite() ? 0 : 1;
}
