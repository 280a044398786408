// SPDX-License-Identifier: MIT
/// @file
/// A network evaluated at points, with all its memory allocated once.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sigmax/config.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/tensor_shape.hpp>

namespace sigmax::inline SIGMAX_ABI::lipschitz::attack {

/// The nodes between input and output in order of evaluation, and where each value lies in one flat array.
class evaluation_plan {
 public:
  struct step {
    std::size_t node;
    std::size_t first_input;  // into `inputs` and `shapes`
    std::size_t inputs;
    bool varies;
  };

  /// `net` must outlive the plan.
  template <std::same_as<network> Network>
  explicit evaluation_plan(Network const& net) : net_(&net) {
    auto const count = static_cast<std::size_t>(net.size());
    std::vector<char> used(count, 0);
    used[0] = 1;
    used[static_cast<std::size_t>(net.output())] = 1;
    for (std::size_t i = count; i-- > 0;) {
      if (used[i] == 0) continue;
      for (node_id const from : net.nodes()[i].inputs) used[static_cast<std::size_t>(from)] = 1;
    }
    first_.resize(count, 0);
    size_.resize(count, 0);
    std::vector<char> varies(count, 0);
    varies[0] = 1;
    for (std::size_t i = 0; i < count; ++i) {
      if (used[i] == 0) continue;
      auto const& node = net.nodes()[i];
      first_[i] = total_;
      size_[i] = static_cast<std::size_t>(element_count(node.shape));
      total_ += size_[i];
      if (i == 0) continue;
      std::size_t const first_input = inputs_.size();
      for (node_id const from : node.inputs) {
        inputs_.push_back(static_cast<std::size_t>(from));
        shapes_.push_back(net[from].shape);
        if (varies[inputs_.back()] != 0) varies[i] = 1;
      }
      steps_.push_back({i, first_input, node.inputs.size(), varies[i] != 0});
      work_ += node.rule.multiply_adds(shapes_of(steps_.back()));
    }
    varies_ = std::move(varies);
    work_ += 4.0 * static_cast<double>(total_) + 100.0 * static_cast<double>(steps_.size());
  }

  network const& net() const { return *net_; }
  std::vector<step> const& steps() const { return steps_; }
  std::size_t total() const { return total_; }
  std::size_t input_of(step const& s, std::size_t k) const { return inputs_[s.first_input + k]; }
  bool varies(std::size_t node) const { return varies_[node] != 0; }
  std::span<tensor_shape const> shapes_of(step const& s) const { return {shapes_.data() + s.first_input, s.inputs}; }
  std::size_t output() const { return static_cast<std::size_t>(net_->output()); }
  /// Rough number of multiply-adds of one evaluation.
  double work() const { return work_; }

  /// The value of a node inside an array of `total()` elements.
  template <class T>
  std::span<T> part(std::vector<T>& values, std::size_t node) const {
    return {values.data() + first_[node], size_[node]};
  }
  template <class T>
  std::span<T const> part(std::vector<T> const& values, std::size_t node) const {
    return {values.data() + first_[node], size_[node]};
  }

 private:
  network const* net_;
  std::vector<step> steps_;
  std::vector<std::size_t> inputs_;
  std::vector<tensor_shape> shapes_;
  std::vector<std::size_t> first_;
  std::vector<std::size_t> size_;
  std::vector<char> varies_;
  std::size_t total_ = 0;
  double work_ = 0;
};

/// The values of all nodes at one point, over double, dual or interval.
template <class T>
class evaluation {
 public:
  /// `plan` must outlive the evaluation. Values that do not depend on the input are computed here.
  explicit evaluation(evaluation_plan const& plan) : plan_(&plan), values_(plan.total()) {
    for (auto const& step : plan.steps()) {
      if (!step.varies) run_step(step);
    }
  }

  /// Where the input goes before `run`.
  std::span<T> input() { return plan_->part(values_, 0); }

  /// Evaluates at `input()`; returns the output.
  std::span<T const> run() {
    for (auto const& step : plan_->steps()) {
      if (step.varies) run_step(step);
    }
    return output();
  }

  std::span<T const> output() const { return plan_->part(values_, plan_->output()); }
  std::span<T const> value(std::size_t node) const { return plan_->part(values_, node); }
  evaluation_plan const& plan() const { return *plan_; }

 private:
  void run_step(evaluation_plan::step const& step) {
    arguments_.clear();
    for (std::size_t k = 0; k < step.inputs; ++k) arguments_.push_back(value(plan_->input_of(step, k)));
    plan_->net().nodes()[step.node].rule.evaluate(std::span<std::span<T const> const>(arguments_),
                                                  plan_->shapes_of(step), plan_->part(values_, step.node));
  }

  evaluation_plan const* plan_;
  std::vector<T> values_;
  std::vector<std::span<T const>> arguments_;
};

/// Reverse mode: J^T g at the point where `at` was evaluated.
template <class T>
class gradient {
 public:
  explicit gradient(evaluation_plan const& plan) : plan_(&plan), adjoints_(plan.total()) {}

  /// Where g goes before `run`; zero it first.
  std::span<T> seed() { return plan_->part(adjoints_, plan_->output()); }
  void clear() { adjoints_.assign(adjoints_.size(), T(0)); }

  /// Returns J^T g.
  std::span<T const> run(evaluation<T> const& at) {
    auto const& steps = plan_->steps();
    for (std::size_t i = steps.size(); i-- > 0;) {
      auto const& step = steps[i];
      if (!step.varies) continue;
      arguments_.clear();
      gradients_.clear();
      for (std::size_t k = 0; k < step.inputs; ++k) {
        std::size_t const from = plan_->input_of(step, k);
        arguments_.push_back(at.value(from));
        gradients_.push_back(plan_->varies(from) ? plan_->part(adjoints_, from) : std::span<T>());
      }
      plan_->net().nodes()[step.node].rule.pull_back(arguments_, plan_->shapes_of(step),
                                                     std::as_const(*this).adjoint(step.node), gradients_);
    }
    return std::as_const(*this).adjoint(0);
  }

 private:
  std::span<T const> adjoint(std::size_t node) const { return plan_->part(adjoints_, node); }

  evaluation_plan const* plan_;
  std::vector<T> adjoints_;
  std::vector<std::span<T const>> arguments_;
  std::vector<std::span<T>> gradients_;
};

}  // namespace sigmax::inline SIGMAX_ABI::lipschitz::attack
