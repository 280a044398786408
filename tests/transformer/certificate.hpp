// SPDX-License-Identifier: MIT
/// @file
/// Models for tests of certificates, and pairs that try to break them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/kernels.hpp>

#include "small_models.hpp"
#include "transformer/certificate/certify_model.hpp"

namespace transformer::test {

/// Settings of models that differ in everything a bound depends on.
inline std::vector<run_settings> certified_settings() {
  std::vector<run_settings> result;
  auto const add = [&](model_shape const& shape, model_options const& options) {
    run_settings settings;
    settings.shape = shape;
    settings.model = options;
    settings.constraint = "none";
    result.push_back(settings);
  };
  model_shape const one_head{
      .vocabulary = 5, .width = 8, .blocks = 1, .heads = 1, .key_width = 8, .mlp_width = 12, .context = 4};
  model_shape const many_heads{
      .vocabulary = 9, .width = 12, .blocks = 2, .heads = 3, .key_width = 6, .mlp_width = 20, .context = 6};
  add(one_head, {});
  add(one_head, {.attention_scale = 2, .attention_gain = 1, .residual_scale = 2, .logit_scale = 3});
  add(many_heads, {.logit_scale = 8});
  add(many_heads, {.attention_scale = 0.01, .attention_gain = 1, .residual_scale = 3, .ball_radius = 0.8});
  add(tiny_shape(), {.residual_scale = 4, .ball_radius = 0.3});
  return result;
}

/// Random weights, some with a few large singular values, some with a zero block, rows of the embedding of RMS about 1.
inline parameters<float> certified_weights(model_shape const& shape, std::uint64_t seed) {
  auto result = random_parameters<float>(shape, 1000 * seed, 0.5 + 0.5 * static_cast<double>(seed % 4));
  for_each_weight(result, [&](std::string const&, weight_role role, sigmax::matrix<float>& w) {
    if (!is_map(role)) return fill(w, 1.0, 77 * seed);
    bool const spiked = seed % 3 == 1;
    if (spiked) fill(w, 0.1 / std::sqrt(static_cast<double>(w.cols())), seed + 5);
    if (spiked) w(0, 0) = w(w.rows() - 1, w.cols() - 1) = 1.5f;
  });
  if (seed % 5 == 4) set_zero(result.blocks[0].mlp_out);
  return result;
}

/// max_t RMS(f(X)_t - f(Y)_t) / max_t ||x_t - y_t||_1 of two sequences of probability vectors, T x V each.
class simplex_pairs {
 public:
  simplex_pairs(model<double> const& of, parameters<double> const& w)
      : of_(of), w_(w), at_x_(of.shape, 1, of.attention.length), at_y_(of.shape, 1, of.attention.length) {}

  double quotient(sigmax::matrix<double> const& x, sigmax::matrix<double> const& y) {
    double distance = 0;
    for (index_t t = 0; t < x.rows(); ++t) {
      double sum = 0;
      for (index_t v = 0; v < x.cols(); ++v) sum += std::fabs(x(t, v) - y(t, v));
      distance = std::fmax(distance, sum);
    }
    put(x, at_x_);
    put(y, at_y_);
    double farthest = 0;
    for (index_t t = 0; t < x.rows(); ++t) {
      double squares = 0;
      for (index_t j = 0; j < at_x_.logits.cols(); ++j) {
        double const step = at_x_.logits(t, j) - at_y_.logits(t, j);
        squares += step * step;
      }
      farthest = std::fmax(farthest, std::sqrt(squares / static_cast<double>(at_x_.logits.cols())));
    }
    return distance > 0 ? farthest / distance : 0;
  }

  /// Rows drawn at random, from nearly one-hot to nearly uniform; Y near X or anywhere.
  double random_quotient(std::uint64_t seed) {
    sigmax::random_sequence const random(seed);
    std::uint64_t next = 0;
    index_t const v = of_.shape.vocabulary;
    sigmax::matrix<double> x(of_.attention.length, v);
    sigmax::matrix<double> y(of_.attention.length, v);
    double const sharpness = 1 + 40 * random.uniform(next++);
    double const share = std::pow(10.0, -4 * random.uniform(next++));
    bool const one_row = random.uniform(next++) < 0.3;
    auto const draw = [&](double* row) {
      double sum = 0;
      for (index_t j = 0; j < v; ++j) sum += row[j] = std::pow(random.uniform(next++), sharpness);
      for (index_t j = 0; j < v; ++j) row[j] /= sum;
    };
    for (index_t t = 0; t < x.rows(); ++t) {
      draw(&x(t, 0));
      draw(&y(t, 0));
      bool const moves = !one_row || t == static_cast<index_t>(seed % static_cast<std::uint64_t>(x.rows()));
      for (index_t j = 0; j < v; ++j) y(t, j) = moves ? (1 - share) * x(t, j) + share * y(t, j) : x(t, j);
    }
    return quotient(x, y);
  }

 private:
  void put(sigmax::matrix<double> const& rows, activations<double>& at) {
    on_.multiply(1.0, rows.view(), w_.embedding.view(), 0.0, {}, at.stream[0].view());
    forward_from_vectors(on_, of_, w_, at);
  }

  sigmax::cpu::native on_;
  model<double> const& of_;
  parameters<double> const& w_;
  activations<double> at_x_, at_y_;
};

/// Pairs by chance and by attack, about `pairs` of them; none may exceed any of the bounds. Returns the largest quotient
/// over the least bound.
inline double try_to_break(model_certificate const& certificate, parameters<float> const& weights, int pairs,
                           std::uint64_t seed) {
  auto const& settings = certificate.settings;
  model<double> const of(settings.shape, settings.model);
  auto const w = in_double(settings.shape, weights);
  double largest = 0;
  for (auto const& bound : certificate.bounds) CAPTURE(bound.method);
  double const least = certificate.best().upper.to_double_up();
  auto const look_at = [&](double quotient) { largest = std::fmax(largest, quotient); };
  index_t const sequences = 16;
  attack_pairs(
      {}, of, w,
      {.sequences = sequences, .rounds = pairs / 2 / static_cast<int>(sequences), .seed = seed, .seen = look_at});
  simplex_pairs others(of, w);
  for (int i = 0; i < pairs / 2; ++i) look_at(others.random_quotient(seed * 1000003 + static_cast<std::uint64_t>(i)));
  // The model in double differs from that in float by roundings of cosines and factors.
  CHECK(largest <= least * (1 + 1e-5));
  return largest / least;
}

}  // namespace transformer::test
