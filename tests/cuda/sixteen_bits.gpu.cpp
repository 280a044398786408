// SPDX-License-Identifier: MIT
// 16-bit storage on the device.
#include <doctest/doctest.h>

#include "backend/sixteen_bits.hpp"
#include "cuda/staged.hpp"

using namespace sigmax::test;

TEST_CASE_TEMPLATE("16 bits are converted as on the host", S, sigmax::bf16, sigmax::f16) {
  check_conversions<S>(staged());
  check_converted_matrices<S>(staged());
  check_largest_of_16_bits<S>(staged());
}
