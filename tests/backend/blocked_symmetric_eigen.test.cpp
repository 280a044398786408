// SPDX-License-Identifier: MIT
// The fast eigendecomposition on matrices of every order up to 70: residual and orthogonality, known eigenvalues, scales,
// strides, and what is no number.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/backend/blocked_symmetric_eigen.hpp>

#include "backend/blocked_symmetric_eigen.hpp"
#include "support/backends.hpp"
#include "support/spectra.hpp"

using namespace sigmax::test;
using sigmax::index_t;

TEST_CASE_TEMPLATE("all orders from 1 to 70", T, float, double) {
  sigmax::cpu::simd<> const on;
  worst_errors worst;
  for (auto const& family : symmetric_families) {
    for (index_t m = 1; m <= 70; ++m) {
      INFO(std::string(family.name), " of order ", m);
      check_decomposition<T>(on, family.make(m), worst);
    }
  }
  std::printf("  blocked_symmetric_eigen, %s: residual %.2f (m + 10) u, orthogonality %.2f (m + 10) u\n",
              sizeof(T) == 4 ? "float" : "double", worst.residual, worst.orthogonality);
}

TEST_CASE_TEMPLATE("any backend will do", Case, SIGMAX_TEST_BACKENDS) {
  worst_errors worst;
  for (auto const& family : symmetric_families) {
    for (index_t const m : {1, 2, 33, 90}) {
      INFO(std::string(family.name), " of order ", m);
      check_decomposition<typename Case::scalar>(typename Case::backend{}, family.make(m), worst);
    }
  }
}

TEST_CASE_TEMPLATE("scales at both ends of the range", T, float, double) {
  worst_errors worst;
  for (double const scale : {1e-36, 1e-30, 1e30, 1e36}) {
    for (index_t const m : {1, 2, 5, 40, 70}) {
      for (auto const& family : symmetric_families) {
        auto a = family.make(m);
        double largest = 0;
        for (index_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a.data()[i]));
        for (index_t i = 0; i < a.size(); ++i) a.data()[i] *= scale / (largest > 0 ? largest : 1);
        INFO(std::string(family.name), " of order ", m, " times ", scale);
        check_decomposition<T>(sigmax::cpu::simd<>{}, a, worst);
      }
    }
  }
}

