// SPDX-License-Identifier: MIT
/// @file
/// The backends a test runs on:
/// TEST_CASE_TEMPLATE("...", Case, SIGMAX_TEST_BACKENDS) { typename Case::backend const be; ... }
#pragma once

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#if __has_include(<Eigen/Cholesky>)
#include <sigmax/backend/eigen.hpp>
#define SIGMAX_TEST_HAS_EIGEN 1
#endif

namespace sigmax::test {

/// A backend and a scalar.
template <class B, class T>
struct on {
  using backend = B;
  using scalar = T;
};

}  // namespace sigmax::test

/// Those that need no library but xsimd.
#define SIGMAX_TEST_OWN_BACKENDS                                                                                       \
  sigmax::test::on<sigmax::cpu::scalar, float>, sigmax::test::on<sigmax::cpu::scalar, double>,                         \
      sigmax::test::on<sigmax::cpu::simd<>, float>, sigmax::test::on<sigmax::cpu::simd<>, double>

#if defined(SIGMAX_TEST_HAS_EIGEN)
/// Eigen's, apart: instantiating its products costs more compile time than all others together.
#define SIGMAX_TEST_EIGEN_BACKENDS                                                                                     \
  sigmax::test::on<sigmax::cpu::eigen, float>, sigmax::test::on<sigmax::cpu::eigen, double>
#define SIGMAX_TEST_BACKENDS SIGMAX_TEST_OWN_BACKENDS, SIGMAX_TEST_EIGEN_BACKENDS
#else
#define SIGMAX_TEST_BACKENDS SIGMAX_TEST_OWN_BACKENDS
#endif
