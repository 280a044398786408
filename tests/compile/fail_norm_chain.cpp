// expect: (no match for 'operator[*]'|invalid operands to binary expression) .*upper_bound.*rms_t
// SPDX-License-Identifier: MIT
// The inner map ends in l2, the outer one starts from rms.
#include <sigmax/bound/upper_bound.hpp>

namespace norm = sigmax::norm;

int main() {
  auto const inner = sigmax::trust<sigmax::op<norm::l2_t, norm::l2_t>>(1, "a test");
  auto const outer = sigmax::trust<sigmax::op<norm::rms_t, norm::linf_t>>(1, "a test");
  return (outer * inner).is_finite() ? 0 : 1;
}
