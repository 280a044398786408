// SPDX-License-Identifier: MIT
#include "backend/products.hpp"
#include "support/backends.hpp"

using namespace sigmax::test;

TEST_CASE_TEMPLATE("products are within their rounding error: small shapes", Case, SIGMAX_TEST_OWN_BACKENDS) {
  check_products_of_small_shapes<typename Case::backend, typename Case::scalar>({});
}

TEST_CASE_TEMPLATE("products are within their rounding error: large shapes", Case, SIGMAX_TEST_OWN_BACKENDS) {
  check_products_of_large_shapes<typename Case::backend, typename Case::scalar>({});
}

TEST_CASE_TEMPLATE("products are within their rounding error: underflow", Case, SIGMAX_TEST_OWN_BACKENDS) {
  check_products_near_underflow<typename Case::backend, typename Case::scalar>({});
}

TEST_CASE_TEMPLATE("products give the same bits again", Case, SIGMAX_TEST_OWN_BACKENDS) {
  check_products_are_reproducible<typename Case::backend, typename Case::scalar>({}, false);
}

TEST_CASE_TEMPLATE("vectorised products give the same bits wherever their operands lie", T, float, double) {
  check_products_are_reproducible<sigmax::cpu::simd<>, T>({}, true);
}
