// SPDX-License-Identifier: MIT
// Products, elementwise operations, factorisations and eigenvalues on the device: the bodies all backends share.
#include <cmath>
#include <utility>

// clang-format off: what is first included decides on which backends the tests run.
#include "backend/elementwise.test.cpp"
#include "backend/factorizations.test.cpp"
#include "backend/products.test.cpp"
#include "cuda/backends.hpp"
// clang-format on

TEST_CASE_TEMPLATE("products give the same bits wherever their operands lie", T, float, double) {
  sigmax::test::check_products_are_reproducible<sigmax::test::staged, T>({}, true);
}

using sigmax::index_t;

namespace {

/// fma(a_k, b_k, ...) over k, for each element: what the device's chain of fused multiply-additions gives.
template <class T>
index_t differs_from_chain(sigmax::matrix_view<T const> a, sigmax::matrix_view<T const> b,
                           sigmax::matrix_view<T const> r) {
  index_t count = 0;
  for (index_t i = 0; i < r.rows(); ++i) {
    for (index_t j = 0; j < r.cols(); ++j) {
      T sum(0);
      for (index_t k = 0; k < a.cols(); ++k) sum = std::fma(a(i, k), b(k, j), sum);
      count += sum != r(i, j);
    }
  }
  return count;
}

}  // namespace

// Stronger than what proofs need, which is any order of sums that are rounded to nearest: products that round otherwise
// (downwards, or to fewer bits) cannot pass.
TEST_CASE_TEMPLATE("a product whose depth is not divided is a chain of fused multiply-additions", T, float, double) {
  number_source source(9);
  for (auto const& shape : {std::pair<index_t, index_t>{64, 100}, {150, 127}, {130, 60}}) {
    stored_matrix<T> const a(shape.first, shape.second, layout::row_major, source);
    stored_matrix<T> const b(shape.second, shape.first, layout::row_major, source);
    stored_matrix<T> const r(shape.first, shape.first, layout::row_major);
    staged().multiply(T(1), a.view(), b.view(), T(0), r.view(), r.view());
    CHECK(differs_from_chain<T>(a.view(), b.view(), r.view()) == 0);
  }
}
