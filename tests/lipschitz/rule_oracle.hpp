// SPDX-License-Identifier: MIT
/// @file
/// What the tests of single rules hold them against: dense Jacobians, sampled pairs, points of domains.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>
#include <sigmax/lipschitz/attack/geometry.hpp>
#include <sigmax/lipschitz/attack/inside.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/rule.hpp>

#include "support/singular_values.hpp"

namespace sigmax::test {

using namespace sigmax;
using namespace sigmax::lipschitz;

struct rule_case {
  any_rule rule;
  std::vector<tensor_shape> shapes;
};

inline std::vector<double> normals(std::size_t count, std::uint64_t seed, double scale = 1, double shift = 0) {
  std::vector<double> result(count);
  random_sequence const numbers(seed);
  for (std::size_t i = 0; i < count; ++i) result[i] = shift + scale * numbers.normal(i);
  return result;
}

inline std::size_t size_of(tensor_shape const& shape) { return static_cast<std::size_t>(element_count(shape)); }

template <class T>
std::vector<T> value_of(rule_case const& c, std::vector<std::vector<T>> const& inputs) {
  std::vector<std::span<T const>> const spans(inputs.begin(), inputs.end());
  std::vector<T> y(size_of(c.rule.output_shape(c.shapes)));
  c.rule.evaluate(std::span<std::span<T const> const>(spans), c.shapes, std::span<T>(y));
  return y;
}

/// The Jacobian with respect to input k, column by column from dual numbers.
inline Eigen::MatrixXd jacobian(rule_case const& c, std::vector<std::vector<double>> const& at, std::size_t k = 0) {
  std::vector<std::vector<dual>> x;
  for (auto const& each : at) x.emplace_back(each.begin(), each.end());
  auto const rows = static_cast<Eigen::Index>(size_of(c.rule.output_shape(c.shapes)));
  Eigen::MatrixXd result(rows, static_cast<Eigen::Index>(at[k].size()));
  for (std::size_t j = 0; j < at[k].size(); ++j) {
    x[k][j].derivative = 1;
    auto const y = value_of(c, x);
    x[k][j].derivative = 0;
    for (Eigen::Index i = 0; i < rows; ++i)
      result(i, static_cast<Eigen::Index>(j)) = y[static_cast<std::size_t>(i)].derivative;
  }
  return result;
}
inline double l2_norm(Eigen::MatrixXd const& m) { return oracle::largest_singular_value(m); }
inline double linf_norm(Eigen::MatrixXd const& m) { return m.cwiseAbs().rowwise().sum().maxCoeff(); }

/// True if an upper bound is the exact value but for the outward rounding of a few operations.
inline bool tight_to(double bound, double exact) {
  return bound >= exact * (1 - 2e-16) && bound <= exact * (1 + 1e-14);
}

inline double distance(std::vector<double> const& a, std::vector<double> const& b, row_norm norm) {
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return attack::length(d, norm);
}

/// Sampled pairs of any inputs, near and far, never exceed the sum of sensitivities.
template <norm_tag N>
void check_pairs(rule_case const& c, double scale = 2.0, int pairs = 60) {
  auto const bounds = c.rule.bound<N>(c.shapes, {});
  REQUIRE(bounds.size() == c.shapes.size());
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(pairs); ++seed) {
    std::vector<std::vector<double>> x;
    std::vector<std::vector<double>> y;
    double allowed = 0;
    for (std::size_t k = 0; k < c.shapes.size(); ++k) {
      x.push_back(normals(size_of(c.shapes[k]), 100 * seed + k, scale * std::pow(10.0, -double(seed % 5))));
      y.push_back(x[k]);
      auto const step = normals(x[k].size(), 100 * seed + k + 50, seed % 3 == 0 ? scale : 1e-3 * scale);
      for (std::size_t i = 0; i < step.size(); ++i) y[k][i] += step[i];
      allowed += bounds[k].value() * distance(x[k], y[k], row_norm::of(N{}, c.shapes[k]));
    }
    double const moved = distance(value_of(c, x), value_of(c, y), row_norm::of(N{}, c.rule.output_shape(c.shapes)));
    CHECK(moved <= allowed * (1 + 1e-9) + 1e-13);
  }
}

