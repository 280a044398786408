// SPDX-License-Identifier: MIT
// What is special to the products of cpu::simd: tiles, panels, blocks, threads and packing memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/simd.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

#include "backend/factorizations.hpp"
#include "backend/products.hpp"
#include "backend/storage.hpp"
#include "support/executors.hpp"

using namespace sigmax::test;
using sigmax::index_t;
using sigmax::matrix_view;

namespace {

template <class T, class B>
void run_all(B const& be, matrix_view<T const> x, matrix_view<T const> wide, matrix_view<T> gram,
             matrix_view<T> product, matrix_view<T> factor, index_t& factored) {
  be.gram(T(1), x, T(0), gram, gram);
  be.multiply(T(1), x, wide, T(0), product, product);
  be.gram(T(1), x, T(0), gram, factor);
  be.add_to_diagonal(T(static_cast<double>(x.cols())), factor);
  factored = be.cholesky(factor);
}

}  // namespace

TEST_CASE_TEMPLATE("every remainder of rows, panels and registers is within its rounding error", T, float, double) {
  sigmax::cpu::simd<> const be;
  index_t variant = 0;
  for (index_t m = 1; m <= 17; ++m) {
    for (index_t n = 1; n <= 100; n += m % 4 == 1 ? 1 : 5)
      check_multiply<sigmax::cpu::simd<>, T>(be, m, n, 3, ++variant);
  }
  for (index_t m = 1; m <= 100; ++m) {
    check_gram<sigmax::cpu::simd<>, T>(be, m, 1 + m % 40, ++variant);
    check_symmetric_product<sigmax::cpu::simd<>, T>(be, m, ++variant);
  }
}

TEST_CASE_TEMPLATE("operands beyond a block of columns are packed in pieces", T, float, double) {
  sigmax::cpu::simd<> const be;
  check_multiply<sigmax::cpu::simd<>, T>(be, 5, 2051, 7, 0);
  check_multiply<sigmax::cpu::simd<>, T>(be, 2051, 6, 5, 1);
  check_gram<sigmax::cpu::simd<>, T>(be, 2051, 2, 3);
}

TEST_CASE_TEMPLATE("a product without terms is beta c", T, float, double) {
  sigmax::cpu::simd<> const be;
  std::vector<T> c(12, T(3)), r(12, T(7));
  matrix_view<T> const result(r.data(), 3, 4);
  be.multiply(T(1), matrix_view<T const>(c.data(), 3, 0), matrix_view<T const>(c.data(), 0, 4), T(2),
              matrix_view<T const>(c.data(), 3, 4), result);
  CHECK(std::all_of(r.begin(), r.end(), [](T value) { return value == T(6); }));
  be.multiply(T(1), matrix_view<T const>(c.data(), 3, 0), matrix_view<T const>(c.data(), 0, 4), T(0), result, result);
  CHECK(std::all_of(r.begin(), r.end(), [](T value) { return value == T(0); }));
}

