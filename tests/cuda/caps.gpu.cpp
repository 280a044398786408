// SPDX-License-Identifier: MIT
// Polar factors and hard caps on the device: the properties of tests/spectral.
// clang-format off: what is first included decides on which backends the tests run.
#include "cuda/backends.hpp"
#include "spectral/hard_cap.test.cpp"
// clang-format on
