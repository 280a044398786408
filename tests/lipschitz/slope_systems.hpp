// SPDX-License-Identifier: MIT
// Slope systems for tests, and their true norms by brute force.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <sigmax/bound/interval.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/check/slope_system.hpp>

#include "support/singular_values.hpp"

namespace sigmax::test {

inline lipschitz::check::dense_map exact_map(index_t rows, index_t cols, std::vector<double> const& values) {
  lipschitz::check::dense_map result{matrix<double>(rows, cols)};
  std::copy(values.begin(), values.end(), result.elements.data());
  return result;
}

inline lipschitz::check::dense_map random_map(index_t rows, index_t cols, std::uint64_t seed) {
  lipschitz::check::dense_map result{matrix<double>(rows, cols)};
  fill_normal(result.elements.view(), seed);
  return result;
}

/// Widths: input, blocks, output. `skips` adds maps between all pairs, else it is a chain.
inline lipschitz::check::slope_system random_system(std::vector<index_t> const& widths, std::uint64_t seed, bool skips,
                                                    std::vector<interval> const& slopes) {
  lipschitz::check::slope_system system(widths[0]);
  random_sequence const numbers(seed);
  for (std::size_t j = 1; j < widths.size(); ++j) {
    std::vector<std::optional<lipschitz::check::dense_map>> from(j);
    for (std::size_t i = skips ? 0 : j - 1; i < j; ++i)
      from[i] = random_map(widths[j], widths[i], seed * 100 + j * 10 + i);
    if (j + 1 == widths.size()) {
      system.set_output(std::move(from), widths[j]);
      break;
    }
    std::vector<interval> own;
    for (index_t n = 0; n < widths[j]; ++n) {
      own.push_back(slopes[numbers.bits(j * 1000 + static_cast<std::uint64_t>(n)) % slopes.size()]);
    }
    system.add_block(std::move(from), std::move(own));
  }
  return system;
}

inline Eigen::MatrixXd dense(matrix<double> const& m) {
  Eigen::MatrixXd result(m.rows(), m.cols());
  for (index_t i = 0; i < m.rows(); ++i) {
    for (index_t j = 0; j < m.cols(); ++j) result(i, j) = m(i, j);
  }
  return result;
}

/// The matrix y = J x_0 for slopes at the ends that the bits of `pattern` choose.
inline Eigen::MatrixXd jacobian(lipschitz::check::slope_system const& system, std::uint64_t pattern) {
  std::vector<Eigen::MatrixXd> source{Eigen::MatrixXd::Identity(system.inputs(), system.inputs())};
  for (std::size_t j = 1; j <= system.blocks() + 1; ++j) {
    index_t const rows = j <= system.blocks() ? system.width(j) : system.outputs();
    Eigen::MatrixXd z = Eigen::MatrixXd::Zero(rows, system.inputs());
    for (std::size_t i = 0; i < j; ++i) {
      if (auto const* const map = system.map(i, j)) z += dense(map->elements) * source[i];
    }
    for (index_t n = 0; n < rows && j <= system.blocks(); ++n, pattern >>= 1) {
      interval const s = system.slopes(j)[static_cast<std::size_t>(n)];
      z.row(n) *= (pattern & 1) != 0 ? s.upper : s.lower;
    }
    source.push_back(z);
  }
  return source.back();
}

/// The largest norm of all patterns: a lower bound of what every method must prove (attained by a function of these slopes).
inline double largest_norm(lipschitz::check::slope_system const& system, bool in_linf = false) {
  std::uint64_t neurons = 0;
  for (std::size_t k = 1; k <= system.blocks(); ++k) neurons += static_cast<std::uint64_t>(system.width(k));
  double largest = 0;
  for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << neurons); ++pattern) {
    Eigen::MatrixXd const j = jacobian(system, pattern);
    double const size = in_linf ? j.cwiseAbs().rowwise().sum().maxCoeff() : oracle::largest_singular_value(j);
    largest = std::max(largest, size);
  }
  return largest;
}

}  // namespace sigmax::test
