// SPDX-License-Identifier: MIT
#include <concepts>

#include <doctest/doctest.h>

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <boost/multiprecision/cpp_bin_float.hpp>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/core/matrix.hpp>

namespace multiprecision = boost::multiprecision;
using plain = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_off>;
using with_expressions = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_on>;

using sigmax::default_backend;
using sigmax::index_t;
using sigmax::matrix;

static_assert(std::same_as<default_backend<plain>, sigmax::cpu::scalar>);
static_assert(std::same_as<default_backend<long double>, sigmax::cpu::scalar>);
static_assert(std::same_as<default_backend<double>, sigmax::cpu::simd<>>);
static_assert(std::same_as<default_backend<sigmax::bf16>, sigmax::cpu::simd<>>);
static_assert(sigmax::backend<sigmax::cpu::scalar, plain> && sigmax::backend<sigmax::cpu::simd<>, with_expressions>);

// A Hilbert matrix of order 8 has condition number 1.5e10: in 50 digits H = L L^T and L^-1 H L^-T = I still hold to
// 8 * 10 * 1.5e10 * 1e-50 < 1e-37, and to less than that only if not one operation went through double.
TEST_CASE_TEMPLATE("a backend computes in the scalar's own precision", Case, default_backend<plain>,
                   sigmax::cpu::simd<>) {
  auto const check = [](auto zero) {
    using scalar = decltype(zero);
    using std::abs;
    constexpr index_t n = 8;
    Case const be;
    scalar const tolerance("1e-37");
    matrix<scalar> hilbert(n, n);
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = 0; j < n; ++j) hilbert(i, j) = scalar(scalar(1) / scalar(static_cast<int>(i + j + 1)));
    }
    matrix<scalar> l = hilbert;
    REQUIRE(be.cholesky(l.view()) == n);
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = i + 1; j < n; ++j) l(i, j) = zero;
    }
    matrix<scalar> difference = hilbert;
    be.gram(scalar(1), l.view(), scalar(-1), difference.view(), difference.view());
    CHECK(be.max_abs(difference.view()) < tolerance);

    matrix<scalar> identity = hilbert;
    be.template triangular_solve<scalar>(l.view(), identity.view());
    be.template triangular_solve<scalar>(l.view(), identity.view().transposed());
    for (index_t i = 0; i < n; ++i) identity(i, i) = scalar(identity(i, i) - 1);
    CHECK(be.max_abs(identity.view()) < tolerance);

    matrix<scalar> product(n, n);
    be.multiply(scalar(1), l.view(), l.view().transposed(), scalar(0), product.view(), product.view());
    be.combine(scalar(-1), hilbert.view(), scalar(1), product.view());
    CHECK(be.sum_squares(product.view()) < scalar(tolerance * tolerance));

    sigmax::vector<scalar> v(n), y(n), z(n);
    for (index_t i = 0; i < n; ++i) v[i] = scalar(1) / scalar(3);
    be.template gram_times_vector<scalar>(hilbert.view(), v.view(), y.view());
    be.times_vector(scalar(1), hilbert.view(), v.view(), scalar(0), z.view());
    be.times_vector(scalar(1), hilbert.view(), z.view(), scalar(-1), y.view());
    CHECK(be.dot(y.view(), y.view()) < scalar(tolerance * tolerance));
  };
  check(plain(0));
  check(with_expressions(0));
}
#endif
