// SPDX-License-Identifier: MIT
// The derivatives of every layer against differences of its forward pass, in double.
#include <cmath>

#include <doctest/doctest.h>

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>

#include "small_models.hpp"

using namespace transformer;
using namespace transformer::test;

namespace {

using matrix = sigmax::matrix<double>;
using view = sigmax::matrix_view<double const>;

constexpr double allowed = 1e-7;
constexpr double step = 1e-3;

matrix random_matrix(index_t rows, index_t cols, std::uint64_t seed, double scale = 1) {
  matrix result(rows, cols);
  fill(result, scale, seed);
  return result;
}

/// Whether the derivatives found are those of the loss.
template <class Loss>
void check_gradient(char const* of, matrix const& found, matrix& by, Loss const& loss) {
  double const error = relative_error(found, differences(by, step, loss));
  INFO(of, ": relative error ", error);
  CHECK(error <= allowed);
}

}  // namespace

TEST_CASE_TEMPLATE("a linear layer's derivatives are those of its values", Backend, sigmax::cpu::scalar,
                   sigmax::cpu::simd<>) {
  Backend const on;
  auto x = random_matrix(9, 5, 1);
  auto w = random_matrix(7, 5, 2);
  auto c = random_matrix(9, 7, 3);
  auto const r = random_matrix(9, 7, 4);
  matrix y(9, 7);
  auto const loss = [&] {
    linear_forward(on, {1.5, 0.25}, view(x.view()), w, view(c.view()), y.view());
    return weighted_sum<double>(r, y.view());
  };
  matrix dx(9, 5);
  matrix dw(7, 5);
  linear_backward(on, {1.5, 0.0}, r.view(), w, {}, dx.view());
  linear_gradient(on, 1.5, r.view(), view(x.view()), dw);
  check_gradient("x", dx, x, loss);
  check_gradient("W", dw, w, loss);
  linear_gradient(on, 1.5, r.view(), view(x.view()), dw);
  auto const twice = dw;
  dw = matrix(7, 5);
  linear_gradient(on, 3.0, r.view(), view(x.view()), dw);
  CHECK(relative_error(twice, dw) <= 1e-14);
}

TEST_CASE("the embedding's derivatives are those of its values, tokens that come twice included") {
  sigmax::cpu::simd<> const on;
  std::vector<token> const tokens{3, 0, 3, 2, 3};
  auto e = random_matrix(4, 6, 1);
  auto const r = random_matrix(5, 6, 2);
  matrix x(5, 6);
  auto const loss = [&] {
    embedding_forward(on, tokens, e, x.view());
    return weighted_sum<double>(r, x.view());
  };
  matrix de(4, 6);
  sigmax::matrix<double> unused(0, 0);
  embedding_backward(on, tokens, r.view(), unused.view(), de);
  check_gradient("E", de, e, loss);
  for (index_t j = 0; j < 6; ++j) CHECK(de(1, j) == 0);
}

TEST_CASE("rotary embedding turns pairs by the angle of their position, keeps norms and is undone by its derivative") {
  sigmax::cpu::simd<> const on;
  index_t const length = 5;
  rotary_table<double> const table(length, 6);
  auto x = random_matrix(2 * length, 12, 1);
  auto y = x;
  rotary_forward(on, table, length, y.view());
  for (index_t n = 0; n < x.rows(); ++n) {
    for (index_t head = 0; head < 2; ++head) {
      for (index_t i = 0; i < 3; ++i) {
        double const angle = static_cast<double>(n % length) * std::pow(10000.0, -static_cast<double>(i) / 3);
        double const a = x(n, 6 * head + i);
        double const b = x(n, 6 * head + 3 + i);
        CHECK(y(n, 6 * head + i) == doctest::Approx(a * std::cos(angle) - b * std::sin(angle)).epsilon(1e-13));
        CHECK(y(n, 6 * head + 3 + i) == doctest::Approx(a * std::sin(angle) + b * std::cos(angle)).epsilon(1e-13));
      }
    }
    CHECK(on.dot(y.view().row(n), y.view().row(n)) ==
          doctest::Approx(on.dot(x.view().row(n), x.view().row(n))).epsilon(1e-14));
  }
  auto const r = random_matrix(2 * length, 12, 2);
  auto dx = r;
  rotary_backward(on, table, length, dx.view());
  check_gradient("x", dx, x, [&] {
    auto turned = x;
    rotary_forward(on, table, length, turned.view());
    return weighted_sum<double>(r, turned.view());
  });
}

