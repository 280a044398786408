// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/learning_rate.hpp>
#include <sigmax/optimizer/muon.hpp>
#include <sigmax/polynomial/schedules.hpp>
#include <sigmax/spectral/orthogonalize.hpp>

#include "train_classifier.hpp"

namespace robust_mlp {

namespace {

namespace constraint = sigmax::constraint;
using any_optimizer = std::variant<sigmax::muon<float>, sigmax::adamw<float>>;
using any_constraint = std::variant<constraint::none, constraint::soft_cap, constraint::hard_cap>;

/// Semi-orthogonal, of the norm of the cap (1 without one): a little below, for rounding.
void begin(sigmax::cpu::native const& on, recipe const& how, classifier& model) {
  double const norm = how.sigma_max > 0 ? how.sigma_max : 1.0;
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    auto& w = model.weights[i];
    sigmax::fill_normal(w.view(), how.seed * 1000 + i);
    sigmax::orthogonalize(on, w);
    for (index_t k = 0; k < w.size(); ++k) w.data()[k] *= static_cast<float>(norm * (1 - 1e-5));
  }
}

any_optimizer optimizer_of(recipe const& how, sigmax::matrix<float> const& w, bool is_bias,
                           sigmax::workspace& scratch) {
  if (how.optimizer == "muon" && !is_bias) {
    return sigmax::muon<float>(w, {.learning_rate = how.learning_rate,
                                   .momentum = 0.95,
                                   .nesterov = true,
                                   .weight_decay = how.weight_decay,
                                   .adjust = sigmax::adjustment::none,
                                   .schedule = sigmax::schedules::you_1024,
                                   .normalize_by = sigmax::normalization::frobenius,
                                   .scratch = &scratch});
  }
  // Biases do not count in a Lipschitz bound: they are trained by AdamW always.
  double const rate = how.optimizer == "muon" ? 0.1 * how.learning_rate : how.learning_rate;
  return sigmax::adamw<float>(
      w, {.learning_rate = rate, .weight_decay = is_bias ? 0.0 : how.weight_decay, .scratch = &scratch});
}

any_constraint constraint_of(recipe const& how, bool is_bias) {
  if (is_bias || !(how.sigma_max > 0)) return constraint::none{};
  if (how.optimizer == "muon") return constraint::soft_cap{.sigma_max = how.sigma_max, .certified = true};
  return constraint::hard_cap{.sigma_max = how.sigma_max, .certified = true};
}

/// Replaces logits by derivatives of the mean loss; returns the sum of the losses and counts what is right.
double loss_of(recipe const& how, std::span<int const> labels, sigmax::matrix_view<float> logits,
               sigmax::matrix_view<float> derivatives, std::int64_t& right) {
  double sum = 0;
  auto const count = static_cast<double>(labels.size());
  std::vector<double> scaled(static_cast<std::size_t>(logits.cols()));
  for (index_t n = 0; n < logits.rows(); ++n) {
    auto const label = static_cast<std::size_t>(labels[static_cast<std::size_t>(n)]);
    std::size_t best = 0;
    for (std::size_t j = 0; j < scaled.size(); ++j) {
      scaled[j] = static_cast<double>(logits(n, static_cast<index_t>(j)));
      if (scaled[j] > scaled[best]) best = j;
    }
    right += best == label ? 1 : 0;
    scaled[label] -= how.margin;
    for (double& each : scaled) each *= how.temperature;
    double const most = *std::max_element(scaled.begin(), scaled.end());
    double total = 0;
    for (double const each : scaled) total += std::exp(each - most);
    sum += most - scaled[label] + std::log(total);
    for (std::size_t j = 0; j < scaled.size(); ++j) {
      double const p = std::exp(scaled[j] - most) / total - (j == label ? 1 : 0);
      derivatives(n, static_cast<index_t>(j)) = static_cast<float>(how.temperature * p / count);
    }
  }
  return sum;
}

void set_zero(classifier& all) {
  for (auto* const part : {&all.weights, &all.biases}) {
    for (auto& each : *part) std::fill_n(each.data(), each.size(), 0.0f);
  }
}

}  // namespace

