// SPDX-License-Identifier: MIT
// The whole transformer: against a reference without matrices, against differences, and against 50 digits.
#include <cmath>
#include <complex>

#include <doctest/doctest.h>
#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#endif

#include <sigmax/backend/scalar.hpp>
#include <sigmax/backend/simd.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/kernels.hpp>

#include "naive_transformer.hpp"
#include "small_models.hpp"

using namespace transformer;
using namespace transformer::test;

namespace {

/// What the options can switch.
std::vector<model_options> all_options() {
  return {{},
          {.attention_scale = 1.3, .attention_gain = 1, .residual_scale = 2, .logit_scale = 4},
          {.ball_radius = 0.7},
          {.residual_scale = 3, .ball_radius = 1.1, .logit_scale = 0.5}};
}

template <class T>
double worst_error(parameters<T>& found, parameters<T>& expected) {
  double worst = 0;
  std::vector<sigmax::matrix<T> const*> all;
  for_each_weight(expected, [&](auto const&, weight_role, auto const& w) { all.push_back(&w); });
  std::size_t i = 0;
  for_each_weight(found, [&](std::string const& name, weight_role, auto const& w) {
    double const error = relative_error(w, *all[i++]);
    INFO(name, ": ", error);
    CHECK(std::isfinite(error));
    worst = std::max(worst, error);
  });
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("the logits are those of a reference that knows neither matrices nor blocks", Backend,
                   sigmax::cpu::scalar, sigmax::cpu::simd<>) {
  Backend const on;
  auto without_positions = tiny_shape();
  without_positions.position_bias = false;
  for (auto const& shape : {tiny_shape(), long_shape(), without_positions}) {
    for (auto const& options : all_options()) {
      if (options.alpha(shape) > 1) continue;
      model<double> const of(shape, options);
      auto const w = random_parameters<double>(shape, 3);
      auto const batch = random_tokens(shape, 3, shape.context, 5);
      activations<double> kept(shape, 3, shape.context);
      forward(on, of, w, batch.inputs, kept);
      auto const expected = naive_logits(shape, options, w, batch.inputs);
      CHECK(relative_error(kept.logits, expected) <= 1e-13);
    }
  }
}

TEST_CASE("a token's logits do not depend on tokens that come later") {
  sigmax::cpu::simd<> const on;
  auto const shape = long_shape();
  model<double> const of(shape, {});
  auto const w = random_parameters<double>(shape, 3);
  auto batch = random_tokens(shape, 1, shape.context, 5);
  activations<double> kept(shape, 1, shape.context);
  forward(on, of, w, batch.inputs, kept);
  auto const before = kept.logits;
  for (std::size_t i = 70; i < batch.inputs.size(); ++i) batch.inputs[i] = (batch.inputs[i] + 1) % 5;
  forward(on, of, w, batch.inputs, kept);
  for (index_t t = 0; t < 70; ++t) {
    for (index_t j = 0; j < shape.vocabulary; ++j) CHECK(kept.logits(t, j) == before(t, j));
  }
  CHECK(kept.logits(70, 0) != before(70, 0));
}

TEST_CASE_TEMPLATE("the gradient of the whole model is that of its loss", Backend, sigmax::cpu::scalar,
                   sigmax::cpu::simd<>, sigmax::cpu::native) {
  Backend const on;
  double worst = 0;
  for (auto const& options : all_options()) {
    auto const shape = tiny_shape();
    model<double> const of(shape, options);
    auto w = random_parameters<double>(shape, 3);
    auto const batch = random_tokens(shape, 2, shape.context, 5);
    activations<double> kept(shape, 2, shape.context);
    auto gradient = gradient_of(on, of, w, batch, kept);
    parameters<double> expected(shape);
    std::vector<sigmax::matrix<double>*> to;
    for_each_weight(expected, [&](auto const&, weight_role, auto& each) { to.push_back(&each); });
    std::size_t i = 0;
    for_each_weight(w, [&](auto const&, weight_role, auto& each) {
      *to[i++] = differences(each, 3e-4, [&] { return mean_loss(on, of, w, batch, kept); });
    });
    worst = std::max(worst, worst_error(gradient, expected));
  }
  MESSAGE("largest relative error: ", worst);
  CHECK(worst <= 1e-7);
}

TEST_CASE("the gradient of a model with several blocks of queries is that of its loss") {
  sigmax::cpu::simd<> const on;
  auto const shape = long_shape();
  model<double> const of(shape, {.attention_scale = 1, .ball_radius = 1});
  auto w = random_parameters<double>(shape, 3);
  auto const batch = random_tokens(shape, 2, shape.context, 5);
  activations<double> kept(shape, 2, shape.context);
  auto const gradient = gradient_of(on, of, w, batch, kept);
  auto const loss = [&] { return mean_loss(on, of, w, batch, kept); };
  CHECK(relative_error(gradient.blocks[0].query, differences(w.blocks[0].query, 3e-4, loss)) <= 1e-7);
  CHECK(relative_error(gradient.blocks[0].mlp_in, differences(w.blocks[0].mlp_in, 3e-4, loss)) <= 1e-7);
  CHECK(relative_error(gradient.embedding, differences(w.embedding, 3e-4, loss)) <= 1e-7);
}

#if __has_include(<boost/multiprecision/cpp_bin_float.hpp>)
TEST_CASE(
    "a tiny model in 50 digits: its gradient is that of its loss to 20, and doubles and floats have theirs of it") {
  namespace multiprecision = boost::multiprecision;
  using digits50 = multiprecision::number<multiprecision::cpp_bin_float<50>, multiprecision::et_off>;
  model_shape const shape{.vocabulary = 3,
                          .width = 4,
                          .blocks = 1,
                          .heads = 2,
                          .key_width = 2,
                          .mlp_width = 3,
                          .context = 3,
                          .position_bias = true};
  model_options const options{.residual_scale = 1.5, .ball_radius = 0.9, .logit_scale = 2};
  auto const batch = random_tokens(shape, 2, shape.context, 5);
  auto const gradient_in = [&]<class T>(auto const& on, T) {
    activations<T> kept(shape, 2, shape.context);
    return gradient_of(on, model<T>(shape, options), random_parameters<T>(shape, 3), batch, kept);
  };
  auto const in = [&]<class T>(T, auto& narrow) {  // the same numbers in T
    parameters<T> result(shape);
    std::vector<sigmax::matrix<T>*> to;
    for_each_weight(result, [&](auto const&, weight_role, auto& each) { to.push_back(&each); });
    std::size_t i = 0;
    for_each_weight(narrow, [&](auto const&, weight_role, auto& each) {
      for (index_t k = 0; k < each.size(); ++k) to[i]->data()[k] = T(each.data()[k]);
      ++i;
    });
    return result;
  };

  sigmax::cpu::scalar const on;
  auto exact = gradient_in(on, digits50(0));
  auto w = random_parameters<digits50>(shape, 3);
  model<digits50> const of(shape, options);
  activations<digits50> kept(shape, 2, shape.context);
  parameters<digits50> expected(shape);
  std::vector<sigmax::matrix<digits50>*> to;
  for_each_weight(expected, [&](auto const&, weight_role, auto& each) { to.push_back(&each); });
  std::size_t i = 0;
  for_each_weight(w, [&](auto const&, weight_role, auto& each) {
    *to[i++] = differences(each, digits50(1e-8), [&] { return mean_loss(on, of, w, batch, kept); });
  });
  CHECK(worst_error(exact, expected) <= 1e-20);

  auto narrow = gradient_in(sigmax::cpu::simd<>(), 0.0);
  auto widened = in(digits50(0), narrow);
  CHECK(worst_error(widened, exact) <= 1e-13);

  // Weights in float are other weights: compare where they are the same.
  auto const w_float = random_parameters<float>(shape, 3);
  activations<float> kept_float(shape, 2, shape.context);
  auto in_float = gradient_of(sigmax::cpu::native(), model<float>(shape, options), w_float, batch, kept_float);
  auto const w_same = in(0.0, w_float);
  activations<double> kept_double(shape, 2, shape.context);
  auto in_double = gradient_of(sigmax::cpu::native(), model<double>(shape, options), w_same, batch, kept_double);
  auto float_widened = in(0.0, in_float);
  CHECK(worst_error(float_widened, in_double) <= 2e-5);
}
#endif

TEST_CASE("a model refuses shapes, options and tokens it cannot have") {
  auto const shape = tiny_shape();
  auto odd = shape;
  odd.key_width = 3;
  CHECK_THROWS_AS(model<double>(odd, {}), sigmax::shape_error);
  CHECK_THROWS_AS(model<double>(shape, {}, shape.context + 1), sigmax::shape_error);
  CHECK_THROWS_AS(model<double>(shape, {.residual_scale = 5}), sigmax::domain_error);
  CHECK_THROWS_AS(model<double>(shape, {.logit_scale = NAN}), sigmax::domain_error);
  model<double> const of(shape, {});
  activations<double> kept(shape, 1, shape.context);
  std::vector<token> const wrong{0, 1, 2, 3, 7};
  CHECK_THROWS_AS(forward(sigmax::cpu::scalar(), of, random_parameters<double>(shape, 1), wrong, kept),
                  sigmax::shape_error);
  std::vector<token> const few{0, 1};
  CHECK_THROWS_AS(forward(sigmax::cpu::scalar(), of, random_parameters<double>(shape, 1), few, kept),
                  sigmax::shape_error);
}
