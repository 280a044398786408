// SPDX-License-Identifier: MIT
/// @file
/// Makes the device the one backend that tests run on. Included before a test file of another floor, which then runs on
/// the device as it is.
#pragma once

#include "cuda/staged.hpp"
#include "estimate/cases.hpp"
#include "support/backends.hpp"

#undef SIGMAX_TEST_OWN_BACKENDS
#undef SIGMAX_TEST_EIGEN_BACKENDS
#undef SIGMAX_TEST_BACKENDS
#define SIGMAX_TEST_OWN_BACKENDS                                                                                       \
  sigmax::test::on<sigmax::test::staged, float>, sigmax::test::on<sigmax::test::staged, double>
#define SIGMAX_TEST_BACKENDS SIGMAX_TEST_OWN_BACKENDS

#undef SIGMAX_TEST_ESTIMATES
#undef SIGMAX_TEST_MORE_ESTIMATES
#define SIGMAX_TEST_ESTIMATES                                                                                          \
  sigmax::test::estimate_on<sigmax::test::power, sigmax::test::staged, float>,                                         \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::test::staged, double>
#define SIGMAX_TEST_MORE_ESTIMATES                                                                                     \
  sigmax::test::estimate_on<sigmax::test::power, sigmax::test::staged, double>,                                        \
      sigmax::test::estimate_on<sigmax::test::krylov, sigmax::test::staged, float>