trained_classifier train(sigmax::cpu::native const& given, recipe const& how, digits const& data,
                         std::function<void(epoch_report const&)> const& hear) {
  sigmax::workspace scratch;
  auto const on = given.using_scratch(scratch);
  std::vector<index_t> const widths{data.images.cols(), how.width, how.width, digits::classes};
  trained_classifier result{classifier(widths, how.phi)};
  auto& model = result.model;
  begin(on, how, model);
  classifier gradient(widths, how.phi);
  struct trained_part {
    sigmax::matrix<float>* weight;
    sigmax::matrix<float> const* gradient;
    any_optimizer optimizer;
    any_constraint constraint;
    double rate;
  };
  std::vector<trained_part> parts;
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    for (bool const is_bias : {false, true}) {
      auto& w = is_bias ? model.biases[i] : model.weights[i];
      auto& g = is_bias ? gradient.biases[i] : gradient.weights[i];
      auto optimizer = optimizer_of(how, w, is_bias, scratch);
      double const rate = std::visit([](auto const& each) { return each.options().learning_rate; }, optimizer);
      parts.push_back({&w, &g, std::move(optimizer), constraint_of(how, is_bias), rate});
    }
  }
  layer_values values(model, how.batch);
  std::vector<int> labels(static_cast<std::size_t>(how.batch));
  std::vector<index_t> order(static_cast<std::size_t>(data.count()));
  std::iota(order.begin(), order.end(), index_t{0});
  sigmax::random_sequence const random(how.seed);
  std::uint64_t draw = 0;
  auto const below = [&](index_t count) {
    return static_cast<index_t>(random.bits(draw++) % static_cast<std::uint64_t>(count));
  };
  index_t const batches = data.count() / how.batch;
  std::int64_t const steps = static_cast<std::int64_t>(how.epochs) * batches;
  sigmax::learning_rate::linear_decay const share{.peak = 1, .total_steps = steps};
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= how.epochs; ++epoch) {
    for (auto i = data.count() - 1; i > 0; --i) {
      std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(below(i + 1))]);
    }
    double loss = 0;
    std::int64_t right = 0;
    for (index_t b = 0; b < batches; ++b, ++step) {
      for (index_t n = 0; n < how.batch; ++n) {
        index_t const which = order[static_cast<std::size_t>(b * how.batch + n)];
        index_t const across = below(2 * how.shift + 1) - how.shift;
        index_t const down = below(2 * how.shift + 1) - how.shift;
        copy_shifted(data, which, across, down, {&values.input()(n, 0), static_cast<std::size_t>(data.images.cols())});
        labels[static_cast<std::size_t>(n)] = data.labels[static_cast<std::size_t>(which)];
      }
      values.forward(on, model);
      loss += loss_of(how, labels, values.logits(), values.d_logits(), right);
      set_zero(gradient);
      values.backward(on, model, &gradient);
      for (auto& part : parts) {
        auto const outcome = std::visit(
            [&](auto& optimizer, auto const& c) {
              optimizer.set_learning_rate(part.rate * share(step));
              return optimizer.step(on, *part.weight, *part.gradient, c);
            },
            part.optimizer, part.constraint);
        if (std::holds_alternative<constraint::none>(part.constraint)) continue;
        ++result.checks;
        if (outcome.proven != 1) ++result.violations;
      }
    }
    auto const seen = static_cast<double>(batches * how.batch);
    if (!std::isfinite(loss)) throw sigmax::numeric_error(how.name + ": the loss is no number; training has diverged");
    if (hear) hear({epoch, loss / seen, static_cast<double>(right) / seen});
  }
  return result;
}

}  // namespace robust_mlp
