// SPDX-License-Identifier: MIT
// Cholesky factors of orders up to and beyond what one block factors (512), in all storages.
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "backend/factorizations.hpp"
#include "cuda/staged.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("cholesky of orders around the largest that one block factors", T, float, double) {
  staged const on;
  for (auto const order : every_layout) {
    for (index_t const n : {0, 1, 7, 31, 32, 33, 64, 100, 256}) check_cholesky<staged, T>(on, n, order);
  }
  for (index_t const n : {255, 257, 480, 481, 511, 512, 513, 545, 640}) {
    check_cholesky<staged, T>(on, n, layout_at(n));
    check_cholesky<staged, T>(on, n, layout_at(n + 3));
  }
}

TEST_CASE_TEMPLATE("cholesky stops at the same row however many blocks factor", T, float, double) {
  staged const on;
  for (index_t const k : {0, 31, 32, 100, 255}) check_cholesky_failure<staged, T>(on, 256, k, layout_at(k));
  for (index_t const k : {0, 300, 511}) check_cholesky_failure<staged, T>(on, 512, k, layout_at(k));
  for (index_t const k : {0, 31, 127, 128, 300, 512}) check_cholesky_failure<staged, T>(on, 513, k, layout_at(k));
}

// The root of a pivot that is near the ends of the range takes another way (kernels/root.cuh).
TEST_CASE_TEMPLATE("cholesky of matrices of every scale", T, float, double) {
  staged const on;
  using limits = std::numeric_limits<T>;
  int const ends = sizeof(T) == 4 ? 90 : 900;
  for (int const exponent :
       {limits::min_exponent, -ends - 20, -ends - 5, -ends, ends - 10, ends, limits::max_exponent - 9}) {
    CAPTURE(exponent);
    number_source source(static_cast<std::uint64_t>(exponent + 2000));
    stored_matrix<T> const a(70, 70, layout::row_major);
    stored_matrix<T> const l(70, 70, layout::row_major);
    fill_positive_definite(a.view(), source);
    for (index_t i = 0; i < 70; ++i) {
      // Pivots of both sides of a limit in one matrix.
      for (index_t j = 0; j <= i; ++j) a(i, j) = std::ldexp(a(i, j), exponent - static_cast<int>(i % 3 + j % 3));
    }
    l.set(a.view());
    CHECK(on.cholesky(l.view()) == 70);
    CHECK(reconstruction_ratio<T>(l.view(), a.view(), 70, 0) <= 1);
  }
}