/// Intervals hold the double evaluation and are narrow at points; pull_back is the transpose of the derivative.
inline void check_evaluation(rule_case const& c, double scale = 1.5, double shift = 0.0) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<std::vector<double>> x;
    std::vector<std::vector<interval>> boxes;
    for (std::size_t k = 0; k < c.shapes.size(); ++k) {
      x.push_back(normals(size_of(c.shapes[k]), 1000 * seed + k, scale, shift));
      boxes.emplace_back(x[k].begin(), x[k].end());
    }
    auto const y = value_of(c, x);
    auto const box = value_of(c, boxes);
    for (std::size_t i = 0; i < y.size(); ++i) {
      double const rounding = 1e-12 * (1 + std::fabs(y[i]));
      CHECK(box[i].lower <= y[i] + rounding);
      CHECK(box[i].upper >= y[i] - rounding);
      CHECK(box[i].width() <= 10 * rounding);
    }
    // A wide box holds the values at its members.
    std::vector<std::vector<interval>> wide;
    random_sequence const numbers(seed + 9);
    for (auto const& each : x) {
      auto& into = wide.emplace_back();
      for (std::size_t i = 0; i < each.size(); ++i) into.emplace_back(each[i] - numbers.uniform(i), each[i] + 0.5);
    }
    auto const held = value_of(c, wide);
    for (std::uint64_t sample = 0; sample < 40; ++sample) {
      auto member = x;
      for (std::size_t k = 0; k < member.size(); ++k) {
        for (std::size_t i = 0; i < member[k].size(); ++i) {
          double const t = numbers.uniform(1000 + 977 * sample + 31 * k + i);
          double const u = sample % 2 == 0 ? t : std::round(t);
          member[k][i] = wide[k][i].lower + u * (wide[k][i].upper - wide[k][i].lower);
        }
      }
      auto const value = value_of(c, member);
      for (std::size_t i = 0; i < value.size(); ++i) {
        CHECK(held[i].lower <= value[i] + 1e-12 * (1 + std::fabs(value[i])));
        CHECK(held[i].upper >= value[i] - 1e-12 * (1 + std::fabs(value[i])));
      }
    }
    auto const g = normals(y.size(), seed + 5);
    std::vector<std::vector<double>> back;
    for (auto const& each : x) back.emplace_back(each.size(), 0.0);
    std::vector<std::span<double const>> const inputs(x.begin(), x.end());
    std::vector<std::span<double>> const gradients(back.begin(), back.end());
    c.rule.pull_back(inputs, c.shapes, g, gradients);
    for (std::size_t k = 0; k < x.size(); ++k) {
      Eigen::VectorXd const expected =
          jacobian(c, x, k).transpose() * Eigen::Map<Eigen::VectorXd const>(g.data(), Eigen::Index(g.size()));
      for (std::size_t i = 0; i < x[k].size(); ++i) {
        CHECK(back[k][i] == doctest::Approx(expected(Eigen::Index(i))).epsilon(1e-9).scale(1.0));
      }
    }
  }
}

/// A random ball or box around a point that is `shift` away from 0.
inline input_domain random_domain(std::size_t count, std::uint64_t seed, bool ball, double radius, double shift) {
  auto const centre = normals(count, seed, 1.0, shift);
  if (ball) return input_domain::ball(radius, centre);
  auto lower = centre;
  auto upper = centre;
  random_sequence const numbers(seed + 3);
  for (std::size_t i = 0; i < count; ++i) {
    lower[i] -= radius * numbers.uniform(2 * i);
    upper[i] += radius * numbers.uniform(2 * i + 1);
  }
  return input_domain::box(lower, upper);
}

