// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/lipschitz/rules/published_attention.hpp>

#include "closed_form.hpp"

namespace transformer {

namespace {

using sigmax::add_up;
using sigmax::divide_up;
using sigmax::extended;
using sigmax::min_up;
using sigmax::multiply_up;
using sigmax::sqrt_up;

/// >= sup |GELU'|, 1.128904145185154..., of the form with erf.
constexpr double gelu_slope = 1.1289041451852;

double square_up(double x) { return multiply_up(x, x); }

/// >= sqrt(numerator / denominator).
double root_of_ratio(index_t numerator, index_t denominator) {
  if (numerator == denominator) return 1;
  return sqrt_up(divide_up(static_cast<double>(numerator), static_cast<double>(denominator)));
}

/// min( ||W_O|| sqrt(sum_h (||W_V,h|| f_h)^2), sum_h ||W_O,h W_V,h|| f_h ).
template <class F>
double through_heads(block_norms const& block, F const& f) {
  double squares = 0;
  double sum = 0;
  for (auto const& head : block.heads) {
    double const factor = f(head);
    squares = add_up(squares, square_up(multiply_up(head.value, factor)));
    sum = add_up(sum, multiply_up(min_up(head.output_value, multiply_up(head.output, head.value)), factor));
  }
  return min_up(sum, multiply_up(block.output, sqrt_up(squares)));
}

}  // namespace

closed_form_bound closed_form(model_shape const& shape, forward_constants const& constants, model_norms const& norms) {
  closed_form_bound result{.residuals = {}, .radius = norms.embedding, .upper = extended()};
  result.upper = extended(min_up(norms.embedding, norms.half_diameter));
  double const skip = std::fabs(constants.skip);
  double& radius = result.radius;
  auto const add = [&](double branch, double branch_radius) {
    double const lipschitz = add_up(skip, branch);
    result.residuals.push_back({radius, branch, lipschitz});
    result.upper = result.upper * extended(lipschitz);
    radius = add_up(multiply_up(skip, radius), multiply_up(branch_radius, radius));
    if (constants.ball_radius > 0) radius = min_up(radius, constants.ball_radius);
  };
  for (auto const& block : norms.blocks) {
    double const squared_length = multiply_up(static_cast<double>(shape.width), square_up(radius));
    double const gain = std::fabs(constants.attention);
    double const scale = std::fabs(constants.scale);
    double const slopes = through_heads(block, [&](head_norms const& head) {
      double const scores = min_up(head.query_key, multiply_up(head.query, head.key));
      return add_up(1.0, multiply_up(2.0, multiply_up(multiply_up(scale, scores), squared_length)));
    });
    double const means = through_heads(block, [](head_norms const&) { return 1.0; });
    add(multiply_up(gain, slopes), multiply_up(gain, means));
    double const mlp = multiply_up(constants.mlp.magnitude(), multiply_up(block.mlp_out, block.mlp_in));
    add(multiply_up(mlp, gelu_slope), mlp);
  }
  double const head = multiply_up(norms.head, root_of_ratio(shape.width, shape.vocabulary));
  result.upper = result.upper * extended(multiply_up(std::fabs(constants.logits), head));
  return result;
}

double published_formula(model_shape const& shape, forward_constants const& constants, model_norms const& norms) {
  // All norms from RMS to RMS: sqrt(in / out) times the spectral norm.
  auto const rms = [](double norm, index_t in, index_t out) {
    return norm * std::sqrt(static_cast<double>(in) / static_cast<double>(out));
  };
  double const skip = constants.skip;
  double const gain = constants.attention;
  double const softmax_scale = constants.scale * static_cast<double>(shape.key_width);
  // alpha / 1.1289 as published: this program divides by a little more.
  double const mlp_factor = constants.mlp.middle() * gelu_divisor / 1.1289;
  double lipschitz = norms.embedding;
  double radius = norms.embedding;
  auto const project = [&] {
    if (constants.ball_radius > 0) radius = std::fmin(radius, constants.ball_radius);
  };
  for (auto const& block : norms.blocks) {
    index_t const d = shape.width;
    index_t const a = shape.attention_width();
    double const q = rms(block.query, d, a);
    double const k = rms(block.key, d, a);
    double const v = rms(block.value, d, a);
    double const o = rms(block.output, a, d);
    double const attention =
        3 * gain * sigmax::lipschitz::rules::published_attention_bound(o, v, q, k, radius, softmax_scale);
    lipschitz *= skip + attention;
    radius = skip * radius + gain * o * v * radius;
    project();
    double const mlp = mlp_factor * block.mlp_out * block.mlp_in;
    lipschitz *= skip + mlp;
    radius = skip * radius + mlp * radius;
    project();
  }
  return lipschitz * rms(norms.head, shape.width, shape.vocabulary) * constants.logits;
}

std::vector<std::string> faults_of_published_formula() {
  return {
      "it is no bound for more than one head: concatenated heads may attend to different tokens, and the RMS of one "
      "head's queries exceeds that of the whole row by up to the root of the number of heads",
      "it divides the MLP by 1.1289 twice: GELU / 1.1289 has slopes of 1 already",
      "1.1289 is below the largest slope of GELU, 1.12890415 in the form with erf and 1.12899307 in that with tanh",
      "a scale of the scores below 1 / key width shrinks the part of the values too, which it does not touch"};
}

}  // namespace transformer
