// SPDX-License-Identifier: MIT
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/backend/default_backend.hpp>
#include <sigmax/bound/rounding.hpp>
#include <sigmax/certified/largest_norm.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/core/workspace.hpp>

using namespace sigmax;

namespace {

/// Complex matrices that are kept.
struct stored_family {
  std::vector<Eigen::MatrixXcd> members;

  matrix_family view(double error = 0) const {
    matrix_family result;
    result.rows = members.front().rows();
    result.cols = members.front().cols();
    result.count = static_cast<index_t>(members.size());
    result.self = this;
    result.fill = [](void const* self, index_t k, matrix_view<double> real, matrix_view<double> imaginary) {
      auto const& m = static_cast<stored_family const*>(self)->members[static_cast<std::size_t>(k)];
      for (index_t i = 0; i < m.rows(); ++i) {
        for (index_t j = 0; j < m.cols(); ++j) {
          real(i, j) = m(i, j).real();
          imaginary(i, j) = m(i, j).imag();
        }
      }
      return true;
    };
    result.magnitude_squared = 0;
    for (auto const& m : members)
      result.magnitude_squared = std::fmax(result.magnitude_squared, 1.01 * m.squaredNorm());
    result.error = error;
    return result;
  }
  double largest() const {
    double result = 0;
    for (auto const& m : members) {
      result = std::fmax(result, Eigen::JacobiSVD<Eigen::MatrixXcd>(m).singularValues()(0));
    }
    return result;
  }
};

stored_family random_family(index_t rows, index_t cols, std::size_t count, std::uint64_t seed) {
  random_sequence const numbers(seed);
  std::uint64_t at = 0;
  stored_family result;
  for (std::size_t k = 0; k < count; ++k) {
    Eigen::MatrixXcd m(rows, cols);
    for (index_t i = 0; i < rows; ++i) {
      for (index_t j = 0; j < cols; ++j) m(i, j) = {numbers.normal(2 * at), numbers.normal(2 * at + 1)}, ++at;
    }
    result.members.push_back(std::move(m));
  }
  return result;
}

}  // namespace

TEST_CASE("the largest norm of a family is proved from a claim as it is found, and no smaller one is") {
  default_backend<double> const on{};
  workspace memory;
  for (auto const& [rows, cols, count] : {std::tuple{1, 4, 5}, std::tuple{3, 3, 9}, std::tuple{6, 11, 20}}) {
    auto const stored = random_family(rows, cols, static_cast<std::size_t>(count), 7);
    auto const family = stored.view();
    double const truth = stored.largest();
    double const found = detail::largest_norm_up(on, family, 1e-9, memory);
    CHECK(found >= truth * (1 - 1e-13));
    CHECK(found <= truth * (1 + 1e-8));
    CHECK(detail::proves_largest_norm_at_most(on, family, truth * (1 + 1e-8), memory));
    CHECK(detail::proves_largest_norm_at_most(on, family, 2 * truth, memory));
    for (double const less : {1 - 1e-9, 0.99, 0.5, 0.0, -1.0}) {
      CHECK_FALSE(detail::proves_largest_norm_at_most(on, family, less * truth, memory));
    }
    CHECK_FALSE(detail::proves_largest_norm_at_most(on, family, std::numeric_limits<double>::quiet_NaN(), memory));
    // A family known up to an error has that more to prove.
    CHECK_FALSE(detail::proves_largest_norm_at_most(on, stored.view(0.1), truth * (1 + 1e-8), memory));
    CHECK(detail::proves_largest_norm_at_most(on, stored.view(0.1), truth * (1 + 1e-8) + 0.1, memory));
  }
}

TEST_CASE("a family of zeros has the norm of its error") {
  default_backend<double> const on{};
  workspace memory;
  stored_family zeros;
  zeros.members.assign(3, Eigen::MatrixXcd::Zero(2, 3));
  CHECK(detail::proves_largest_norm_at_most(on, zeros.view(), 1e-300, memory));
  CHECK(detail::proves_largest_norm_at_most(on, zeros.view(0.5), 0.5 * (1 + 1e-15), memory));
  CHECK_FALSE(detail::proves_largest_norm_at_most(on, zeros.view(0.5), 0.499, memory));
}
