// SPDX-License-Identifier: MIT
#include "backend/elementwise.hpp"
#include "support/backends.hpp"

TEST_CASE_TEMPLATE("reductions and combinations", Case, SIGMAX_TEST_OWN_BACKENDS) {
  sigmax::test::check_elementwise<typename Case::backend, typename Case::scalar>({});
}
