// SPDX-License-Identifier: MIT
// Polar factors on the device: the properties of tests/spectral.
// clang-format off: what is first included decides on which backends the tests run.
#include "cuda/backends.hpp"
#include "spectral/orthogonalize.test.cpp"
// clang-format on
