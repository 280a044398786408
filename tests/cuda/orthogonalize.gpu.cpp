// SPDX-License-Identifier: MIT
// Polar factors on the device: the properties of tests/spectral.
#include "cuda/backends.hpp"

#include "spectral/orthogonalize.test.cpp"
