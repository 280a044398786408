// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <sigmax/backend/simd.hpp>

#include "backend/factorizations.hpp"
#include "backend/storage.hpp"
#include "support/allocation_counter.hpp"

TEST_CASE_TEMPLATE("the vectorised backend allocates nothing, whatever the strides", T, float, double) {
  using namespace sigmax::test;
  sigmax::cpu::simd<> const be;
  number_source source(5);
  for (auto const order : every_layout) {
    stored_matrix<T> const x(70, 300, order, source);
    stored_matrix<T> const y(300, 70, order, source);
    stored_matrix<T> const square(70, 70, order);
    stored_matrix<T> const long_vector(300, 1, order, source);
    stored_matrix<T> const result(300, 1, order);
    fill_positive_definite(square.view(), source);
    long const before = allocations;
    CHECK(be.cholesky(square.view()) == 70);
    be.template triangular_solve<T>(square.view(), x.view());
    be.template triangular_solve_transposed<T>(square.view(), x.view());
    be.gram(T(1), x.view(), T(0), square.view(), square.view());
    be.multiply(T(1), x.view(), y.view(), T(1), square.view(), square.view());
    be.symmetric_product(T(1), square.view(), square.view(), T(0), x.view(), y.view().block(0, 0, 70, 70));
    be.times_vector(T(1), y.view(), result.view().col(0).segment(0, 70), T(0), long_vector.view().col(0));
    be.template gram_times_vector<T>(x.view(), as_vector(long_vector), as_vector(result));
    be.combine(T(1), x.view(), T(1), x.view());
    long const during = allocations - before;
    CHECK(during == 0);
  }
}
