// SPDX-License-Identifier: MIT
// Products, elementwise operations, factorisations and eigenvalues on the device: the bodies all backends share.
#include "cuda/backends.hpp"

#include "backend/elementwise.test.cpp"
#include "backend/factorizations.test.cpp"
#include "backend/products.test.cpp"

TEST_CASE_TEMPLATE("products give the same bits wherever their operands lie", T, float, double) {
  sigmax::test::check_products_are_reproducible<sigmax::test::staged, T>({}, true);
}
