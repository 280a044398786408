// SPDX-License-Identifier: MIT
// The classifier: its derivatives, its network, its training inside caps, what is proven of it and what attacks make of it.
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attack/evaluation.hpp>

#include "programs/markup.hpp"
#include "robust_mlp/assess.hpp"
#include "robust_mlp/classifier.hpp"
#include "robust_mlp/digits.hpp"
#include "robust_mlp/gradient_attack.hpp"
#include "robust_mlp/robustness_page.hpp"
#include "robust_mlp/train_classifier.hpp"
#include "support/svd.hpp"

using namespace robust_mlp;

namespace {

sigmax::cpu::native const on;

classifier random_classifier(activation phi, std::uint64_t seed) {
  classifier result({6, 5, 4, 3}, phi);
  for (auto* const part : {&result.weights, &result.biases}) {
    for (auto& each : *part) sigmax::fill_normal(each.view(), seed++);
  }
  return result;
}

/// Ten places of a bright patch, moved and disturbed a little: easy to tell apart.
digits patches(index_t count, std::uint64_t seed) {
  digits result{sigmax::matrix<float>(count, digits::side * digits::side), {}};
  sigmax::random_sequence const random(seed);
  std::uint64_t draw = 0;
  for (index_t i = 0; i < count; ++i) {
    int const label = static_cast<int>(random.bits(draw++) % 10);
    auto const shift = static_cast<index_t>(random.bits(draw++) % 3);
    for (index_t y = 0; y < digits::side; ++y) {
      for (index_t x = 0; x < digits::side; ++x) {
        index_t const top = 2 + label / 5 * 13 + shift;
        index_t const left = 1 + label % 5 * 5 + shift;
        bool const bright = y >= top && y < top + 6 && x >= left && x < left + 4;
        result.images(i, y * digits::side + x) =
            static_cast<float>((bright ? 0.8 : 0.0) + 0.2 * random.uniform(draw++));
      }
    }
    result.labels.push_back(label);
  }
  return result;
}

recipe quick_recipe() {
  recipe how;
  how.name = "quick";
  how.width = 16;
  how.epochs = 8;
  how.batch = 50;
  how.shift = 0;
  return how;
}

}  // namespace

TEST_CASE("logits are those of the network, and derivatives those of differences") {
  for (auto const phi : {activation::relu, activation::absolute}) {
    auto model = random_classifier(phi, 3);
    layer_values values(model, 2);
    sigmax::fill_normal(values.input(), 99);
    auto const logits = [&] {
      values.forward(on, model);
      return values.logits();
    };
    logits();
    auto const net = network_of(model);
    sigmax::lipschitz::attack::evaluation_plan const plan(net);
    sigmax::lipschitz::attack::evaluation<double> run(plan);
    for (index_t n = 0; n < 2; ++n) {
      for (index_t k = 0; k < 6; ++k)
        run.input()[static_cast<std::size_t>(k)] = static_cast<double>(values.input()(n, k));
      auto const expected = run.run();
      for (index_t j = 0; j < 3; ++j) {
        CHECK(static_cast<double>(logits()(n, j)) ==
              doctest::Approx(expected[static_cast<std::size_t>(j)]).epsilon(1e-5));
      }
    }
    // The sum of r_nj logit_nj.
    sigmax::matrix<float> r(2, 3);
    sigmax::fill_normal(r.view(), 7);
    auto const sum = [&] {
      double total = 0;
      auto const y = logits();
      for (index_t n = 0; n < 2; ++n) {
        for (index_t j = 0; j < 3; ++j) total += static_cast<double>(r(n, j)) * static_cast<double>(y(n, j));
      }
      return total;
    };
    sum();
    for (index_t n = 0; n < 2; ++n) {
      for (index_t j = 0; j < 3; ++j) values.d_logits()(n, j) = r(n, j);
    }
    classifier gradient({6, 5, 4, 3}, phi);
    sigmax::matrix<float> by_input(2, 6);
    auto const found = values.backward(on, model, &gradient);
    for (index_t n = 0; n < 2; ++n) {
      for (index_t k = 0; k < 6; ++k) by_input(n, k) = found(n, k);
    }
    auto const difference = [&](float& x) {
      float const before = x;
      x = before + 1e-3f;
      double const above = sum();
      x = before - 1e-3f;
      double const below = sum();
      x = before;
      return (above - below) / 2e-3;
    };
    for (index_t k = 0; k < 6; ++k) {
      CHECK(static_cast<double>(by_input(1, k)) == doctest::Approx(difference(values.input()(1, k))).epsilon(0.02));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(static_cast<double>(gradient.weights[i](0, 1)) ==
            doctest::Approx(difference(model.weights[i](0, 1))).epsilon(0.02));
      CHECK(static_cast<double>(gradient.biases[i](0, 2)) ==
            doctest::Approx(difference(model.biases[i](0, 2))).epsilon(0.02));
    }
  }
}

