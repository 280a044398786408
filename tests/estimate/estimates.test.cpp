// SPDX-License-Identifier: MIT
// Properties that both estimators share, over backends, scalars, shapes, storage orders and scales.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <Eigen/SVD>
#include <doctest/doctest.h>

#include "estimate/cases.hpp"
#include "support/singular_values.hpp"

using sigmax::index_t;
using sigmax::matrix;
using sigmax::matrix_view;
using sigmax::singular_estimate;
using sigmax::singular_estimate_options;
using namespace sigmax::test;

void sigmax::test::check_claims(claims const& c) {
  Eigen::VectorXd const exact = oracle::singular_values(c.w);
  REQUIRE((c.u.size() == c.w.rows() && c.v.size() == c.w.cols()));
  CHECK(std::fabs(c.u.norm() - 1) <= c.slack);
  CHECK(std::fabs(c.v.norm() - 1) <= c.slack);
  CHECK(c.sigma <= exact[0] * (1 + c.slack) + c.spacing);
  if (c.sigma > 1e6 * c.spacing) {
    CHECK((c.w * c.v - c.sigma * c.u).norm() <= c.slack * c.sigma);
    // The residual is that of the vectors returned. It is computed from W^T W, where a relative error is doubled.
    double const residual = (c.w.transpose() * c.u - c.sigma * c.v).norm() / c.sigma;
    CHECK(std::fabs(residual - c.residual) <= 0.01 * c.residual + c.slack);
  }
  // Some singular value lies within the residual of sigma.
  CHECK((exact.array() - c.sigma).abs().minCoeff() <= (c.residual + c.slack) * c.sigma + c.spacing);
}

TEST_CASE_TEMPLATE("every shape and storage order, against Eigen's SVD", Case, SIGMAX_TEST_ESTIMATES,
                   SIGMAX_TEST_MORE_ESTIMATES) {
  using T = typename Case::scalar;
  std::pair<index_t, index_t> const shapes[] = {{1, 1},  {1, 9},   {9, 1},   {2, 2},  {3, 40},
                                                {40, 3}, {17, 17}, {24, 37}, {37, 24}};
  for (auto const& shape : shapes) {
    auto const rows = shape.first;
    auto const cols = shape.second;
    CAPTURE(rows);
    CAPTURE(cols);
    matrix<T> const by_rows = with_a_leader<T>(rows, cols, 1);
    matrix<T> by_columns(cols, rows);
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) by_columns(j, i) = by_rows(i, j);
    }
    std::vector<T> memory(static_cast<std::size_t>(6 * rows * cols + 6), std::numeric_limits<T>::quiet_NaN());
    matrix_view<T> const strided(memory.data() + memory.size() - 2, rows, cols, -3 * cols, -2 + cols % 2);
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) strided(i, j) = by_rows(i, j);
    }
    double const exact = oracle::largest_singular_value(in_double(by_rows.view()));
    matrix_view<T const> const column_major = std::as_const(by_columns).view().transposed();
    for (matrix_view<T const> const& w : {by_rows.view(), column_major, matrix_view<T const>(strided)}) {
      auto const estimate = Case::method::run(typename Case::backend{}, w);
      CHECK(estimate.converged);
      CHECK(estimate.iterations <= 1000);  // 0 where the random start of a single column is the answer already
      CHECK(static_cast<double>(estimate.residual) <= square_root_of_roundoff<T>());
      check_claims(w, estimate);
      // The error of the value is of the order of the squared residual where the leader stands apart.
      CHECK(std::fabs(static_cast<double>(estimate.sigma) - exact) <= 4 * rounding<T>(rows, cols) * exact);
    }
  }
}

TEST_CASE_TEMPLATE("matrices without a leader: the claims hold, converged or not", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    auto const rows = static_cast<index_t>(3 + seed);
    auto const cols = static_cast<index_t>(25 - 2 * seed);
    auto const w = gaussian<T>(rows, cols, seed);
    CAPTURE(seed);
    auto const estimate = Case::method::run(typename Case::backend{}, w, singular_estimate_options<T>{.seed = seed});
    check_claims(w.view(), estimate);
    CHECK(estimate.converged == (static_cast<double>(estimate.residual) <= square_root_of_roundoff<T>()));
    if (estimate.converged) {
      double const exact = oracle::largest_singular_value(in_double(w.view()));
      CHECK(std::fabs(static_cast<double>(estimate.sigma) - exact) <= 2 * square_root_of_roundoff<T>() * exact);
    }
  }
}

