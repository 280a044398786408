// SPDX-License-Identifier: MIT
// Estimates on the device: the properties of tests/estimate.
#include "cuda/backends.hpp"

#include "estimate/estimates.test.cpp"
