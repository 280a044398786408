// expect: no matching function for call to '[^']*upper_bound|no matching conversion for functional-style cast from 'double' to '[^']*upper_bound
// SPDX-License-Identifier: MIT
// A number is not a bound: bounds come from proofs and from trust().
#include <sigmax/bound/upper_bound.hpp>

int main() { return sigmax::upper_bound<sigmax::norm::spectral>(1.0).is_finite() ? 0 : 1; }
