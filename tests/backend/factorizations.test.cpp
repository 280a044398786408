// SPDX-License-Identifier: MIT
#include "backend/factorizations.hpp"
#include "support/backends.hpp"

TEST_CASE_TEMPLATE("cholesky and triangular solves", Case, SIGMAX_TEST_OWN_BACKENDS) {
  sigmax::test::check_factorizations<typename Case::backend, typename Case::scalar>({});
}
