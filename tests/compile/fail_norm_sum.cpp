// expect: (no match for 'operator[+]'|invalid operands to binary expression) .*upper_bound.*rms_t
// SPDX-License-Identifier: MIT
// The triangle inequality needs one norm.
#include <sigmax/bound/upper_bound.hpp>

namespace norm = sigmax::norm;

int main() {
  auto const a = sigmax::trust<sigmax::op<norm::l2_t, norm::l2_t>>(1, "a test");
  auto const b = sigmax::trust<sigmax::op<norm::rms_t, norm::rms_t>>(1, "a test");
  return (a + b).is_finite() ? 0 : 1;
}
