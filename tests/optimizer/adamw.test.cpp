// SPDX-License-Identifier: MIT
// AdamW against its formulas in long double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/optimizer/adamw.hpp>

#include "constraint/weights.hpp"
#include "spectral/figures.hpp"

using namespace sigmax::test;
using sigmax::adamw_options;
using sigmax::index_t;

namespace {

/// torch.optim.AdamW, which is optax.adamw, in long double.
struct reference {
  exact first, second;
  int t = 0;

  void step(exact& w, exact const& g, adamw_options const& o) {
    ++t;
    auto const b1 = static_cast<long double>(o.beta1);
    auto const b2 = static_cast<long double>(o.beta2);
    auto const rate = static_cast<long double>(o.learning_rate);
    long double const correction1 = o.bias_correction ? 1 - std::pow(b1, t) : 1;
    long double const correction2 = o.bias_correction ? 1 - std::pow(b2, t) : 1;
    for (index_t i = 0; i < w.size(); ++i) {
      long double const x = g.data()[i];
      long double& m = first.data()[i];
      long double& v = second.data()[i];
      m = b1 * m + (1 - b1) * x;
      v = b2 * v + (1 - b2) * x * x;
      w.data()[i] = w.data()[i] * (1 - rate * static_cast<long double>(o.weight_decay)) -
                    rate * (m / correction1) / (std::sqrt(v / correction2) + static_cast<long double>(o.eps));
    }
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a step is that of torch.optim.AdamW and optax.adamw", T, float, double) {
  figure error(sizeof(T) == 4 ? "adamw float: difference to the formulas after 20 steps, / u"
                              : "adamw double: difference to the formulas after 20 steps, / u");
  for (auto const shape : weight_shapes) {
    for (bool const bias_correction : {true, false}) {
      for (double const eps : {1e-8, 1e-3}) {
        adamw_options options{
            .beta1 = 0.8, .beta2 = 0.95, .eps = eps, .weight_decay = 0.3, .bias_correction = bias_correction};
        auto w = random_weight<T>(shape.rows, shape.cols, 3, 1);
        exact expected = in_long_double(w);
        reference torch{exact(shape.rows, shape.cols), exact(shape.rows, shape.cols)};
        sigmax::adamw<T> opt(w, options);
        for (int t = 0; t < 20; ++t) {
          options.learning_rate = 0.01 / (1 + t);
          opt.set_learning_rate(options.learning_rate);
          auto const g = rounded<T>(gaussian(shape.rows, shape.cols, 20 + static_cast<std::uint64_t>(t)));
          torch.step(expected, in_long_double(g), options);
          opt.step(w, g);
        }
        long double worst = 0;
        for (index_t i = 0; i < w.size(); ++i) {
          worst = std::max(worst, std::fabs(static_cast<long double>(w.data()[i]) - expected.data()[i]));
        }
        // |W| <= 1: two roundings a step.
        error.see(worst / roundoff<T>(), 40);
      }
    }
  }
}

TEST_CASE("two steps by hand") {
  sigmax::matrix<double> w(1, 2), g(1, 2);
  w(0, 0) = 1;
  w(0, 1) = -2;
  sigmax::adamw opt(w, {.learning_rate = 0.1, .eps = 0, .weight_decay = 0.5});
  g(0, 0) = 4;
  g(0, 1) = -0.25;
  opt.step(w, g);  // the first step is the sign of the gradient
  CHECK(w(0, 0) == doctest::Approx(0.95 - 0.1).epsilon(1e-14));
  CHECK(w(0, 1) == doctest::Approx(-1.9 + 0.1).epsilon(1e-14));
  g(0, 0) = 0;
  g(0, 1) = 0;
  opt.step(w, g);
  // m = 0.9 0.1 g, v = 0.999 0.001 g^2: the ratio of the corrected ones is (0.09 / 0.19) / sqrt(0.000999 / 0.001999).
  double const ratio = 0.09 / 0.19 / std::sqrt(0.000999 / 0.001999);
  CHECK(w(0, 0) == doctest::Approx(0.85 * 0.95 - 0.1 * ratio).epsilon(1e-12));
  CHECK(w(0, 1) == doctest::Approx(-1.8 * 0.95 + 0.1 * ratio).epsilon(1e-12));
}

TEST_CASE("defaults are torch's, and a zero gradient moves nothing even without eps") {
  adamw_options const o;
  CHECK(o.learning_rate == 1e-3);
  CHECK(o.beta1 == 0.9);
  CHECK(o.beta2 == 0.999);
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 1e-2);
  auto w = random_weight<float>(4, 3, 1, 1);
  auto const before = w;
  sigmax::adamw opt(w, {.eps = 0, .weight_decay = 0});
  opt.step(w, sigmax::matrix<float>(4, 3));
  CHECK(same_bits(w, before));
}

TEST_CASE_TEMPLATE("the update norm that soft_cap asks for is measured, proven and tight", T, float, double) {
  figure excess(sizeof(T) == 4 ? "adamw float: ||dW|| / update_norm - 1" : "adamw double: ||dW|| / update_norm - 1");
  for (auto const shape : weight_shapes) {
    sigmax::matrix<T> w(shape.rows, shape.cols);
    sigmax::adamw<T> opt(w, {.learning_rate = 1e-3, .weight_decay = 0});
    CHECK(opt.update_norm() == sigmax::infinity);
    for (int t = 0; t < 5; ++t) {
      w = sigmax::matrix<T>(shape.rows, shape.cols);  // so that W after the step is the update
      auto const o = opt.step(w, rounded<T>(gaussian(shape.rows, shape.cols, 20 + static_cast<std::uint64_t>(t))),
                              sigmax::constraint::soft_cap{.sigma_max = 1});
      CHECK(o.hard_capped == 0);
      long double const moved = svd(w).sigma.front();
      auto const bound = static_cast<long double>(opt.update_norm());
      excess.see(moved / bound - 1, 0);
      CHECK(moved >= 0.98L * bound);
    }
    opt.step(w, rounded<T>(gaussian(shape.rows, shape.cols, 40)));
    CHECK(opt.update_norm() == sigmax::infinity);  // nobody asked
  }
}
