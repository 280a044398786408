// SPDX-License-Identifier: MIT
// Polar factors and hard caps on the device: the properties of tests/spectral.
#include "cuda/backends.hpp"

#include "spectral/hard_cap.test.cpp"
