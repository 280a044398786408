// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/combinators.hpp>
#include <sigmax/lipschitz/convolution_layers.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/pooling_layers.hpp>
#include <sigmax/lipschitz/rules/activation.hpp>
#include <sigmax/lipschitz/rules/along_axes.hpp>
#include <sigmax/lipschitz/rules/channel.hpp>
#include <sigmax/lipschitz/rules/concatenate.hpp>
#include <sigmax/lipschitz/rules/window_pool.hpp>

#include "support/singular_values.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;
using rules::sliding_window;
using rules::window_pool;

namespace {

std::vector<double> normals(std::size_t count, std::uint64_t seed) {
  std::vector<double> result(count);
  random_sequence const numbers(seed);
  for (std::size_t i = 0; i < count; ++i) result[i] = numbers.normal(i);
  return result;
}

template <class T>
std::vector<T> evaluate(any_rule const& rule, tensor_shape const& shape, std::vector<T> const& x) {
  std::vector<tensor_shape> const shapes{shape};
  std::vector<std::span<T const>> const inputs{x};
  std::vector<T> y(static_cast<std::size_t>(element_count(rule.output_shape(shapes))));
  rule.evaluate(std::span<std::span<T const> const>(inputs), std::span<tensor_shape const>(shapes), std::span<T>(y));
  return y;
}

template <norm_tag N>
double bound(any_rule const& rule, tensor_shape const& shape) {
  std::vector<tensor_shape> const shapes{shape};
  return rule.template bound<N>(shapes, {}).front().extended_value().to_double_up();
}

Eigen::VectorXd as_vector(std::vector<double> const& v) {
  return Eigen::Map<Eigen::VectorXd const>(v.data(), static_cast<Eigen::Index>(v.size()));
}

double spectral_norm(Eigen::MatrixXd const& a) { return oracle::largest_singular_value(a); }

/// The Jacobian at x, column by column.
Eigen::MatrixXd jacobian(any_rule const& rule, tensor_shape const& shape, std::vector<double> const& x) {
  Eigen::MatrixXd result;
  for (std::size_t j = 0; j < x.size(); ++j) {
    std::vector<dual> point(x.begin(), x.end());
    point[j].derivative = 1;
    auto const y = evaluate<dual>(rule, shape, point);
    if (j == 0) result.resize(static_cast<Eigen::Index>(y.size()), static_cast<Eigen::Index>(x.size()));
    for (std::size_t i = 0; i < y.size(); ++i) {
      result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = y[i].derivative;
    }
  }
  return result;
}

double largest_row_sum(Eigen::MatrixXd const& a) { return a.cwiseAbs().rowwise().sum().maxCoeff(); }

/// max over unit-rms rows of the rms of rows of a v, from random starts: never above the norm.
double rms_norm_from_below(Eigen::MatrixXd const& a, Eigen::Index in, Eigen::Index out) {
  double largest = 0;
  for (std::uint64_t trial = 0; trial < 4; ++trial) {
    Eigen::VectorXd v = as_vector(normals(static_cast<std::size_t>(a.cols()), 31 + trial));
    for (int iteration = 0; iteration < 5; ++iteration) {
      for (Eigen::Index row = 0; row < v.size(); row += in) {
        double const length = v.segment(row, in).norm();
        if (length > 0) v.segment(row, in) *= std::sqrt(static_cast<double>(in)) / length;
      }
      Eigen::VectorXd const image = a * v;
      Eigen::Index best = 0;
      double longest = 0;
      for (Eigen::Index row = 0; row < image.size(); row += out) {
        double const length = image.segment(row, out).norm() / std::sqrt(static_cast<double>(out));
        if (length > longest) best = row;
        longest = std::max(longest, length);
      }
      largest = std::max(largest, longest);
      v = a.middleRows(best, out).transpose() * image.segment(best, out);
    }
  }
  return largest;
}

void check_pull_back(any_rule const& rule, tensor_shape const& shape, std::vector<double> const& x,
                     Eigen::MatrixXd const& j) {
  auto const g = normals(static_cast<std::size_t>(j.rows()), 77);
  std::vector<double> gradient(x.size(), 0.0);
  std::vector<std::span<double>> const gradients{gradient};
  std::vector<std::span<double const>> const inputs{x};
  std::vector<tensor_shape> const shapes{shape};
  rule.pull_back(inputs, shapes, g, gradients);
  CHECK((as_vector(gradient) - j.transpose() * as_vector(g)).cwiseAbs().maxCoeff() <= 1e-12 * (1 + j.norm()));
}

void check_enclosed(any_rule const& rule, tensor_shape const& shape, std::vector<double> const& x) {
  std::vector<interval> box;
  for (double const element : x) box.push_back(interval(element - 0.2, element + 0.1));
  auto const enclosure = evaluate<interval>(rule, shape, box);
  for (int trial = 0; trial < 4; ++trial) {
    auto point = x;
    for (std::size_t i = 0; i < x.size(); ++i)
      point[i] += (i * 7 + static_cast<std::size_t>(trial)) % 3 == 0 ? -0.2 : 0.1;
    auto const y = evaluate<double>(rule, shape, point);
    for (std::size_t i = 0; i < y.size(); ++i) {
      CHECK(enclosure[i].lower <= y[i] + 1e-13);
      CHECK(enclosure[i].upper >= y[i] - 1e-13);
    }
  }
}

/// All windows of all small sizes along one axis.
template <class F>
void for_all_windows(F const& visit) {
  for (index_t extent = 1; extent <= 7; ++extent) {
    for (index_t kernel = 1; kernel <= 4; ++kernel) {
      for (index_t stride = 1; stride <= 4; ++stride) {
        for (index_t dilation = 1; dilation <= 2; ++dilation) {
          for (index_t pad = 0; pad < kernel; ++pad) {
            for (bool const ceiling : {false, true}) {
              visit(extent, sliding_window{.kernel = kernel,
                                           .stride = stride,
                                           .dilation = dilation,
                                           .pad_begin = pad,
                                           .pad_end = (pad * 3 + extent) % kernel,
                                           .ceiling = ceiling});
            }
          }
        }
      }
    }
  }
}

/// The positions of windows by PyTorch's rule, one loop after another.
std::vector<std::vector<index_t>> windows_by_definition(index_t extent, sliding_window const& w) {
  std::vector<std::vector<index_t>> result;
  double const exact = static_cast<double>(extent + w.pad_begin + w.pad_end - w.dilation * (w.kernel - 1) - 1) /
                       static_cast<double>(w.stride);
  auto count = static_cast<index_t>(w.ceiling ? std::ceil(exact) : std::floor(exact)) + 1;
  if (exact < 0) count = 0;
  if (w.ceiling && (count - 1) * w.stride >= extent + w.pad_begin) --count;
  for (index_t o = 0; o < count; ++o) {
    result.emplace_back();
    for (index_t tap = 0; tap < w.kernel; ++tap) {
      index_t const at = o * w.stride + tap * w.dilation - w.pad_begin;
      if (at >= 0 && at < extent) result.back().push_back(at);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("group 14: max pools of all small shapes agree with their definition and bound every selection") {
  int tested = 0;
  for_all_windows([&](index_t extent, sliding_window const& window) {
    window_pool const pool({window});
    auto const expected = windows_by_definition(extent, window);
    std::vector<tensor_shape> const shapes{{2, extent}};
    bool const empty =
        expected.empty() || std::any_of(expected.begin(), expected.end(), [](auto const& w) { return w.empty(); });
    if (empty) {
      CHECK_THROWS_AS(pool.output_shape(shapes), shape_error);
      return;
    }
    ++tested;
    REQUIRE(pool.output_shape(shapes) == tensor_shape{2, static_cast<index_t>(expected.size())});
    auto const x = normals(static_cast<std::size_t>(2 * extent), static_cast<std::uint64_t>(tested));
    auto const y = evaluate<double>(pool, shapes[0], x);
    // The worst selection: every window chooses the element that most windows share.
    std::vector<double> uses(static_cast<std::size_t>(extent), 0.0);
    double most = 0;
    std::size_t longest = 0;
    for (std::size_t o = 0; o < expected.size(); ++o) {
      double largest = -1e300;
      for (index_t const at : expected[o]) {
        largest = std::max(largest, x[static_cast<std::size_t>(extent + at)]);
        most = std::max(most, ++uses[static_cast<std::size_t>(at)]);
      }
      longest = std::max(longest, expected[o].size());
      CHECK(y[expected.size() + o] == largest);
    }
    double const l2 = bound<norm::l2_t>(pool, shapes[0]);
    CHECK(l2 >= std::sqrt(most) * (1 - 1e-15));
    CHECK(l2 <= std::sqrt(most) * (1 + 1e-15));
    CHECK(bound<norm::linf_t>(pool, shapes[0]) == 1);
    window_pool const length({window}, window_pool::operation::length);
    CHECK(bound<norm::linf_t>(length, shapes[0]) == doctest::Approx(std::sqrt(static_cast<double>(longest))));
    if (tested % 7 != 0) return;
    for (auto const& rule : {pool, length, window_pool({window}, window_pool::operation::minimum)}) {
      auto const j = jacobian(rule, shapes[0], x);
      CHECK(bound<norm::l2_t>(rule, shapes[0]) >= spectral_norm(j) * (1 - 1e-13));
      CHECK(bound<norm::linf_t>(rule, shapes[0]) >= largest_row_sum(j) * (1 - 1e-13));
      CHECK(bound<norm::rms_t>(rule, shapes[0]) >=
            rms_norm_from_below(j, extent, static_cast<Eigen::Index>(expected.size())) * (1 - 1e-12));
      check_pull_back(rule, shapes[0], x, j);
      check_enclosed(rule, shapes[0], x);
    }
  });
  CHECK(tested > 300);
}

TEST_CASE("group 14: the table's max pools have their constants") {
  auto const l2 = [](sliding_window w) { return bound<norm::l2_t>(window_pool({w}), {30}); };
  CHECK(l2({.kernel = 3, .stride = 2}) == doctest::Approx(std::sqrt(2.0)));
  CHECK(l2({.kernel = 2, .stride = 2, .dilation = 2}) == doctest::Approx(std::sqrt(2.0)));
  CHECK(l2({.kernel = 3, .stride = 3, .dilation = 3}) == doctest::Approx(std::sqrt(3.0)));
  CHECK(l2({.kernel = 2, .stride = 2}) == 1);
  window_pool const square({{.kernel = 3, .stride = 2}, {.kernel = 3, .stride = 2}});
  CHECK(bound<norm::l2_t>(square, {1, 9, 9}) == 2);
  // All windows move with the pixel they share: the bound is attained.
  std::vector<double> x(81, 0.0);
  x[4 * 9 + 4] = 1;
  auto const at = evaluate<double>(square, {1, 9, 9}, x);
  x[4 * 9 + 4] = 2;
  auto const moved = evaluate<double>(square, {1, 9, 9}, x);
  CHECK((as_vector(moved) - as_vector(at)).norm() == 2);
}

TEST_CASE("group 14: average pools of all small shapes are bounded by the norms of their matrices") {
  int tested = 0;
  for_all_windows([&](index_t extent, sliding_window const& window) {
    for (bool const includes : {false, true}) {
      auto const expected = windows_by_definition(extent, window);
      if (expected.empty() ||
          (!includes && std::any_of(expected.begin(), expected.end(), [](auto const& w) { return w.empty(); }))) {
        continue;
      }
      ++tested;
      auto const matrix = rules::average_matrix(window, extent, includes);
      rules::along_axes const pool({{0, matrix}}, "average_pool");
      Eigen::MatrixXd explicit_matrix = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(expected.size()), extent);
      bool ambiguous = false;
      for (std::size_t o = 0; o < expected.size(); ++o) {
        auto count = static_cast<double>(includes ? window.kernel : static_cast<index_t>(expected[o].size()));
        index_t const last =
            static_cast<index_t>(o) * window.stride + (window.kernel - 1) * window.dilation - window.pad_begin;
        ambiguous = ambiguous || (includes && last >= extent + window.pad_end);
        for (index_t const at : expected[o]) explicit_matrix(static_cast<Eigen::Index>(o), at) = 1 / count;
      }
      double const l2 = bound<norm::l2_t>(pool, {extent});
      CHECK(l2 >= spectral_norm(explicit_matrix) * (1 - 1e-14));
      CHECK(bound<norm::linf_t>(pool, {extent}) >= largest_row_sum(explicit_matrix) * (1 - 1e-15));
      if (ambiguous) continue;
      CHECK(l2 <= spectral_norm(explicit_matrix) * (1 + 1e-6));
      auto const x = normals(static_cast<std::size_t>(extent), static_cast<std::uint64_t>(tested));
      auto const y = evaluate<double>(pool, {extent}, x);
      CHECK((as_vector(y) - explicit_matrix * as_vector(x)).cwiseAbs().maxCoeff() <= 1e-14 * 10);
    }
  });
  CHECK(tested > 300);
}

TEST_CASE("group 14: the average pool of 3 with stride 2 beats the table's .816 an axis") {
  rules::along_axes const pool({{0, rules::average_matrix({.kernel = 3, .stride = 2}, 31, true)}}, "average_pool");
  double const l2 = bound<norm::l2_t>(pool, {31});
  CHECK(l2 <= 0.7454);
  CHECK(l2 >= 0.735);
}

TEST_CASE("maps along two axes agree with the product of their matrices") {
  tensor_shape const shape{2, 5, 3, 6};
  rules::along_axes const pool({{0, rules::average_matrix({.kernel = 3, .stride = 2, .pad_begin = 1}, 6, false)},
                                {2, rules::average_matrix({.kernel = 2, .stride = 2}, 5, true)}},
                               "average_pool");
  auto const x = normals(180, 5);
  auto const j = jacobian(pool, shape, x);
  CHECK((as_vector(evaluate<double>(pool, shape, x)) - j * as_vector(x)).norm() <= 1e-12);
  CHECK(bound<norm::l2_t>(pool, shape) >= spectral_norm(j) * (1 - 1e-14));
  CHECK(bound<norm::l2_t>(pool, shape) <= spectral_norm(j) * (1 + 1e-6));
  CHECK(bound<norm::linf_t>(pool, shape) >= largest_row_sum(j) * (1 - 1e-15));
  CHECK(bound<norm::rms_t>(pool, shape) >= rms_norm_from_below(j, 6, 3) * (1 - 1e-12));
  check_pull_back(pool, shape, x, j);
  check_enclosed(pool, shape, x);
}

TEST_CASE("group 15: numbers of channels shift and scale as a diagonal matrix does") {
  tensor_shape const shape{2, 3, 2, 2};
  auto const scale = rules::channel::scale({interval(2), interval(-3.5), interval(0.1)}, 4);
  auto const shift = rules::channel::shift({interval(2), interval(-3.5), interval(0.1)}, 4);
  auto const x = normals(24, 3);
  for (any_rule const& rule : {any_rule(scale), any_rule(shift)}) {
    auto const j = jacobian(rule, shape, x);
    CHECK(bound<norm::l2_t>(rule, shape) == spectral_norm(j));
    CHECK(bound<norm::linf_t>(rule, shape) == largest_row_sum(j));
    check_pull_back(rule, shape, x, j);
    check_enclosed(rule, shape, x);
  }
  CHECK(evaluate<double>(scale, shape, x)[5] == -3.5 * x[5]);
  CHECK(evaluate<double>(shift, shape, x)[23] == x[23] + 0.1);
  std::vector<tensor_shape> const other{{2, 4, 2, 2}};
  CHECK_THROWS_AS(scale.output_shape(other), shape_error);
}

TEST_CASE("group 16: values side by side count together as the root of the sum of squares") {
  network net({4, 3});
  node_id const a = net.add(rules::scale({3}), {0});
  node_id const b = net.add(rules::scale({4}), {0});
  net.add(rules::concatenate(2, 0), {a, b});
  CHECK(certify(net).upper() == doctest::Approx(5).epsilon(1e-14));
  CHECK(certify(net, {.norm = norm::linf}).upper() == 4);
  CHECK(certify(net, {.norm = norm::rms}).upper() == 4);
  network rows({4, 3});
  node_id const c = rows.add(rules::scale({3}), {0});
  node_id const d = rows.add(rules::scale({4}), {0});
  rows.add(rules::concatenate(2, 1), {c, d});
  CHECK(certify(rows, {.norm = norm::rms}).upper() == doctest::Approx(std::sqrt(12.5)).epsilon(1e-14));
  CHECK(certify(rows).lower()->value >= 5 * (1 - 1e-9));
}

TEST_CASE("A convolutional network written in C++ is certified in all norms on all inputs and on a ball") {
  auto const random = [](index_t rows, index_t cols, std::uint64_t seed) {
    matrix<float> w(rows, cols);
    auto const values = normals(static_cast<std::size_t>(w.size()), seed);
    for (index_t i = 0; i < w.size(); ++i) {
      w.data()[i] = static_cast<float>(values[static_cast<std::size_t>(i)] / std::sqrt(static_cast<double>(cols)));
    }
    return w;
  };
  auto const body = sequential(
      convolution(random(4, 18, 1), {3, 3}, {.pads_begin = {1, 1}, .pads_end = {1, 1}}, std::vector<double>(4, 0.1)),
      relu(), max_pool({{.kernel = 2, .stride = 2}, {.kernel = 2, .stride = 2}}),
      convolution(random(4, 9, 2), {3, 3}, {.pads_begin = {1, 1}, .pads_end = {1, 1}, .groups = 4}),
      average_pool({{.kernel = 3, .stride = 1}, {.kernel = 3, .stride = 1}}), flatten(), linear(random(3, 4, 3)));
  auto const net = network_of(body, {2, 6, 6});
  for (norm::any const n : {norm::any(norm::l2), norm::any(norm::linf), norm::any(norm::rms)}) {
    auto const everywhere = certify(net, {.norm = n});
    auto const ball = certify(net, {.norm = n, .domain = input_domain::ball(0.1)});
    CHECK(is_finite(everywhere.upper()));
    CHECK(everywhere.lower()->proven);
    CHECK(everywhere.lower()->value > 0);
    CHECK(ball.upper() <= everywhere.upper());
  }
}
