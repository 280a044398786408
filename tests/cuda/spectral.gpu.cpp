// SPDX-License-Identifier: MIT
// Spectral functions on the device: the properties of tests/spectral.
// clang-format off: what is first included decides on which backends the tests run.
#include "cuda/backends.hpp"
#include "spectral/backends.test.cpp"
#include "spectral/soft_cap.test.cpp"
// clang-format on
