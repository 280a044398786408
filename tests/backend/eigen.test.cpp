// SPDX-License-Identifier: MIT
#include "support/backends.hpp"

#if defined(SIGMAX_TEST_HAS_EIGEN)
#include "backend/elementwise.hpp"
#include "backend/factorizations.hpp"
#include "backend/products.hpp"

using namespace sigmax::test;

TEST_CASE_TEMPLATE("Eigen: products", Case, SIGMAX_TEST_EIGEN_BACKENDS) {
  typename Case::backend const be;
  using scalar = typename Case::scalar;
  check_products_of_small_shapes<typename Case::backend, scalar>(be);
  check_products_of_large_shapes<typename Case::backend, scalar>(be);
  check_products_near_underflow<typename Case::backend, scalar>(be);
  check_products_are_reproducible<typename Case::backend, scalar>(be, false);
}

TEST_CASE_TEMPLATE("Eigen: reductions and combinations", Case, SIGMAX_TEST_EIGEN_BACKENDS) {
  check_elementwise<typename Case::backend, typename Case::scalar>({});
}

TEST_CASE_TEMPLATE("Eigen: cholesky and triangular solves", Case, SIGMAX_TEST_EIGEN_BACKENDS) {
  check_factorizations<typename Case::backend, typename Case::scalar>({});
}
#endif
