// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <sigmax/core/random.hpp>

#include "gradient_attack.hpp"

namespace robust_mlp {

namespace {

/// The runner-up of a row of logits; sets `right` where the label is above all others.
index_t runner_up(sigmax::matrix_view<float> logits, index_t n, int label, bool& right) {
  index_t best = label == 0 ? 1 : 0;
  for (index_t j = 0; j < logits.cols(); ++j) {
    if (j != label && logits(n, j) > logits(n, best)) best = j;
  }
  right = logits(n, label) > logits(n, best);
  return best;
}

/// x, moved to the nearest point of the ball around `centre`, then of the cube [0, 1]: which is no farther from the centre.
void project(float* x, float const* centre, index_t size, double radius) {
  double squares = 0;
  for (index_t k = 0; k < size; ++k)
    squares += static_cast<double>(x[k] - centre[k]) * static_cast<double>(x[k] - centre[k]);
  double const length = std::sqrt(squares);
  auto const factor = static_cast<float>(length > radius ? radius * (1 - 1e-6) / length : 1.0);
  for (index_t k = 0; k < size; ++k) x[k] = std::clamp(centre[k] + factor * (x[k] - centre[k]), 0.0f, 1.0f);
}

}  // namespace

std::vector<char> withstands(sigmax::cpu::native const& on, classifier const& model, digits const& data, double radius,
                             attack_options const& options) {
  index_t const pixels = data.images.cols();
  layer_values values(model, data.count());
  std::vector<char> result(static_cast<std::size_t>(data.count()), 1);
  sigmax::random_sequence const random(options.seed);
  std::uint64_t draw = 0;
  double const step = 2.5 * radius / options.steps;
  auto const look = [&] {
    values.forward(on, model);
    auto const logits = values.logits();
    auto const derivatives = values.d_logits();
    for (index_t n = 0; n < data.count(); ++n) {
      int const label = data.labels[static_cast<std::size_t>(n)];
      bool right = false;
      index_t const rival = runner_up(logits, n, label, right);
      if (!right) result[static_cast<std::size_t>(n)] = 0;
      for (index_t j = 0; j < logits.cols(); ++j) derivatives(n, j) = j == rival ? 1.0f : j == label ? -1.0f : 0.0f;
    }
  };
  auto const x = values.input();
  for (int restart = 0; restart < options.restarts; ++restart) {
    for (index_t n = 0; n < data.count(); ++n) {
      for (index_t k = 0; k < pixels; ++k) {
        double const noise = restart == 0 ? 0.0 : random.normal(draw++);
        x(n, k) = data.images(n, k) + static_cast<float>(radius / std::sqrt(static_cast<double>(pixels)) * noise);
      }
      project(&x(n, 0), &data.images(n, 0), pixels, radius);
    }
    look();
    for (int i = 0; i < options.steps && radius > 0; ++i) {
      auto const gradient = values.backward(on, model, nullptr);
      for (index_t n = 0; n < data.count(); ++n) {
        auto const row = gradient.row(n);
        double const length = std::sqrt(static_cast<double>(on.dot(row, row)));
        if (!(length > 0)) continue;
        auto const factor = static_cast<float>(step / length);
        for (index_t k = 0; k < pixels; ++k) x(n, k) += factor * row[k];
        project(&x(n, 0), &data.images(n, 0), pixels, radius);
      }
      look();
    }
    if (!(radius > 0)) break;
  }
  return result;
}

}  // namespace robust_mlp