/// The certificate of a network on a domain: no sampled pair inside exceeds it, nor does the attack (which throws), and
/// no value leaves its range. @return the certified bound.
inline double check_local(network const& net, norm::any n, input_domain const& domain, std::uint64_t seed) {
  auto const c = certify(net, {.norm = n, .domain = domain, .attack_settings = {.seed = seed}});
  std::vector<char> const used(static_cast<std::size_t>(net.size()), 1);
  lipschitz::detail::range_pass ranges(net, used, domain, n);
  for (std::size_t i = 1; i < used.size(); ++i) {
    std::vector<tensor_shape> shapes;
    for (node_id const from : net.nodes()[i].inputs) shapes.push_back(net[from].shape);
    rule_context context;
    context.ranges = ranges.of_inputs(i);
    ranges.advance(i, shapes, context, extended(infinity));
  }
  attack::evaluation_plan const plan(net);
  attack::evaluation<double> at(plan);
  std::size_t const count = size_of(net.input_shape());
  attack::inside const inside(domain, count, row_norm::of(n, net.input_shape()));
  random_sequence const numbers(seed + 100);
  std::vector<std::vector<double>> points;
  std::vector<std::vector<double>> values;
  for (std::uint64_t sample = 0; sample < 60; ++sample) {
    for (std::size_t i = 0; i < count; ++i) {
      double const reach = std::min(4.0, inside.half_width(i) * 2);
      at.input()[i] = inside.centre()[i] + reach * numbers.normal(count * sample + i);
      if (sample % 3 == 2) at.input()[i] = points.back()[i] + 1e-4 * reach * numbers.normal(count * sample + i);
    }
    inside.project(at.input());
    REQUIRE(inside.contains(at.input()));
    points.emplace_back(at.input().begin(), at.input().end());
    auto const y = at.run();
    values.emplace_back(y.begin(), y.end());
    for (std::size_t i = 0; i < used.size(); ++i) {
      auto const value = at.value(i);
      auto const& range = ranges[i];
      std::size_t const width = row_norm::row_width(net.nodes()[i].shape);
      for (std::size_t k = 0; k < value.size() && !range.box.empty(); ++k) {
        CHECK(value[k] >= range.box[k].lower - 1e-11 * (1 + std::fabs(value[k])));
        CHECK(value[k] <= range.box[k].upper + 1e-11 * (1 + std::fabs(value[k])));
      }
      for (std::size_t k = 0; k < value.size(); k += width) {
        double length = 0;
        double away = 0;
        for (std::size_t j = k; j < k + width; ++j) {
          length += value[j] * value[j];
          if (!range.centre.empty()) away += std::pow(value[j] - range.centre[j].middle(), 2);
        }
        CHECK(std::sqrt(length) <= range.longest_row * (1 + 1e-11) + 1e-12);
        CHECK(std::sqrt(away) <= range.row_distance * (1 + 1e-11) + 1e-12);
      }
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      double const moved = distance(values[i], values[k], row_norm::of(n, net.output_shape()));
      double const apart = distance(points[i], points[k], row_norm::of(n, net.input_shape()));
      CHECK(moved <= c.upper() * apart * (1 + 1e-9) + 1e-13);
    }
  }
  return c.upper();
}

inline network network_of_rule(any_rule const& rule, tensor_shape const& shape) {
  network net(shape);
  net.add(rule, {0});
  return net;
}

/// `check_local` in all norms, on balls and boxes of several sizes.
inline void check_locally(network const& net, double shift = 0.0) {
  std::size_t const count = size_of(net.input_shape());
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    for (bool const ball : {true, false}) {
      for (double const radius : {0.03, 0.5, 3.0}) {
        CAPTURE(radius);
        std::string const name = n.name();
        CAPTURE(name);
        std::uint64_t const seed = ball ? 17 : 18;
        double const local = check_local(net, n, random_domain(count, seed, ball, radius, shift), seed);
        double const global = certify(net, {.norm = n, .attack = false}).upper();
        CHECK(local <= global);
      }
    }
  }
}

}  // namespace sigmax::test
