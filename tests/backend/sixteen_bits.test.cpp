// SPDX-License-Identifier: MIT
// 16-bit storage: conversions have the bits of the scalar ones, products those of products of converted copies.
#include <array>

#include <doctest/doctest.h>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>

#include "backend/sixteen_bits.hpp"
#include "backend/storage.hpp"
#include "support/executors.hpp"

using namespace sigmax::test;
using sigmax::bf16;
using sigmax::f16;
using sigmax::index_t;
using sigmax::matrix_view;

namespace {

/// A matrix of S and its copy of floats in the same storage.
template <class S>
struct twin {
  stored_matrix<S> stored;
  stored_matrix<float> copy;

  twin(index_t rows, index_t cols, layout order, number_source& source)
      : stored(rows, cols, order, source), copy(rows, cols, order) {
    sigmax::cpu::scalar().convert(stored.view(), copy.view());
  }
};

template <class T>
void make_symmetric(stored_matrix<T> const& x) {
  for (index_t i = 0; i < x.view().rows(); ++i) {
    for (index_t j = 0; j < i; ++j) x(j, i) = x(i, j);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("16 bits are converted as one by one", S, bf16, f16) {
  check_conversions<S>(sigmax::cpu::simd<>());
  check_converted_matrices<S>(sigmax::cpu::simd<>());
  check_converted_matrices<S>(sigmax::cpu::scalar());
}

TEST_CASE_TEMPLATE("the largest magnitude of 16 bits", S, bf16, f16) {
  check_largest_of_16_bits<S>(sigmax::cpu::simd<>());
  check_largest_of_16_bits<S>(sigmax::cpu::scalar());
}

TEST_CASE_TEMPLATE("products read 16-bit operands as if they had been converted", S, bf16, f16) {
  number_source source(7);
  int started = 0;
  sigmax::cpu::simd<> const plain;
  sigmax::cpu::simd<> const threaded(sigmax::executor(3, run_at_once, &started));
  for (auto const order : every_layout) {
    for (auto const result : {layout::row_major, layout::col_major, layout::spread}) {
      for (auto const& shape : {std::array<index_t, 3>{2, 3, 1}, {16, 16, 16}, {37, 50, 45}, {150, 130, 401}}) {
        index_t const m = shape[0], n = shape[1], k = shape[2];
        INFO(m, " x ", k, " x ", n);
        twin<S> const a(m, k, order, source), b(k, n, order, source), p(m, m, order, source);
        stored_matrix<float> const c(m, n, result, source), symmetric(m, m, result, source);
        make_symmetric(symmetric);
        make_symmetric(p.stored);
        make_symmetric(p.copy);
        auto const see = [&](index_t cols, auto const& of_stored, auto const& of_copies) {
          stored_matrix<float> const expected(m, cols, result), direct(m, cols, result), parallel(m, cols, result);
          of_copies(plain, expected.view());
          of_stored(plain, direct.view());
          of_stored(threaded, parallel.view());
          CHECK(same_bits(direct.view(), expected.view()));
          CHECK(same_bits(parallel.view(), expected.view()));
          CHECK(direct.gaps_intact());
        };
        for (float const beta : {0.0f, -0.5f}) {
          auto const gram = [&](auto const& x) {
            return [&](auto const& be, auto r) { be.gram(1.5f, x.view(), beta, symmetric.view(), r); };
          };
          see(m, gram(a.stored), gram(a.copy));
          auto const product = [&](auto const& x, auto const& y) {
            return [&](auto const& be, auto r) { be.multiply(1.5f, x.view(), y.view(), beta, c.view(), r); };
          };
          see(n, product(a.stored, b.stored), product(a.copy, b.copy));
          see(n, product(a.stored, b.copy), product(a.copy, b.copy));
          see(n, product(a.copy, b.stored), product(a.copy, b.copy));
          auto const commuting = [&](auto const& x, auto const& y) {
            return [&](auto const& be, auto r) {
              be.symmetric_product(1.5f, x.view(), y.view(), beta, symmetric.view(), r);
            };
          };
          see(m, commuting(p.stored, p.stored), commuting(p.copy, p.copy));
          see(m, commuting(symmetric, p.stored), commuting(symmetric, p.copy));
        }
      }
    }
  }
  CHECK(started > 0);
}

TEST_CASE_TEMPLATE("so do products with vectors", S, bf16, f16) {
  number_source source(8);
  sigmax::cpu::simd<> const be;
  for (auto const order : every_layout) {
    for (auto const of_vectors : {layout::row_major, layout::spread}) {
      for (auto const& shape : {std::array<index_t, 2>{1, 1}, {3, 7}, {13, 100}, {100, 13}, {70, 1100}}) {
        index_t const m = shape[0], n = shape[1];
        INFO(m, " x ", n);
        twin<S> const x(m, n, order, source);
        stored_matrix<float> const v(n, 1, of_vectors, source), u(m, 1, of_vectors, source);
        stored_matrix<float> const u2(m, 1, of_vectors), y(n, 1, of_vectors), y2(n, 1, of_vectors);
        u2.set(u.view());
        be.times_vector(1.5f, x.stored.view(), as_vector(v), -0.5f, as_vector(u));
        be.times_vector(1.5f, x.copy.view(), as_vector(v), -0.5f, as_vector(u2));
        CHECK(same_bits(u.view(), u2.view()));
        be.gram_times_vector(x.stored.view(), as_vector(v), as_vector(y));
        be.gram_times_vector(x.copy.view(), as_vector(v), as_vector(y2));
        CHECK(same_bits(y.view(), y2.view()));
        CHECK(y.gaps_intact());
      }
    }
  }
}
