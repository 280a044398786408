// SPDX-License-Identifier: MIT
// Estimates on the device: the properties of tests/estimate.
// clang-format off: what is first included decides on which backends the tests run.
#include "cuda/backends.hpp"
#include "estimate/estimates.test.cpp"
// clang-format on
