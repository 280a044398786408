// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <sigmax/backend/blocked_symmetric_eigen.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

#include "backend/factorizations.hpp"
#include "backend/storage.hpp"
#include "support/allocation_counter.hpp"

TEST_CASE_TEMPLATE("the vectorised backend allocates nothing in a warmed workspace, whatever the strides", T, float,
                   double) {
  using namespace sigmax::test;
  sigmax::workspace scratch;
  auto const be = sigmax::cpu::simd<>().using_scratch(scratch);
  {
    // The largest operands below, once.
    stored_matrix<T> const left(300, 70, layout::row_major);
    stored_matrix<T> const right(70, 300, layout::row_major);
    stored_matrix<T> const product(300, 300, layout::row_major);
    be.multiply(T(1), left.view(), right.view(), T(0), product.view(), product.view());
    be.multiply(T(1), right.view(), left.view(), T(0), product.view(), product.view().block(0, 0, 70, 70));
    scratch.freeze();
  }
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

TEST_CASE("16-bit operands are packed into a warm workspace") {
  using namespace sigmax::test;
  sigmax::workspace scratch;
  auto const be = sigmax::cpu::simd<>().using_scratch(scratch);
  number_source source(9);
  stored_matrix<sigmax::bf16> const x(130, 300, layout::row_major, source);
  stored_matrix<float> const g(130, 130, layout::row_major), r(130, 300, layout::row_major);
  for (int round = 0; round < 2; ++round) {
    long const before = allocations;
    be.gram(1.0f, x.view(), 0.0f, g.view(), g.view());
    be.multiply(1.0f, g.view(), x.view(), 0.0f, r.view(), r.view());
    be.convert(r.view(), x.view());
    if (round > 0) CHECK(allocations == before);
  }
}

TEST_CASE_TEMPLATE("products of small matrices need no memory but the stack", T, float, double) {
  using namespace sigmax::test;
  sigmax::cpu::simd<> const be;
  number_source source(5);
  constexpr sigmax::index_t order = sizeof(T) == 4 ? 64 : 40;
  stored_matrix<T> const a(order, order, layout::row_major, source);
  stored_matrix<T> const b(order, order, layout::row_major, source);
  stored_matrix<T> const r(order, order, layout::row_major);
  long const before = allocations;
  be.multiply(T(1), a.view(), b.view(), T(0), r.view(), r.view());
  be.gram(T(1), a.view(), T(0), r.view(), r.view());
  be.symmetric_product(T(1), a.view(), b.view(), T(0), r.view(), r.view());
  long const during = allocations - before;
  CHECK(during == 0);
}

TEST_CASE_TEMPLATE("a warm workspace is enough for an eigendecomposition", T, float, double) {
  sigmax::index_t const m = 100;
  sigmax::workspace memory;
  sigmax::matrix<T> a(m, m);
  sigmax::vector<T> values(m);
  sigmax::matrix<T> vectors(m, m);
  auto const solve = [&] {
    sigmax::fill_normal(a.view(), 3);
    for (sigmax::index_t i = 0; i < m; ++i) {
      for (sigmax::index_t j = 0; j < i; ++j) a(j, i) = a(i, j);
    }
    sigmax::blocked_symmetric_eigen(sigmax::cpu::simd<>().using_scratch(memory), a.view(), values.view(),
                                    vectors.view(), memory);
  };
  solve();
  memory.freeze();
  long const before = allocations;
  solve();
  CHECK(allocations == before);
}