TEST_CASE_TEMPLATE("any scale, down to subnormal entries", Case, SIGMAX_TEST_ESTIMATES, SIGMAX_TEST_MORE_ESTIMATES) {
  using T = typename Case::scalar;
  std::vector<double> const scales =
      std::is_same_v<T, float> ? std::vector<double>{1e-40, 1e-37, 1e-20, 1e-11, 1e-9, 1e9, 1e11, 1e20, 1e35}
                               : std::vector<double>{1e-310, 1e-300, 1e-160, 1e-78, 1e-76, 1e76, 1e78, 1e160, 1e300};
  matrix<double> const shape = with_a_leader<double>(11, 7, 3);
  for (double const scale : scales) {
    CAPTURE(scale);
    matrix<T> w(11, 7);
    for (index_t i = 0; i < w.size(); ++i) w.data()[i] = static_cast<T>(shape.data()[i] * scale);
    auto const estimate = Case::method::run(typename Case::backend{}, w);
    CHECK(estimate.converged);
    check_claims(w.view(), estimate, -std::ilogb(scale));
    double const exact = oracle::largest_singular_value(in_double(w.view(), -std::ilogb(scale)));
    double const sigma = std::ldexp(static_cast<double>(estimate.sigma), -std::ilogb(scale));
    double const spacing = std::ldexp(static_cast<double>(std::numeric_limits<T>::denorm_min()), -std::ilogb(scale));
    CHECK(std::fabs(sigma - exact) <= 4 * rounding<T>(11, 7) * exact + spacing);
  }
  // One huge entry among tiny ones, and one beyond which nothing is.
  matrix<T> spread(3, 3);
  spread(0, 0) = std::numeric_limits<T>::max();
  spread(1, 1) = std::numeric_limits<T>::denorm_min();
  auto const largest = Case::method::run(typename Case::backend{}, spread);
  CHECK(std::fabs(static_cast<double>(largest.sigma / std::numeric_limits<T>::max()) - 1) <= rounding<T>(3, 3));
  matrix<T> least(2, 2);
  least(1, 0) = std::numeric_limits<T>::denorm_min();
  CHECK(Case::method::run(typename Case::backend{}, least).sigma == std::numeric_limits<T>::denorm_min());
}

TEST_CASE_TEMPLATE("nothing and zero", Case, SIGMAX_TEST_ESTIMATES) {
  using T = typename Case::scalar;
  std::pair<index_t, index_t> const empty[] = {{0, 0}, {0, 5}, {5, 0}};
  for (auto const& [rows, cols] : empty) {
    auto const estimate = Case::method::run(typename Case::backend{}, matrix<T>(rows, cols));
    CHECK((estimate.sigma == 0 && estimate.residual == 0 && estimate.converged && estimate.iterations == 0));
    CHECK((estimate.u.size() == rows && estimate.v.size() == cols));
  }
  for (index_t const n : {1, 2, 6}) {
    auto const estimate = Case::method::run(typename Case::backend{}, matrix<T>(n, 2 * n));
    CHECK((estimate.sigma == 0 && estimate.residual == 0 && estimate.converged));
    CHECK(std::fabs(length(estimate.u) - 1) <= rounding<T>(n, n));
    CHECK(std::fabs(length(estimate.v) - 1) <= rounding<T>(n, n));
  }
}

TEST_CASE_TEMPLATE("16-bit storage is computed in float", Storage, sigmax::bf16, sigmax::f16) {
  matrix<Storage> const w = with_a_leader<Storage>(12, 20, 5);
  double const exact = oracle::largest_singular_value(in_double(w.view()));
  auto const check = [&](singular_estimate<float> const& estimate) {
    CHECK(estimate.converged);
    check_claims(w.view(), estimate);
    CHECK(std::fabs(static_cast<double>(estimate.sigma) - exact) <= 4 * rounding<float>(12, 20) * exact);
  };
  check(sigmax::power_iteration(w));
  check(sigmax::lanczos(w));
  check(sigmax::power_iteration(sigmax::cpu::scalar{}, w));
  check(sigmax::lanczos(sigmax::cpu::scalar{}, w.view().transposed().transposed()));
  // Read as it is: the bits of the estimate for a copy of floats, without memory for one.
  matrix<Storage> const large = with_a_leader<Storage>(60, 80, 6);
  matrix<float> copy(60, 80);
  for (index_t i = 0; i < copy.size(); ++i) copy.data()[i] = large.data()[i];
  sigmax::workspace scratch;
  CHECK(sigmax::power_iteration(large, {.scratch = &scratch}).sigma == sigmax::power_iteration(copy).sigma);
  CHECK(scratch.peak() < 60 * 80 * sizeof(float) / 2);
  CHECK(sigmax::lanczos(large).sigma == sigmax::lanczos(copy).sigma);
  // The largest finite number of the format, and its smallest.
  matrix<Storage> ends(2, 2);
  ends(0, 1) = Storage::from_bits(static_cast<std::uint16_t>(Storage(std::numeric_limits<float>::infinity()).bits - 1));
  CHECK(sigmax::lanczos(ends).sigma == doctest::Approx(static_cast<double>(static_cast<float>(ends(0, 1)))));
  ends(0, 1) = Storage::from_bits(1);
  CHECK(sigmax::power_iteration(ends).sigma == static_cast<float>(ends(0, 1)));
}

TEST_CASE_TEMPLATE("the default backend takes Eigen's matrices as they are", T, float, double) {
  matrix<T> const w = with_a_leader<T>(8, 5, 7);
  double const exact = oracle::largest_singular_value(in_double(w.view()));
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> by_columns(8, 5);
  for (index_t i = 0; i < 8; ++i) {
    for (index_t j = 0; j < 5; ++j) by_columns(i, j) = w(i, j);
  }
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const by_rows = by_columns;
  double const tolerance = 4 * rounding<T>(8, 5) * exact;
  CHECK(std::fabs(static_cast<double>(sigmax::power_iteration(by_columns).sigma) - exact) <= tolerance);
  CHECK(std::fabs(static_cast<double>(sigmax::lanczos(by_rows).sigma) - exact) <= tolerance);
  CHECK(std::fabs(static_cast<double>(sigmax::lanczos(by_columns.transpose()).sigma) - exact) <= tolerance);
}