TEST_CASE("the projection on the ball moves exactly the tokens outside, to its surface, and has their derivatives") {
  sigmax::cpu::simd<> const on;
  auto x = random_matrix(8, 5, 1);
  for (index_t j = 0; j < 5; ++j) x(2, j) *= 0.1, x(3, j) *= 10;
  double const radius = 0.9;
  sigmax::vector<double> factors(8);
  auto y = x;
  ball_forward(on, radius, y.view(), factors.view());
  int moved = 0;
  for (index_t n = 0; n < 8; ++n) {
    double const before = std::sqrt(on.dot(x.view().row(n), x.view().row(n)) / 5);
    double const after = std::sqrt(on.dot(y.view().row(n), y.view().row(n)) / 5);
    CHECK(after == doctest::Approx(std::min(before, radius)).epsilon(1e-14));
    if (before > radius) ++moved;
    if (before <= radius) CHECK(y(n, 1) == x(n, 1));
  }
  CHECK(moved >= 2);
  CHECK(moved <= 7);
  auto const r = random_matrix(8, 5, 2);
  auto dx = r;
  ball_backward(on, view(y.view()), sigmax::vector_view<double const>(factors.view()), dx.view());
  check_gradient("x", dx, x, [&] {
    auto projected = x;
    sigmax::vector<double> unused(8);
    ball_forward(on, radius, projected.view(), unused.view());
    return weighted_sum<double>(r, projected.view());
  });
}

TEST_CASE("GELU's, softmax's and cross-entropy's derivatives are those of their values") {
  auto x = random_matrix(1, 23, 1, 2);
  auto const r = random_matrix(1, 23, 2);
  matrix y(1, 23);
  matrix slope(1, 23);
  gelu_forward(x.data(), y.data(), slope.data(), 23, gelu_divisor);
  auto dx = r;
  gelu_backward(slope.data(), dx.data(), 23);
  check_gradient("GELU", dx, x, [&] {
    matrix unused(1, 23);
    gelu_forward(x.data(), y.data(), unused.data(), 23, gelu_divisor);
    return weighted_sum<double>(r, y.view());
  });

  auto p = x;
  softmax_forward(p.data(), 23, 0.7);
  dx = r;
  softmax_backward(p.data(), dx.data(), 23, 0.7);
  check_gradient("softmax", dx, x, [&] {
    auto q = x;
    softmax_forward(q.data(), 23, 0.7);
    return weighted_sum<double>(r, q.view());
  });

  dx = x;
  bool hit = false;
  cross_entropy(dx.data(), 23, 5, 2.0, hit);
  check_gradient("cross-entropy", dx, x, [&] {
    auto q = x;
    return 2 * cross_entropy(q.data(), 23, 5, 2.0, hit);
  });
}

TEST_CASE("the MLP's derivatives are those of its values") {
  sigmax::cpu::simd<> const on;
  auto const shape = tiny_shape();
  auto w = random_parameters<double>(shape, 1).blocks[0];
  auto x = random_matrix(7, shape.width, 9);
  auto const r = random_matrix(7, shape.width, 10);
  mlp_activations<double> kept(7, shape);
  matrix y(7, shape.width);
  double const alpha = 0.3;
  auto const loss = [&] {
    mlp_forward(on, alpha, w, view(x.view()), kept, y.view());
    return weighted_sum<double>(r, y.view());
  };
  loss();
  auto gradient = parameters<double>(shape).blocks[0];
  matrix scratch(7, shape.mlp_width);
  matrix dx(7, shape.width);
  mlp_backward(on, alpha, w, view(x.view()), kept, r.view(), gradient, scratch.view(), dx.view());
  check_gradient("x", dx, x, loss);
  check_gradient("W_in", gradient.mlp_in, w.mlp_in, loss);
  check_gradient("W_out", gradient.mlp_out, w.mlp_out, loss);
}

TEST_CASE_TEMPLATE("attention's derivatives are those of its values, for one block of queries and for several", Backend,
                   sigmax::cpu::scalar, sigmax::cpu::simd<>) {
  Backend const on;
  for (auto const& shape : {tiny_shape(), long_shape()}) {
    index_t const length = shape.context;
    index_t const sequences = 2;
    CAPTURE(length);
    model<double> const of(shape, {.attention_scale = 0.4, .attention_gain = 0.7});
    auto w = random_parameters<double>(shape, 1).blocks[0];
    auto x = random_matrix(sequences * length, shape.width, 9);
    auto const r = random_matrix(sequences * length, shape.width, 10);
    attention_activations<double> kept(sequences, length, shape);
    attention_activations<double> d(sequences, length, shape);
    sigmax::workspace memory;
    matrix y(sequences * length, shape.width);
    auto const loss = [&] {
      attention_forward(on, of.attention, w, view(x.view()), kept, memory, y.view());
      return weighted_sum<double>(r, y.view());
    };
    loss();
    auto gradient = parameters<double>(shape).blocks[0];
    matrix dx(sequences * length, shape.width);
    attention_backward(on, of.attention, w, view(x.view()), kept, r.view(), gradient, d, memory, dx.view());
    check_gradient("W_Q", gradient.query, w.query, loss);
    check_gradient("W_K", gradient.key, w.key, loss);
    check_gradient("W_V", gradient.value, w.value, loss);
    check_gradient("W_O", gradient.output, w.output, loss);
    check_gradient("b", gradient.position, w.position, loss);
    if (length < 20) check_gradient("x", dx, x, loss);
  }
}
