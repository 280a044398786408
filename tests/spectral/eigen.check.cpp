// SPDX-License-Identifier: MIT
// Every spectral function on cpu::eigen, apart: instantiating Eigen's products takes long.

#include <doctest/doctest.h>

#include "spectral/verbs.hpp"
#include "support/backends.hpp"

#if defined(SIGMAX_TEST_HAS_EIGEN)
using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("every function is what it says on Eigen's backend", Case, SIGMAX_TEST_EIGEN_BACKENDS) {
  using T = typename Case::scalar;
  typename Case::backend const on;
  for_each_verb([&](auto verb) {
    figure error(place<Case>() + verb.name);
    for (auto const shape : standard_shapes) {
      index_t const m = shape.rows;
      index_t const n = shape.cols;
      auto const w = ordinary<T>(m, n, 22);
      auto first = w;
      verb.run(on, first, 1);
      see_result<decltype(verb)>(error, w, first, 1);
      laid_out<T> const strided(w, "strided", 2 * n + 3, 2);
      verb.run(on, strided.view().transposed(), 1);
      see_result<decltype(verb)>(error, w, strided.view(), 1);
      CHECK(strided.is_intact());
    }
  });
}

// As a user has them: found by their members, in either storage order.
TEST_CASE("matrices of Eigen are changed in place") {
  auto const w = ordinary<float>(6, 9, 4);
  Eigen::MatrixXf by_columns(6, 9);
  for (sigmax::index_t i = 0; i < 6; ++i) {
    for (sigmax::index_t j = 0; j < 9; ++j) by_columns(i, j) = w(i, j);
  }
  Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(8, 11, 2);
  larger.block(1, 1, 6, 9) = by_columns;
  sigmax::hard_cap(by_columns, {.sigma_max = 1});
  auto block = larger.block(1, 1, 6, 9);
  sigmax::hard_cap(block, {.sigma_max = 1});
  auto const expected = sigmax::hard_capped(w, {.sigma_max = 1});
  CHECK(same_bits(by_columns, expected));
  CHECK(same_bits(block, expected));
  CHECK((larger.row(0).array() == 2).all());
  CHECK((larger.col(10).array() == 2).all());
}
#endif