TEST_CASE("training learns, and keeps every weight inside its cap") {
  auto const data = patches(400, 1);
  auto const test = patches(100, 2);
  for (char const* const optimizer : {"muon", "adamw"}) {
    for (double const cap : {1.0, 0.0}) {
      auto how = quick_recipe();
      how.optimizer = optimizer;
      how.sigma_max = cap;
      if (optimizer[0] == 'a') how.learning_rate = 3e-3;
      double last = 0;
      auto const trained = train(on, how, data, [&](epoch_report const& epoch) { last = epoch.accuracy; });
      CAPTURE(optimizer);
      CAPTURE(cap);
      CHECK(last > 0.9);
      CHECK(trained.violations == 0);
      CHECK(trained.checks == (cap > 0 ? 3 * 8 * 8 : 0));
      for (auto const& w : trained.model.weights) {
        auto const norm = sigmax::test::spectral_norm(sigmax::test::in_long_double(w));
        if (cap > 0) CHECK(norm <= static_cast<long double>(cap));
      }
    }
  }
}

TEST_CASE("what is certified withstands every attack, and a longer attack breaks no less") {
  auto const data = patches(400, 1);
  auto const test = patches(100, 2);
  auto const trained = train(on, quick_recipe(), data, {});
  std::vector<double> const budgets{0, 0.5, 1, 2, 4};
  auto const result = assess(on, "quick", trained.model, test, budgets, {.steps = 10, .restarts = 2}, false);
  CHECK(result.contradictions == 0);
  CHECK(result.clean > 0.9);
  CHECK(result.bound <= result.product_bound);
  CHECK(result.product_bound <= 1 + 1e-6);
  for (std::size_t k = 0; k < budgets.size(); ++k) {
    CHECK(result.certified[k] <= result.attacked[k]);
    CHECK(result.certified_by_product[k] <= result.certified[k]);
    if (k > 0) CHECK(result.certified[k] <= result.certified[k - 1]);
  }
  CHECK(result.certified[1] > 0.5);
  CHECK(result.attacked[4] < 0.9);  // the attack does something
  auto const weak = withstands(on, trained.model, test, 2, {.steps = 1, .restarts = 1});
  auto const strong = withstands(on, trained.model, test, 2, {.steps = 20, .restarts = 2});
  CHECK(std::count(strong.begin(), strong.end(), 1) <= std::count(weak.begin(), weak.end(), 1));
  auto const page = page_of({{quick_recipe(), trained.checks, trained.violations, result}}, 400, 100);
  CHECK(sigmax::test::problem_in_markup(page) == "");
  CHECK(sigmax::test::has(page, "certified"));
}

TEST_CASE("images are shifted by whole pixels, black coming in") {
  digits data{sigmax::matrix<float>(1, 784), {0}};
  data.images(0, 3 * 28 + 5) = 1;
  data.images(0, 27) = 0.5f;
  std::vector<float> to(784, 9.0f);
  copy_shifted(data, 0, 2, -1, to);
  CHECK(to[2 * 28 + 7] == 1);
  CHECK(std::count(to.begin(), to.end(), 0.0f) == 783);  // the corner has gone
  copy_shifted(data, 0, 0, 0, to);
  CHECK(to[27] == 0.5f);
}