TEST_CASE_TEMPLATE("eigenvalues of the second difference", T, float, double) {
  for (index_t const m : {1, 2, 3, 31, 32, 33, 64, 65, 100, 200}) {
    auto const given = tridiagonal(
        m, [](index_t) { return 2.0; }, [](index_t) { return -1.0; });
    sigmax::matrix<T> a(m, m);
    for (index_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<T>(given.data()[i]);
    sigmax::vector<T> values(m);
    sigmax::matrix<T> vectors(m, m);
    sigmax::workspace memory;
    sigmax::blocked_symmetric_eigen(sigmax::cpu::simd<>{}, a.view(), values.view(), vectors.view(), memory);
    std::sort(values.data(), values.data() + m);
    double const u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
    for (index_t k = 0; k < m; ++k) {
      CAPTURE(m);
      CAPTURE(k);
      double const wanted = 2 - 2 * std::cos(static_cast<double>(k + 1) * std::acos(-1.0) / static_cast<double>(m + 1));
      CHECK(std::fabs(static_cast<double>(values[k]) - wanted) <= 4 * 40 * u);
    }
  }
}

TEST_CASE_TEMPLATE("only what is above a threshold", T, float, double) {
  sigmax::cpu::simd<> const on;
  double const u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  for (auto const& family : symmetric_families) {
    for (index_t const m : {1, 2, 20, 33, 64, 90}) {
      auto const a = rounded_to<T>(family.make(m));
      sigmax::workspace memory;
      auto destroyed = a;
      sigmax::vector<T> all(m);
      sigmax::matrix<T> vectors(m, m);
      sigmax::blocked_symmetric_eigen(on, destroyed.view(), all.view(), vectors.view(), memory);
      std::sort(all.data(), all.data() + m);
      double const norm = std::max(std::fabs(static_cast<double>(all[0])), std::fabs(static_cast<double>(all[m - 1])));
      for (index_t const place : {index_t{0}, m / 2, m - 1}) {
        for (T const threshold : {all[place], T(all[place] - T(norm / 100)), std::numeric_limits<T>::infinity()}) {
          INFO(std::string(family.name), " of order ", m, ", above ", static_cast<double>(threshold));
          destroyed = a;
          sigmax::vector<T> values(m);
          index_t const count = sigmax::blocked_symmetric_eigen_above(on, threshold, destroyed.view(), values.view(),
                                                                      vectors.view(), memory);
          auto const above = [&](double margin) {
            return std::count_if(all.data(), all.data() + m, [&](T value) {
              return static_cast<double>(value) > static_cast<double>(threshold) + margin * u * norm;
            });
          };
          CHECK(count >= above(4));
          CHECK(count <= above(-4));
          auto const error = error_of_eigenpairs(a, values, vectors, 1, count, norm);
          CHECK(error.residual <= 4 * (static_cast<double>(m) + 10));
          CHECK(error.orthogonality <= 4 * (static_cast<double>(m) + 10));
          std::sort(values.data(), values.data() + count);
          for (index_t i = 0; i < count; ++i) {
            CHECK(std::fabs(static_cast<double>(values[i]) - static_cast<double>(all[m - count + i])) <= 4 * u * norm);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("strided views give the same, and nothing is written beside them", T, float, double) {
  for (index_t const m : {1, 5, 50}) {
    auto const a = rounded_to<T>(symmetric_gaussian(m));
    auto dense = a;
    sigmax::vector<T> dense_values(m);
    sigmax::matrix<T> dense_vectors(m, m);
    sigmax::workspace memory;
    sigmax::cpu::simd<> const on;
    sigmax::blocked_symmetric_eigen(on, dense.view(), dense_values.view(), dense_vectors.view(), memory);
    for_each_layout(a, [&](sigmax::matrix_view<T> input) {
      for (auto const& strides : {std::pair<index_t, index_t>{1, m + 2}, {2 * m + 3, 2}, {m + 1, 1}, {-m - 2, 1}}) {
        laid_out<T> const output(sigmax::matrix<T>(m, m), "output", strides.first, strides.second);
        std::vector<T> values(static_cast<std::size_t>(3 * m), T(9));
        sigmax::matrix<T> original(m, m);
        for (index_t i = 0; i < m; ++i) {
          for (index_t j = 0; j < m; ++j) input(i, j) = a(i, j);
        }
        sigmax::blocked_symmetric_eigen(on, input, sigmax::vector_view<T>(values.data(), m, 3), output.view(), memory);
        CHECK(output.is_intact());
        for (index_t i = 0; i < m; ++i) {
          CHECK(values[static_cast<std::size_t>(3 * i)] == dense_values[i]);
          CHECK(values[static_cast<std::size_t>(3 * i + 1)] == T(9));
          for (index_t j = 0; j < m; ++j) CHECK(output.view()(i, j) == dense_vectors(i, j));
        }
      }
    });
  }
}

TEST_CASE_TEMPLATE("what is no number gives no numbers, and order 0 nothing", T, float, double) {
  sigmax::workspace memory;
  sigmax::cpu::simd<> const on;
  for (T const bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    for (index_t const m : {1, 2, 33, 70}) {
      sigmax::matrix<T> a(m, m);
      a(m / 2, m / 3) = a(m / 3, m / 2) = bad;
      sigmax::vector<T> values(m);
      sigmax::matrix<T> vectors(m, m);
      sigmax::blocked_symmetric_eigen(on, a.view(), values.view(), vectors.view(), memory);
      for (index_t i = 0; i < m; ++i) CHECK(values[i] != values[i]);
      for (index_t i = 0; i < vectors.size(); ++i) CHECK(vectors.data()[i] != vectors.data()[i]);
    }
  }
  sigmax::matrix<T> none;
  sigmax::vector<T> no_values;
  CHECK_NOTHROW(sigmax::blocked_symmetric_eigen(on, none.view(), no_values.view(), none.view(), memory));
}
