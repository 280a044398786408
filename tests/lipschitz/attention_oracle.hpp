// SPDX-License-Identifier: MIT
/// @file
/// What the tests of attention compare with: networks made of its parts, dense Jacobians, pairs of points.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <sigmax/bound/norm.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/dual.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rules.hpp>

#include "support/singular_values.hpp"

namespace sigmax::test {

/// Numbers that follow each other.
class numbers {
 public:
  explicit numbers(std::uint64_t seed) : sequence_(seed) {}
  double normal() { return sequence_.normal(next_++); }
  double uniform() { return sequence_.uniform(next_++ + (std::uint64_t{1} << 40)); }
  sigmax::index_t below(sigmax::index_t count) {
    return static_cast<sigmax::index_t>(uniform() * static_cast<double>(count));
  }
  std::vector<double> normals(std::size_t count, double scale = 1) {
    std::vector<double> result(count);
    for (double& x : result) x = scale * normal();
    return result;
  }
  sigmax::matrix<double> matrix(sigmax::index_t rows, sigmax::index_t cols, double scale = 1) {
    sigmax::matrix<double> result(rows, cols);
    for (sigmax::index_t i = 0; i < result.size(); ++i) result.data()[i] = scale * normal();
    return result;
  }

 private:
  sigmax::random_sequence sequence_;
  std::uint64_t next_ = 0;
};

/// The Jacobian of a network at x, column by column by forward differentiation.
inline Eigen::MatrixXd dense_jacobian(sigmax::lipschitz::network const& net, std::span<double const> x) {
  using namespace sigmax::lipschitz;
  attack::evaluation_plan const plan(net);
  attack::evaluation<dual> run(plan);
  auto const input = run.input();
  Eigen::MatrixXd result(static_cast<Eigen::Index>(element_count(net.output_shape())),
                         static_cast<Eigen::Index>(x.size()));
  for (std::size_t column = 0; column < x.size(); ++column) {
    for (std::size_t i = 0; i < x.size(); ++i) input[i] = dual(x[i], i == column ? 1.0 : 0.0);
    auto const y = run.run();
    for (std::size_t i = 0; i < y.size(); ++i) {
      result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(column)) = y[i].derivative;
    }
  }
  return result;
}

/// A lower bound of the operator norm of J from `in` to `out`: exact in l2 and linf, by alternating steepest ascent in rms.
inline double jacobian_norm(Eigen::MatrixXd const& J, sigmax::norm::any which, sigmax::lipschitz::row_norm in,
                            sigmax::lipschitz::row_norm out) {
  using namespace sigmax::lipschitz;
  if (which == sigmax::norm::any(sigmax::norm::l2)) {
    return J.allFinite() ? oracle::largest_singular_value(J) : J.cwiseAbs().maxCoeff();
  }
  if (which == sigmax::norm::any(sigmax::norm::linf)) return J.cwiseAbs().rowwise().sum().maxCoeff();
  double best = 0;
  auto const rows = static_cast<Eigen::Index>(out.width);
  for (Eigen::Index first = 0; first + rows <= J.rows(); first += rows) {
    Eigen::MatrixXd const block = J.middleRows(first, rows);
    Eigen::VectorXd u = oracle::leading_left_vector(block);
    Eigen::VectorXd d(J.cols());
    for (int step = 0; step < 30; ++step) {
      Eigen::VectorXd const g = block.transpose() * u;
      if (!attack::steepest({g.data(), static_cast<std::size_t>(g.size())}, in,
                            {d.data(), static_cast<std::size_t>(d.size())})) {
        break;
      }
      u = block * d;
      best = std::max(best, u.norm() / std::sqrt(static_cast<double>(out.divisor)));
      if (!(u.norm() > 0)) break;
      u.normalize();
    }
  }
  return best;
}

/// The slope of row `row` of the output at x along the steepest direction found by alternating ascent: a lower bound of the
/// Lipschitz constant on every set with x inside. For networks whose Jacobian is too large to be written down.
inline double steepest_slope(sigmax::lipschitz::network const& net, std::span<double const> x, std::size_t row,
                             sigmax::lipschitz::row_norm in, sigmax::lipschitz::row_norm out) {
  using namespace sigmax::lipschitz;
  attack::evaluation_plan const plan(net);
  attack::evaluation<double> at(plan);
  attack::evaluation<dual> along(plan);
  attack::gradient<double> back(plan);
  std::copy(x.begin(), x.end(), at.input().begin());
  at.run();
  std::vector<double> u(out.width);
  sigmax::random_sequence const start(5);
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = start.normal(i);
  std::vector<double> d(x.size());
  double best = 0;
  for (int step = 0; step < 12; ++step) {
    back.clear();
    std::copy(u.begin(), u.end(), back.seed().begin() + static_cast<std::ptrdiff_t>(row * out.width));
    if (!attack::steepest(back.run(at), in, d)) break;
    for (std::size_t i = 0; i < d.size(); ++i) along.input()[i] = dual(x[i], d[i]);
    auto const y = along.run().subspan(row * out.width, out.width);
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = y[i].derivative;
    best = std::max(best, attack::length(u, out));
  }
  return best;
}

/// x moved to the point of the ball around 0 that lies in its direction, at `share` of the radius: rows in rms.
inline void put_in_ball(std::span<double> x, sigmax::lipschitz::row_norm norm, double radius) {
  double const own = sigmax::lipschitz::attack::length(x, norm);
  if (!(own > 0)) return;
  for (double& element : x) element *= radius / own;
}

}  // namespace sigmax::test
