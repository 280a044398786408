// SPDX-License-Identifier: MIT
/// @file
/// One weight with its optimizer and its constraint.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sigmax/bound/norm.hpp>
#include <sigmax/constraint/clipped_weight_decay.hpp>
#include <sigmax/constraint/hard_cap.hpp>
#include <sigmax/constraint/none.hpp>
#include <sigmax/constraint/soft_cap.hpp>
#include <sigmax/constraint/spectral_hammer.hpp>
#include <sigmax/constraint/spectral_normalize.hpp>
#include <sigmax/constraint/spectral_weight_decay.hpp>
#include <sigmax/constraint/stiefel.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/workspace.hpp>
#include <sigmax/io/safetensors/optimizer_state.hpp>
#include <sigmax/optimizer/adamw.hpp>
#include <sigmax/optimizer/muon.hpp>
#include <sigmax/polynomial/schedules.hpp>

#include "initialize.hpp"
#include "memory.hpp"
#include "parameters.hpp"
#include "settings.hpp"

namespace transformer {

namespace constraint = sigmax::constraint;

using any_constraint =
    std::variant<constraint::none, constraint::spectral_weight_decay, constraint::clipped_weight_decay,
                 constraint::spectral_normalize, constraint::stiefel, constraint::soft_cap, constraint::hard_cap,
                 constraint::spectral_hammer>;
template <class Space>
using any_optimizer = std::variant<sigmax::muon<float, Space>, sigmax::adamw<float, Space>>;

/// The names --constraint and --optimizer take; weight_decay is that of the optimizer.
std::vector<std::string> constraint_names();
std::vector<std::string> optimizer_names();

/// The cap of a weight from RMS to RMS that its constraint proves; +infinity where it proves none.
double proven_cap(run_settings const& settings, weight_role role);

any_constraint make_constraint(run_settings const& settings, weight_role role);
/// Of a role, at its peak.
double learning_rate_of(run_settings const& settings, weight_role role);

/// The optimizer of a weight in the memory of `on`.
template <class Backend, class Space = typename Backend::space>
any_optimizer<Space> make_optimizer(Backend const& on, run_settings const& settings, weight_role role,
                                    matrix_in<float, Space> const& weight, sigmax::workspace& scratch) {
  bool const is_embedding = role == weight_role::embedding;
  // Constraints that decay have the decay of their own.
  bool const decays =
      is_map(role) && settings.constraint != "spectral_weight_decay" && settings.constraint != "clipped_weight_decay";
  double const decay = decays ? settings.weight_decay : 0.0;
  double const rate = learning_rate_of(settings, role);
  // Scores are no operator: Muon has no norm for them.
  std::string const name = role == weight_role::position_bias ? "adamw" : settings.optimizer;
  if (name == "muon") {
    return sigmax::muon<float, Space>(on, weight,
                                      {.learning_rate = rate,
                                       .momentum = settings.momentum,
                                       .nesterov = settings.nesterov,
                                       .weight_decay = decay,
                                       .adjust = sigmax::adjustment::spectral_norm,
                                       .schedule = sigmax::schedules::you_1024,
                                       .normalize_by = sigmax::normalization::frobenius,
                                       .dual_to = is_embedding ? sigmax::duality::rows : sigmax::duality::spectral,
                                       .scratch = &scratch});
  }
  if (name == "adamw") {
    return sigmax::adamw<float, Space>(
        on, weight, {.learning_rate = rate, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = decay, .scratch = &scratch});
  }
  throw sigmax::domain_error("there is no optimizer " + name);
}

/// In the memory of a space.
template <class Space>
class weight_optimizer {
 public:
  /// `scratch` is shared by all weights and must outlive this, as weight and gradient must.
  template <class Backend>
  weight_optimizer(Backend const& on, run_settings const& settings, std::string name, weight_role role,
                   matrix_in<float, Space>& weight, matrix_in<float, Space> const& gradient, sigmax::workspace& scratch)
      : name_(std::move(name)),
        role_(role),
        weight_(&weight),
        gradient_(&gradient),
        learning_rate_(learning_rate_of(settings, role)),
        has_cap_(proven_cap(settings, role) < sigmax::infinity),
        optimizer_(make_optimizer(on, settings, role, weight, scratch)),
        constraint_(make_constraint(settings, role)) {
    if (role == weight_role::embedding) on_host_ = sigmax::matrix<float>(weight.rows(), weight.cols());
  }

  /// One step at `share` of the learning rate. Every row of an embedding has RMS <= 1 afterwards.
  template <class Backend>
  constraint::outcome step(Backend const& on, double share) {
    auto const result = std::visit(
        [&](auto& optimizer, auto const& constraint) {
          optimizer.set_learning_rate(learning_rate_ * share);
          return optimizer.step(on, *weight_, *gradient_, constraint);
        },
        optimizer_, constraint_);
    if (role_ == weight_role::embedding) {
      if constexpr (in_device_memory<Backend>) {
        on.copy_to_host(weight_->view(), on_host_.view());
        cap_rows(on_host_);
        on.copy_from_host(on_host_.view(), weight_->view());
      } else {
        cap_rows(*weight_);
      }
    }
    return result;
  }

  /// Something is proven of the weight after each step.
  bool is_checked() const { return role_ == weight_role::embedding || has_cap_; }
  /// It was proven of this weight, in the step of this outcome.
  template <class Backend>
  bool is_inside(Backend const& on, constraint::outcome const& outcome) const {
    if (role_ == weight_role::embedding) {
      if constexpr (in_device_memory<Backend>) {
        on.copy_to_host(weight_->view(), on_host_.view());
        return rows_are_capped(on_host_);
      } else {
        return rows_are_capped(*weight_);
      }
    }
    // Nothing is to be proved of a matrix of zeros, which is what some weights begin as.
    return outcome.proven == 1 || on.max_abs(weight_->view()) == 0;
  }

  /// The state is called "optimizer.NAME.…" in a file.
  template <class Backend>
  void add_to(Backend const& on, sigmax::io::optimizer_state_writer& state) const {
    std::visit([&](auto const& optimizer) { state.add(on, "optimizer." + name_, optimizer); }, optimizer_);
  }
  template <class Backend>
  void restore(Backend const& on, sigmax::io::safetensors_file const& file) {
    std::visit([&](auto& optimizer) { sigmax::io::restore_optimizer(on, file, "optimizer." + name_, optimizer); },
               optimizer_);
  }

 private:
  std::string name_;
  weight_role role_;
  matrix_in<float, Space>* weight_;
  matrix_in<float, Space> const* gradient_;
  double learning_rate_;
  bool has_cap_;
  any_optimizer<Space> optimizer_;
  any_constraint constraint_;
  /// The rows of an embedding are capped here, in double: it is small, and every bit counts.
  mutable sigmax::matrix<float> on_host_;
};

}  // namespace transformer
