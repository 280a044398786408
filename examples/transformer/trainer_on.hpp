// SPDX-License-Identifier: MIT
/// @file
/// Training on any backend.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <sigmax/core/error.hpp>
#include <sigmax/core/parallel.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/io/safetensors/named_tensor.hpp>
#include <sigmax/optimizer/learning_rate.hpp>

#include "batches.hpp"
#include "checkpoint.hpp"
#include "evaluate.hpp"
#include "initialize.hpp"
#include "trainer.hpp"
#include "weight_optimizer.hpp"

namespace transformer {

/// `trainer` in the memory of a backend. Whatever that is, weights begin as the same numbers, and batches are the same.
template <class Backend>
class trainer_on : public trainer {
 public:
  using space = typename Backend::space;

  /// `host` initialises; it may be the same as `on`. Weights are stepped on `lanes` side by side, each on a thread of `host`:
  /// what an optimizer asks of a device is mostly too small to fill it. None: one after the other, on `on`.
  trainer_on(sigmax::cpu::native const& host, Backend const& on, run_settings const& settings, corpus const& text,
             std::vector<Backend> lanes = {})
      : trainer(settings, text),
        on_(on),
        lanes_(lanes.empty() ? std::vector<Backend>{on} : std::move(lanes)),
        workers_(host.workers()),
        scratch_(lanes_.size()),
        failures_(lanes_.size()),
        model_(on, settings.shape, settings.model, settings.shape.context),
        weights_(on, settings.shape),
        gradient_(on, settings.shape),
        activations_(on, settings.shape, settings.micro_batch, settings.shape.context),
        batches_(text.training(), settings.batch, settings.shape.context, settings.seed) {
    auto const cap = proven_cap(settings, weight_role::query);
    parameters<float> start(settings.shape);
    initialize(with_scratch(host, scratch_[0]), start, std::fmin(cap, 1.0), settings.seed);
    copy_parameters(on_, start, weights_);
    std::vector<matrix_in<float, space> const*> gradients;
    for_each_weight(gradient_, [&](auto const&, weight_role, auto const& each) { gradients.push_back(&each); });
    optimizers_.reserve(gradients.size());
    for_each_weight(weights_, [&](std::string const& name, weight_role role, auto& each) {
      std::size_t const i = optimizers_.size();
      std::size_t const lane = i % lanes_.size();
      optimizers_.emplace_back(lanes_[lane], settings_, name, role, each, *gradients[i], scratch_[lane]);
    });
    outcomes_.resize(optimizers_.size());
    wait();
  }

  char const* device() const override { return in_device_memory<Backend> ? "cuda" : "cpu"; }

  std::string where() const override {
    if constexpr (in_device_memory<Backend>) {
      return "on a CUDA device";
    } else {
      return fmt::format("{} threads, {}", on_.threads(), on_.architecture());
    }
  }

  step_result step() override {
    auto const start = clock::now();
    step_result result;
    batches_.draw(steps_);
    set_zero(on_, gradient_);
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
    wait();
    auto const middle = clock::now();
    sigmax::learning_rate::linear_decay const rate{
        .peak = 1, .warmup_steps = settings_.warmup_steps, .total_steps = settings_.steps};
    // The first step of a warmup is not 0.
    result.rate = settings_.warmup_steps > steps_
                      ? static_cast<double>(steps_ + 1) / static_cast<double>(settings_.warmup_steps)
                      : rate(steps_);
    step_weights(result.rate);
    for (auto const& each : outcomes_) result.caps += each;
    caps_ += result.caps;
    ++steps_;
    result.seconds_of_optimizers = seconds_since(middle);
    result.seconds = seconds_since(start);
    return result;
  }

  batch_loss validate() override { return evaluate(on_, model_, weights_, text_->validation(), activations_); }

  activation_maxima largest_activations() const override { return transformer::largest_activations(on_, activations_); }

  parameters<float> const& weights() const override {
    if constexpr (in_device_memory<Backend>) {
      if (!host_weights_) host_weights_.emplace(settings_.shape);
      copy_parameters(on_, weights_, *host_weights_);
      return *host_weights_;
    } else {
      return weights_;
    }
  }

  void add_to(sigmax::io::optimizer_state_writer& state) const override {
    for_each_weight(weights(), [&](std::string const& name, weight_role, sigmax::matrix<float> const& each) {
      state.add(sigmax::io::named_tensor(name, each));
    });
    for (auto const& each : optimizers_) each.add_to(on_, state);
  }

  void restore(sigmax::io::safetensors_file const& file, std::int64_t steps, cap_checks const& caps) override {
    copy_parameters(on_, weights_of(file, settings_.shape), weights_);
    for (std::size_t i = 0; i < optimizers_.size(); ++i) optimizers_[i].restore(lanes_[i % lanes_.size()], file);
    wait();
    steps_ = steps;
    caps_ = caps;
  }

 private:
  using clock = std::chrono::steady_clock;

  static double seconds_since(clock::time_point start) {
    return std::chrono::duration<double>(clock::now() - start).count();
  }

  /// For all work given to the device. Lanes do not wait for each other, and times are those of the work, not of asking
  /// for it.
  void wait() const {
    if constexpr (in_device_memory<Backend>) {
      on_.wait();
      for (auto const& each : lanes_) each.wait();
    }
  }

  /// @throws what the first lane that failed did; the others are done then.
  void step_weights(double rate) {
    auto const step_lane = [&](index_t at) {
      auto const lane = static_cast<std::size_t>(at);
      failures_[lane] = nullptr;
      try {
        for (std::size_t i = lane; i < optimizers_.size(); i += lanes_.size()) {
          outcomes_[i] = step_weight(lanes_[lane], optimizers_[i], rate);
        }
      } catch (...) {
        failures_[lane] = std::current_exception();
      }
    };
    // One lane may use all threads itself.
    if (lanes_.size() == 1) {
      step_lane(0);
    } else {
      sigmax::parallel_for(static_cast<index_t>(lanes_.size()), workers_, step_lane);
    }
    wait();
    for (auto const& each : failures_) {
      if (each) std::rethrow_exception(each);
    }
  }

  static cap_checks step_weight(Backend const& on, weight_optimizer<space>& of, double rate) {
    cap_checks result{.checks = of.is_checked() ? 1 : 0, .violations = 0, .constrained = of.step(on, rate)};
    if (of.is_checked() && !of.is_inside(on, result.constrained)) result.violations = 1;
    return result;
  }

  Backend on_;
  std::vector<Backend> lanes_;
  sigmax::executor workers_;
  /// Of each lane.
  std::vector<sigmax::workspace> scratch_;
  std::vector<std::exception_ptr> failures_;
  model<float, space> model_;
  parameters<float, space> weights_;
  parameters<float, space> gradient_;
  /// Of a device: what it had when it was last asked for.
  mutable std::optional<parameters<float>> host_weights_;
  activations<float, space> activations_;
  batch_sampler batches_;
  std::vector<weight_optimizer<space>> optimizers_;
  /// Of the last step, in their order.
  std::vector<cap_checks> outcomes_;
};

}  // namespace transformer
