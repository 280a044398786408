// SPDX-License-Identifier: MIT
// Eigenvalues on the device.
// clang-format off: what is first included decides on which backends the tests run.
#include "backend/symmetric_eigen.test.cpp"
#include "cuda/backends.hpp"
// clang-format on

TEST_CASE_TEMPLATE("eigenvalues above a threshold", T, float, double) {
  staged const on;
  index_t const n = 70;
  std::vector<long double> spectrum;
  for (index_t i = 0; i < n; ++i) spectrum.push_back(static_cast<long double>(i * 29 % n) / 10);
  auto const a = rounded<T>(symmetric(spectrum, 9));
  for (index_t const above : {0, 1, 35, 69, 70}) {
    auto destroyed = a;
    sigmax::vector<T> values(n);
    sigmax::matrix<T> vectors(n, n);
    auto const threshold = static_cast<T>(static_cast<double>(n - above) / 10 - 0.05);
    REQUIRE(on.symmetric_eigen_above(threshold, destroyed.view(), values.view(), vectors.view()) == above);
    double worst = 0;
    for (index_t i = 0; i < above; ++i) {
      CHECK(values[i] > threshold);
      for (index_t j = 0; j < n; ++j) {
        long double product = 0;
        for (index_t k = 0; k < n; ++k) {
          product += static_cast<long double>(a(j, k)) * static_cast<long double>(vectors(i, k));
        }
        auto const expected = static_cast<long double>(values[i]) * static_cast<long double>(vectors(i, j));
        worst = std::max(worst, static_cast<double>(std::fabs(product - expected)));
      }
    }
    CHECK(worst <= 10 * 74 * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2 * 7);
  }
}

TEST_CASE_TEMPLATE("eigenvalues of what is not finite are NaN", T, float, double) {
  sigmax::matrix<T> a(5, 5);
  a(2, 3) = a(3, 2) = std::numeric_limits<T>::infinity();
  sigmax::vector<T> values(5);
  sigmax::matrix<T> vectors(5, 5);
  staged().symmetric_eigen(a.view(), values.view(), vectors.view());
  for (index_t i = 0; i < 5; ++i) CHECK(std::isnan(values[i]));
  for (index_t i = 0; i < 25; ++i) CHECK(std::isnan(vectors.data()[i]));
}