TEST_CASE_TEMPLATE("a product has the same bits packed and unpacked", T, float, double) {
  sigmax::cpu::simd<> const be;
  for (index_t const m : {8, 16, 32}) {
    for (index_t const n : {16, 32, 48}) {
      for (index_t const k : {1, 5, 16, 32, 64, 257}) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        std::vector<T> a(static_cast<std::size_t>(m * k)), b(static_cast<std::size_t>(k * n));
        std::vector<T> r(static_cast<std::size_t>(m * n)), far(static_cast<std::size_t>(2 * m * n));
        sigmax::fill_normal(sigmax::vector_view<T>(a.data(), m * k), 5);
        sigmax::fill_normal(sigmax::vector_view<T>(b.data(), k * n), 6);
        sigmax::fill_normal(sigmax::vector_view<T>(r.data(), m * n), 7);
        matrix_view<T const> const left(a.data(), m, k), right(b.data(), k, n);
        matrix_view<T> const together(r.data(), m, n), apart(far.data(), m, n, 2 * n, 2);  // strided: packed
        be.template combine<T>(T(1), together, T(0), apart);
        for (T const beta : {T(0), T(-0.75)}) {
          be.template multiply<T>(T(1.25), left, right, beta, together, together);
          be.template multiply<T>(T(1.25), left, right, beta, apart, apart);
          for (index_t i = 0; i < m; ++i) {
            for (index_t j = 0; j < n; ++j) REQUIRE(together(i, j) == apart(i, j));
          }
        }
        if (m != n) continue;
        sigmax::matrix<T> powers(m, m), square(m, m), other(m, m), wide(m, 2 * m);
        auto const p = powers.view();
        auto const spread = matrix_view<T>(wide.data(), m, m, 2 * m, 2);
        be.template gram<T>(T(1), left, T(0), left, p);
        be.template symmetric_product<T>(T(1), p, p, T(0.5), p, square.view());
        be.template symmetric_product<T>(T(1), p, p, T(0.5), p, spread);
        be.template symmetric_product<T>(T(1), square.view(), p, T(0), p, other.view());
        for (index_t i = 0; i < m; ++i) {
          for (index_t j = 0; j < m; ++j) {
            REQUIRE(square(i, j) == spread(i, j));
            REQUIRE(square(i, j) == square(j, i));
            REQUIRE(other(i, j) == other(j, i));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("threads and scratch memory do not change a bit", T, float, double) {
  number_source source(11);
  for (auto const order : {layout::row_major, layout::col_major, layout::spread}) {
    for (auto const& [m, n] : {std::pair<index_t, index_t>{301, 500}, {150, 901}, {97, 203}}) {
      stored_matrix<T> const x(m, n, order, source);
      stored_matrix<T> const wide(n, 701, order, source);
      stored_matrix<T> const gram(m, m, order), product(m, 701, order), factor(m, m, order);
      index_t factored = 0;
      run_all<T>(sigmax::cpu::simd<>(), x.view(), wide.view(), gram.view(), product.view(), factor.view(), factored);
      REQUIRE(factored == m);
      int started = 0;
      sigmax::workspace scratch;
      for (int const threads : {1, 2, 3, 7}) {
        for (auto const& workers : {sigmax::executor(threads), sigmax::executor(threads, run_backwards),
                                    sigmax::executor(threads, run_at_once, &started),
                                    sigmax::executor(threads, run_rounding_upwards, &started)}) {
          stored_matrix<T> const gram2(m, m, order), product2(m, 701, order), factor2(m, m, order);
          auto const be = sigmax::cpu::simd<>(workers).using_scratch(scratch);
          CHECK(be.threads() == threads);
          run_all<T>(be, x.view(), wide.view(), gram2.view(), product2.view(), factor2.view(), factored);
          CHECK(factored == m);
          CHECK(same_bits(gram2.view(), gram.view()));
          CHECK(same_bits(product2.view(), product.view()));
          CHECK(same_bits(factor2.view(), factor.view()));
          CHECK(product2.gaps_intact());
        }
      }
      CHECK(started > 0);
    }
  }
}

TEST_CASE_TEMPLATE("a failing pivot is found by its number, whatever block it is in", T, float, double) {
  sigmax::cpu::simd<> const be;
  for (index_t const m : {1, 63, 64, 65, 130, 200, 333}) {
    for (index_t const bad : {index_t{0}, m / 3, m / 2, m - 1}) {
      number_source source(static_cast<std::uint64_t>(m));
      stored_matrix<T> const a(m, m, layout::row_major);
      fill_positive_definite(a.view(), source);
      stored_matrix<T> const whole(m, m, layout::row_major);
      whole.set(a.view());
      REQUIRE(be.cholesky(whole.view()) == m);
      a.view()(bad, bad) = T(-1);
      CHECK(be.cholesky(a.view()) == bad);
      for (index_t i = 0; i <= bad; ++i) {
        for (index_t j = 0; j < (i < bad ? i + 1 : bad); ++j) REQUIRE(a.view()(i, j) == whole.view()(i, j));
      }
    }
  }
}
