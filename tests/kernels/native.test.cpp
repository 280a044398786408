// SPDX-License-Identifier: MIT
// cpu::native on every level this processor executes: what all backends promise.
#include <sigmax/kernels.hpp>

#include "backend/elementwise.hpp"
#include "backend/factorizations.hpp"
#include "backend/products.hpp"
#include "backend/sixteen_bits.hpp"
#include "kernels/levels.hpp"

using namespace sigmax::test;
using sigmax::cpu::native;

TEST_CASE_TEMPLATE("native: products are within their rounding error", T, float, double) {
  on_every_level([](native const& be) {
    check_products_of_small_shapes<native, T>(be);
    check_products_of_large_shapes<native, T>(be);
    check_products_near_underflow<native, T>(be);
  });
}

TEST_CASE_TEMPLATE("native: products give the same bits wherever their operands lie", T, float, double) {
  on_every_level([](native const& be) { check_products_are_reproducible<native, T>(be, true); });
}

TEST_CASE_TEMPLATE("native: reductions and combinations", T, float, double) {
  on_every_level([](native const& be) { check_elementwise<native, T>(be); });
}

TEST_CASE_TEMPLATE("native: cholesky and triangular solves", T, float, double) {
  on_every_level([](native const& be) { check_factorizations<native, T>(be); });
}

TEST_CASE_TEMPLATE("native: 16-bit storage", S, sigmax::bf16, sigmax::f16) {
  on_every_level([](native const& be) {
    check_conversions<S>(be);
    check_converted_matrices<S>(be);
    check_largest_of_16_bits<S>(be);
  });
}
