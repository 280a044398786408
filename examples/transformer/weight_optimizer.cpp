// SPDX-License-Identifier: MIT
#include <utility>

#include <sigmax/bound/norm.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/polynomial/schedules.hpp>

#include "initialize.hpp"
#include "weight_optimizer.hpp"

namespace transformer {

namespace {

double cap_of(run_settings const& settings, weight_role role) {
  bool const has_own = role == weight_role::head && settings.head_sigma_max > 0;
  return has_own ? settings.head_sigma_max : settings.sigma_max;
}

any_constraint make_constraint(run_settings const& settings, weight_role role) {
  std::string const& name = settings.constraint;
  double const cap = cap_of(settings, role);
  auto const norm = sigmax::norm::any(sigmax::norm::rms);
  if (!is_map(role) || name == "none" || name == "weight_decay") return constraint::none{};
  if (name == "spectral_weight_decay") return constraint::spectral_weight_decay{.decay = settings.weight_decay};
  if (name == "clipped_weight_decay") {
    return constraint::clipped_weight_decay{.decay = settings.weight_decay, .sigma_max = cap, .norm = norm};
  }
  if (name == "spectral_normalize") {
    return constraint::spectral_normalize{.sigma_max = cap, .norm = norm, .certified = true};
  }
  if (name == "stiefel") return constraint::stiefel{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "soft_cap") return constraint::soft_cap{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "hard_cap") return constraint::hard_cap{.sigma_max = cap, .norm = norm, .certified = true};
  if (name == "spectral_hammer") return constraint::spectral_hammer{.sigma_max = cap, .norm = norm, .certified = true};
  throw sigmax::domain_error("there is no constraint " + name);
}

/// Constraints that decay have the decay of their own.
bool decays_itself(run_settings const& settings) {
  return settings.constraint == "spectral_weight_decay" || settings.constraint == "clipped_weight_decay";
}

double rate_of(run_settings const& settings, weight_role role) {
  if (role == weight_role::embedding) return settings.embedding_learning_rate;
  return role == weight_role::position_bias ? settings.position_learning_rate : settings.learning_rate;
}

any_optimizer make_optimizer(run_settings const& settings, weight_role role, sigmax::matrix<float> const& weight,
                             sigmax::workspace& scratch) {
  bool const is_embedding = role == weight_role::embedding;
  double const decay = !is_map(role) || decays_itself(settings) ? 0.0 : settings.weight_decay;
  double const rate = rate_of(settings, role);
  // Scores are no operator: Muon has no norm for them.
  std::string const name = role == weight_role::position_bias ? "adamw" : settings.optimizer;
  if (name == "muon") {
    return sigmax::muon<float>(weight, {.learning_rate = rate,
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
    return sigmax::adamw<float>(
        weight, {.learning_rate = rate, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = decay, .scratch = &scratch});
  }
  throw sigmax::domain_error("there is no optimizer " + name);
}

}  // namespace

std::vector<std::string> constraint_names() {
  return {"none",     "weight_decay", "spectral_weight_decay", "clipped_weight_decay", "spectral_normalize", "stiefel",
          "soft_cap", "hard_cap",     "spectral_hammer"};
}

std::vector<std::string> optimizer_names() { return {"muon", "adamw"}; }

double proven_cap(run_settings const& settings, weight_role role) {
  auto const constraint = make_constraint(settings, role);
  bool const proves = std::visit([](auto const& c) { return c.proven_cap(1, 1) < sigmax::infinity; }, constraint);
  return proves ? cap_of(settings, role) : sigmax::infinity;
}

weight_optimizer::weight_optimizer(run_settings const& settings, std::string name, weight_role role,
                                   sigmax::matrix<float>& weight, sigmax::matrix<float> const& gradient,
                                   sigmax::workspace& scratch)
    : name_(std::move(name)),
      role_(role),
      weight_(&weight),
      gradient_(&gradient),
      learning_rate_(rate_of(settings, role)),
      has_cap_(proven_cap(settings, role) < sigmax::infinity),
      optimizer_(make_optimizer(settings, role, weight, scratch)),
      constraint_(make_constraint(settings, role)) {}

constraint::outcome weight_optimizer::step(sigmax::cpu::native const& on, double share) {
  auto const result = std::visit(
      [&](auto& optimizer, auto const& constraint) {
        optimizer.set_learning_rate(learning_rate_ * share);
        return optimizer.step(on, *weight_, *gradient_, constraint);
      },
      optimizer_, constraint_);
  if (role_ == weight_role::embedding) cap_rows(*weight_);
  return result;
}

void weight_optimizer::add_to(sigmax::io::optimizer_state_writer& state) const {
  std::visit([&](auto const& optimizer) { state.add("optimizer." + name_, optimizer); }, optimizer_);
}

void weight_optimizer::restore(sigmax::io::safetensors_file const& file) {
  std::visit([&](auto& optimizer) { sigmax::io::restore_optimizer(file, "optimizer." + name_, optimizer); },
             optimizer_);
}

}  // namespace transformer
