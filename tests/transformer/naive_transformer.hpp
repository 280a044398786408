// SPDX-License-Identifier: MIT
/// @file
/// The transformer as its formulas say it: token by token, head by head, pairs turned as complex numbers.
#pragma once

#include <cmath>
#include <complex>
#include <vector>

#include "transformer/model_options.hpp"
#include "transformer/parameters.hpp"

namespace transformer::test {

using numbers = std::vector<double>;

inline numbers product(sigmax::matrix<double> const& w, numbers const& x) {
  numbers y(static_cast<std::size_t>(w.rows()), 0.0);
  for (index_t i = 0; i < w.rows(); ++i) {
    for (index_t j = 0; j < w.cols(); ++j) y[static_cast<std::size_t>(i)] += w(i, j) * x[static_cast<std::size_t>(j)];
  }
  return y;
}

/// Head `head` of z, the token's pairs as complex numbers turned by the angles of its position.
inline std::vector<std::complex<double>> turned(numbers const& z, std::size_t head, std::size_t half,
                                                std::size_t position) {
  std::vector<std::complex<double>> result;
  for (std::size_t i = 0; i < half; ++i) {
    double const angle =
        static_cast<double>(position) / std::pow(10000.0, static_cast<double>(i) / static_cast<double>(half));
    result.push_back(std::complex(z[2 * half * head + i], z[2 * half * head + half + i]) * std::polar(1.0, angle));
  }
  return result;
}

inline numbers residual(model_options const& options, double alpha, numbers const& x, numbers const& f) {
  numbers y(x.size());
  double squares = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    y[j] = (1 - alpha) * x[j] + alpha * f[j];
    squares += y[j] * y[j];
  }
  double const rms = std::sqrt(squares / static_cast<double>(x.size()));
  if (options.ball_radius > 0 && rms > options.ball_radius) {
    for (double& each : y) each *= options.ball_radius / rms;
  }
  return y;
}

inline std::vector<numbers> attended(model_shape const& shape, model_options const& options,
                                     block_parameters<double> const& w, std::vector<numbers> const& x) {
  auto const half = static_cast<std::size_t>(shape.key_width / 2);
  double const tau = options.attention_scale > 0 ? options.attention_scale : 1 / static_cast<double>(shape.key_width);
  std::vector<numbers> result;
  for (std::size_t t = 0; t < x.size(); ++t) {
    numbers mixed(static_cast<std::size_t>(shape.heads * shape.key_width), 0.0);
    for (std::size_t h = 0; h < static_cast<std::size_t>(shape.heads); ++h) {
      auto const q = turned(product(w.query, x[t]), h, half, t);
      numbers e;
      double total = 0;
      for (std::size_t s = 0; s <= t; ++s) {
        auto const k = turned(product(w.key, x[s]), h, half, s);
        double score = 0;
        for (std::size_t i = 0; i < half; ++i) score += (q[i] * std::conj(k[i])).real();
        auto const back = static_cast<index_t>(t - s);
        double const bias = shape.position_bias ? w.position(static_cast<index_t>(h), shape.context - 1 - back) : 0;
        e.push_back(std::exp(tau * score + bias));
        total += e.back();
      }
      for (std::size_t s = 0; s <= t; ++s) {
        auto const v = product(w.value, x[s]);
        for (std::size_t j = 2 * half * h; j < 2 * half * (h + 1); ++j) mixed[j] += e[s] / total * v[j];
      }
    }
    result.push_back(product(w.output, mixed));
    for (double& each : result.back()) each *= options.attention_gain;
  }
  return result;
}

/// tokens: sequence after sequence, each of the length of the context.
inline sigmax::matrix<double> naive_logits(model_shape const& shape, model_options const& options,
                                           parameters<double> const& w, std::vector<int> const& tokens) {
  sigmax::matrix<double> logits(static_cast<index_t>(tokens.size()), shape.vocabulary);
  double const alpha = options.residual_scale / static_cast<double>(2 * shape.blocks);
  auto const length = static_cast<std::size_t>(shape.context);
  for (std::size_t start = 0; start < tokens.size(); start += length) {
    std::vector<numbers> x;
    for (std::size_t t = 0; t < length; ++t) {
      auto const* const row = &w.embedding(tokens[start + t], 0);
      x.emplace_back(row, row + shape.width);
    }
    for (auto const& block : w.blocks) {
      auto const f = attended(shape, options, block, x);
      for (std::size_t t = 0; t < length; ++t) x[t] = residual(options, alpha, x[t], f[t]);
      for (auto& each : x) {
        auto hidden = product(block.mlp_in, each);
        for (double& value : hidden) value = value * 0.5 * std::erfc(-value / std::sqrt(2.0)) / 1.129;
        each = residual(options, alpha, each, product(block.mlp_out, hidden));
      }
    }
    for (std::size_t t = 0; t < length; ++t) {
      auto const y = product(w.head, x[t]);
      for (std::size_t j = 0; j < y.size(); ++j) {
        logits(static_cast<index_t>(start + t), static_cast<index_t>(j)) = options.logit_scale * y[j];
      }
    }
  }
  return logits;
}

}  // namespace transformer::test
