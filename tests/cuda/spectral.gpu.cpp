// SPDX-License-Identifier: MIT
// Spectral functions on the device: the properties of tests/spectral.
#include "cuda/backends.hpp"

#include "spectral/backends.test.cpp"
#include "spectral/soft_cap.test.cpp"
