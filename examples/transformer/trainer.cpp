// SPDX-License-Identifier: MIT
#include <chrono>
#include <cmath>

#include <sigmax/core/error.hpp>
#include <sigmax/optimizer/learning_rate.hpp>

#include "evaluate.hpp"
#include "initialize.hpp"
#include "trainer.hpp"

namespace transformer {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

cap_checks& cap_checks::operator+=(cap_checks const& other) {
  checks += other.checks;
  violations += other.violations;
  constrained += other.constrained;
  return *this;
}

trainer::trainer(sigmax::cpu::native const& on, run_settings const& settings, corpus const& text)
    : on_(on),
      settings_(settings),
      text_(&text),
      model_(settings.shape, settings.model),
      weights_(settings.shape),
      gradient_(settings.shape),
      activations_(settings.shape, settings.micro_batch, settings.shape.context),
      batches_(text.training(), settings.batch, settings.shape.context, settings.seed) {
  check(settings);
  auto const cap = proven_cap(settings, weight_role::query);
  initialize(on_.using_scratch(scratch_), weights_, std::fmin(cap, 1.0), settings.seed);
  std::vector<sigmax::matrix<float> const*> gradients;
  for_each_weight(gradient_, [&](auto const&, weight_role, auto const& each) { gradients.push_back(&each); });
  optimizers_.reserve(gradients.size());
  for_each_weight(weights_, [&](std::string const& name, weight_role role, sigmax::matrix<float>& each) {
    optimizers_.emplace_back(settings_, name, role, each, *gradients[optimizers_.size()], scratch_);
  });
}

step_result trainer::step() {
  auto const start = std::chrono::steady_clock::now();
  step_result result;
  batches_.draw(steps_);
  set_zero(gradient_);
  auto const tokens = batches_.inputs().size();
  auto const weight = 1 / static_cast<float>(tokens);
  auto const at_once = static_cast<std::size_t>(activations_.tokens());
  for (std::size_t first = 0; first < tokens; first += at_once) {
    auto const inputs = batches_.inputs().subspan(first, at_once);
    forward(on_, model_, weights_, inputs, activations_);
    result.loss.add(cross_entropy_loss(on_, batches_.targets().subspan(first, at_once), weight, activations_));
    backward(on_, model_, weights_, inputs, activations_, gradient_);
  }
  if (!std::isfinite(result.loss.loss)) {
    sigmax::detail::raise<sigmax::numeric_error>(
        {"step ", static_cast<index_t>(steps_), ": the loss is ", result.loss.mean(), "; training has diverged"});
  }
  auto const middle = std::chrono::steady_clock::now();
  sigmax::learning_rate::linear_decay const rate{
      .peak = 1, .warmup_steps = settings_.warmup_steps, .total_steps = settings_.steps};
  // The first step of a warmup is not 0.
  result.rate = settings_.warmup_steps > steps_
                    ? static_cast<double>(steps_ + 1) / static_cast<double>(settings_.warmup_steps)
                    : rate(steps_);
  for (auto& each : optimizers_) {
    auto const outcome = each.step(on_, result.rate);
    result.caps.constrained += outcome;
    bool const is_embedding = each.role() == weight_role::embedding;
    if (!is_embedding && !each.has_cap()) continue;
    ++result.caps.checks;
    // Nothing is to be proved of a matrix of zeros, which is what some weights begin as.
    bool const proven =
        is_embedding ? rows_are_capped(each.weight()) : outcome.proven == 1 || on_.max_abs(each.weight().view()) == 0;
    if (!proven) ++result.caps.violations;
  }
  caps_ += result.caps;
  ++steps_;
  result.seconds_of_optimizers = seconds_since(middle);
  result.seconds = seconds_since(start);
  return result;
}

batch_loss trainer::validate() { return evaluate(on_, model_, weights_, text_->validation(), activations_); }

void trainer::add_to(sigmax::io::optimizer_state_writer& state) const {
  for_each_weight(weights_, [&](std::string const& name, weight_role, sigmax::matrix<float> const& each) {
    state.add(sigmax::io::named_tensor(name, each));
  });
  for (auto const& each : optimizers_) each.add_to(state);
}

void trainer::restore(sigmax::io::safetensors_file const& file, std::int64_t steps, cap_checks const& caps) {
  for_each_weight(
      weights_, [&](std::string const& name, weight_role, sigmax::matrix<float>& each) { file.read_into(name, each); });
  for (auto& each : optimizers_) each.restore(file);
  steps_ = steps;
  caps_ = caps;
}

}  // namespace transformer
